"""Accounts: what each part of an expression gave in one evaluation.

The engine itself keeps the record while it evaluates, so a part that was evaluated for each item of
a list has as many values, and one that was not evaluated has none. `reached` and `unreached` parts
are for people: literals, names of functions and the steps inside a path are left out, for the path
as a whole tells more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from isthmus_api.expressions import syntax
from isthmus_api.expressions.syntax import Node, Shape

Span = tuple[int, int]
"""A half-open place in the source, in code points."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a part gave once: nothing, an error, or a value, of which large ones are shortened."""

    shown: Any = None
    is_nothing: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression, and the first values that it gave."""

    span: Span
    times: int
    values: tuple[Value, ...] = ()
    tested: int = 0
    passed: int = 0
    """Of a predicate: how many items it was asked about, and how many it let through."""


@dataclass(frozen=True, slots=True)
class Account:
    """The parts of an expression in the order in which they stand in it, outer ones first.

    `is_complete` is false when the evaluation had more steps than the engine records: then there
    may have been more values, and nothing is known of parts without one.
    """

    parts: tuple[Part, ...]
    is_complete: bool = True


def complete(source: str, reached: tuple[Part, ...], seen: frozenset[Span]) -> Account:
    """The account of an evaluation whose record is whole; `seen` are all places it has."""
    return Account(ordered((*reached, *(Part(span, 0) for span in _unreached(source, seen)))))


def ordered(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Parts in the order of the source, outer ones first."""
    return tuple(sorted(parts, key=lambda part: (part.span[0], -part.span[1])))


def _unreached(source: str, seen: frozenset[Span]) -> Iterator[Span]:
    """Parts that an evaluation may leave out, and did."""
    try:
        ahead = [syntax.parse(source)]
    except syntax.Unreadable:
        return
    while ahead:
        node = ahead.pop()
        for child in node.children:
            if _may_be_left_out(node, child) and not any(_is_within(span, child) for span in seen):
                yield (child.start, child.end)
            else:
                ahead.append(child)


def _is_within(span: Span, node: Node) -> bool:
    return node.start <= span[0] and span[1] <= node.end


def _may_be_left_out(node: Node, child: Node) -> bool:
    """Whether `child` is evaluated by its own right, and only if something else says so."""
    first = node.children[0]
    match node.shape:
        case Shape.LAMBDA:
            return True
        case Shape.CONDITION:
            return child is not first
        case Shape.BINARY if node.text in ("and", "or", "??", "?:"):
            return child is not first
        case Shape.PATH:
            return child is not first and child.shape not in (Shape.NAME, Shape.WILDCARD)
        case Shape.FILTER:
            return child is not first and child.shape is Shape.BINARY
        case _:
            return False
