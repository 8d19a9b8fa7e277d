"""Calls: which functions an expression calls, and with what, as it is written.

Also which Mappings it calls: `$mapping` takes a literal name, so that whoever plans, checks or
watches a Mapping knows all it needs without running it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from isthmus_api.expressions import syntax
from isthmus_api.expressions.syntax import Node, Shape

MAPPING = "mapping"
"""The function by which a Mapping calls another one."""
MAX_DEPTH: Final = 16
"""Mappings that may call one another in a row; each needs stack of the process."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function by name."""

    function: str
    arguments: tuple[Node, ...]
    node: Node
    is_chained: bool
    """Whether `~>` puts a value before the arguments: `a ~> $f(b)` is `$f(a, b)`."""

    @property
    def first(self) -> Node | None:
        """The first argument, where it is written."""
        return self.arguments[0] if self.arguments and not self.is_chained else None

    @property
    def name(self) -> str | None:
        """The first argument, where it is a literal string."""
        first = self.first
        return first.text if first and first.shape is Shape.STRING else None


def of(source: str) -> Iterator[Call]:
    """The calls of functions by name; none where the text is beyond our reader."""
    try:
        ahead = [syntax.parse(source)]
    except syntax.Unreadable:
        return
    chained: set[int] = set()
    while ahead:
        node = ahead.pop()
        ahead += node.children
        if node.shape is Shape.BINARY and node.text == "~>":
            chained.add(node.children[1].start)
        if node.shape is Shape.CALL and node.children[0].shape is Shape.VARIABLE:
            callee, *arguments = node.children
            yield Call(callee.text, tuple(arguments), node, node.start in chained)


def mappings(source: str) -> tuple[str, ...]:
    """The names of the Mappings that an expression calls, sorted."""
    if f"${MAPPING}" not in source:
        return ()
    found = {call.name for call in of(source) if call.function == MAPPING}
    return tuple(sorted(name for name in found if name is not None))


def astray(source: str) -> Iterator[Node]:
    """Where `$mapping` stands other than as a call with a literal name."""
    if f"${MAPPING}" not in source:
        return
    named = {c.node.start for c in of(source) if c.function == MAPPING and c.name is not None}
    try:
        ahead = [syntax.parse(source)]
    except syntax.Unreadable:
        return
    while ahead:
        node = ahead.pop()
        ahead += node.children
        if node.shape is Shape.VARIABLE and node.text == MAPPING and node.start not in named:
            yield node
