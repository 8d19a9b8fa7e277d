"""A site: a node of an expression where it stands, and what is found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from isthmus_api.expressions import builtins, engine
from isthmus_api.expressions.syntax import Node, Shape

Severity = Literal["error", "warning"]
Schema = Mapping[str, Any]

STEPS: Final = frozenset(
    {*(Shape.PATH, Shape.FILTER, Shape.FORCE, Shape.GROUP), Shape.FOCUS, Shape.INDEX, Shape.SORT}
)
"""Parts of a path that hand on a value at a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. `hint` is the rewrite; `line` and `column` start at 1."""

    code: str
    severity: Severity
    message: str
    hint: str
    offset: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, and against what."""

    source: str
    variables: frozenset[str]
    functions: frozenset[str]
    money: frozenset[str]
    schema: Schema | None

    @property
    def callables(self) -> frozenset[str]:
        return self.functions | builtins.NAMES

    def text(self, node: Node) -> str:
        return node.source(self.source)


@dataclass(slots=True)
class Scope:
    """The names known at a place. `:=` declares in the nearest frame, `@` and `#` in their path.

    Bodies of functions run later than they are written, so a frame keeps them until all its names
    are known: functions may call each other and themselves.
    """

    parent: Scope | None = None
    is_frame: bool = True
    names: set[str] = field(default_factory=set)
    later: list[tuple[Node, tuple[Node, ...], Scope]] = field(default_factory=list)

    @property
    def frame(self) -> Scope:
        return self if self.is_frame or self.parent is None else self.parent.frame

    def knows(self, name: str) -> bool:
        return name in self.names or (self.parent is not None and self.parent.knows(name))


@dataclass(frozen=True, slots=True)
class Site:
    """A node where it stands: its parents from the root inwards, and the names it may use."""

    node: Node
    parents: tuple[Node, ...]
    scope: Scope
    subject: Subject

    @property
    def parent(self) -> Node | None:
        return self.parents[-1] if self.parents else None

    @property
    def is_callee(self) -> bool:
        parent = self.parent
        return parent is not None and parent.shape is Shape.CALL and parent.children[0] is self.node

    @property
    def callee(self) -> str | None:
        """The function that the node calls."""
        return callee(self.node)

    def finding(
        self, severity: Severity, code: str, message: str, hint: str, node: Node | None = None
    ) -> Finding:
        offset = (node or self.node).start
        line, column = engine.position(self.subject.source, offset)
        return Finding(code, severity, message, hint, offset, line, column)


def callee(node: Node) -> str | None:
    """Give the name of the function that a call calls by variable, also as a step of a path."""
    if node.shape is not Shape.CALL or node.children[0].shape is not Shape.VARIABLE:
        return None
    return node.children[0].text
