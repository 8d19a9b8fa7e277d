"""YAML as nodes, within a budget: a text may come from anyone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.composer import Composer

MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 100

RESOLVE: Final = "?"
"""The tag of what was written without a tag or quotes."""
AS_WRITTEN: Final = "!"


class _Nodes(Composer, yaml.CSafeLoader):
    """Parses with libyaml and composes here: libyaml's composer overflows the stack of the process
    on deep nesting, and knows no budget."""

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)
        self._budget = Budget()
        self._depth = 0

    def compose_document(self) -> yaml.Node | None:
        self._budget = Budget()
        return super().compose_document()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._budget.spend(getattr(self.peek_event(), "start_mark", None), self._depth)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Say only what was written without a tag or quotes; `scalars` knows what it means."""
        return RESOLVE if kind is yaml.ScalarNode and implicit[0] else AS_WRITTEN


@dataclass(slots=True)
class Budget:
    """What one document may still unfold to."""

    left: int = MAX_NODES

    def spend(self, mark: Any, depth: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise yaml.MarkedYAMLError(
                problem=f"the document unfolds to more than {MAX_NODES} values; aliases repeat "
                "what they name",
                problem_mark=mark,
                note="split it into several objects",
            )
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"the document nests deeper than {MAX_DEPTH} levels",
                problem_mark=mark,
                note="write it flatter; an alias must not stand inside what it names",
            )


def nodes(text: str) -> Iterator[yaml.Node]:
    """The documents of a text as YAML has them; raises `yaml.YAMLError`."""
    loader = _Nodes(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None and not _is_empty(node):
                yield node
    finally:
        loader.dispose()


def _is_empty(node: yaml.Node) -> bool:
    """Whether there is nothing between two `---`."""
    return isinstance(node, yaml.ScalarNode) and (node.tag, node.value) == (RESOLVE, "")
