"""Reading: what an expression reads of the values around it, and where its result comes from.

A result that is a value as it is (`items`, `$page.items[stock > 0]`) keeps its origin, so that what
later steps read of it is known to be read of the answer. Any other result is a new value: whatever
it is made of was read when it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from isthmus_api.contracts import sent
from isthmus_api.contracts.values import NOTHING, OTHER, State, Value
from isthmus_api.expressions import engine, functions, jlens_engine, syntax
from isthmus_api.expressions.engine import Fields
from isthmus_api.expressions.syntax import Node, Shape

WHOLE: Final = Fields(whole=True)
_THERE: Final = Fields()


@dataclass(frozen=True, slots=True)
class Taken:
    """Something is read of a value."""

    value: Value
    fields: Fields


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an expression gives, and what it reads."""

    result: Value
    taken: tuple[Taken, ...]


def outcome(source: str, state: State, tables: Mapping[str, Any] | None = None) -> Outcome:
    """Look at an expression; nothing is known of one that is none."""
    try:
        root = syntax.parse(source)
    except syntax.Unreadable:
        return Outcome(OTHER, tuple(_taken(source, state, tables)))
    kept = _kept(root, source, state, tables)
    if kept is not None:
        return kept
    made = replace(NOTHING, made=sent.of_expression(source))
    return Outcome(made, tuple(_taken(source, state, tables)))


def _taken(source: str, state: State, tables: Mapping[str, Any] | None) -> Iterator[Taken]:
    library = functions.library(dict(tables or {}))
    try:
        reads = jlens_engine.ENGINE.compile(source, library).reads()
    except engine.ExpressionError:
        return
    if reads.input is not None:
        yield Taken(state.body, reads.input)
    for name, fields in reads.variables.items():
        if name in state.variables:
            yield Taken(state.variables[name], fields)


def _kept(
    node: Node, source: str, state: State, tables: Mapping[str, Any] | None
) -> Outcome | None:
    """The outcome of a path, a choice of elements or an order; nothing for anything else."""
    match node.shape:
        case Shape.VARIABLE if node.text in ("", "$"):
            return Outcome(state.body, ())
        case Shape.VARIABLE if node.text in state.variables:
            return Outcome(state.variables[node.text], ())
        case Shape.NAME:
            return _field(node.text, Outcome(state.body, ()))
        case Shape.PATH if node.children[1].shape in (Shape.NAME, Shape.FORCE, Shape.FILTER):
            before = _kept(node.children[0], source, state, tables)
            return before and _step(node.children[1], source, before, state, tables)
        case Shape.FORCE:
            return _kept(node.children[0], source, state, tables)
        case Shape.FILTER | Shape.SORT:
            before = _kept(node.children[0], source, state, tables)
            return before and _chosen(node, source, before, state, tables)
        case Shape.ARRAY | Shape.BLOCK if len(node.children) == 1:
            return _kept(node.children[0], source, state, tables)
    return None


def _step(
    node: Node, source: str, before: Outcome, state: State, tables: Mapping[str, Any] | None
) -> Outcome | None:
    """One more step of a path, from what the steps before it give."""
    if node.shape is Shape.NAME:
        return _field(node.text, before)
    inside = _step(node.children[0], source, before, state, tables)
    if inside is None or node.shape is Shape.FORCE:
        return inside
    return _chosen(node, source, inside, state, tables)


def _field(name: str, before: Outcome) -> Outcome:
    taken = Taken(before.result, Fields(fields={name: _THERE}))
    return Outcome(before.result.at(name), (*before.taken, taken))


def _chosen(
    node: Node, source: str, before: Outcome, state: State, tables: Mapping[str, Any] | None
) -> Outcome:
    """What predicates and keys read, they read of each element."""
    element = replace(state, body=before.result)
    taken = (
        read
        for child in node.children[1:]
        for read in _taken(child.source(source), element, tables)
    )
    return Outcome(before.result, (*before.taken, *taken))
