"""Accounts out of the audit that jlens keeps of an evaluation at its level `full`.

An audit is a tree of what was evaluated, by order of events; the same part may be in it many times.
A step of a path gives its value before its own predicates: such steps are not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import jlens

from isthmus_api.expressions import accounts
from isthmus_api.expressions.accounts import Account, Part, Span, Value

LIMITS: Final[jlens.CaptureLimits] = {
    "max_items": 5,
    "max_string": 120,
    "max_depth": 3,
    "max_rejected": 1,
    "max_nodes": 20_000,
    "max_source": 1,
}
VALUES: Final = 3
"""Values of a part that are kept; of the others the number is told."""

_LEFT_OUT: Final = frozenset({"string", "number", "value", "lambda", "regex"})
_FUNCTION: Final = "<function>"


def account(source: str, audit: Mapping[str, Any]) -> Account:
    """The account that an audit holds."""
    record = _Record()
    record.take(audit["root"])
    parts = tuple(record.parts())
    if audit["truncated"]:
        return Account(accounts.ordered(parts), is_complete=False)
    return accounts.complete(source, parts, frozenset(record.seen))


class _Record:
    """Values by the place of the part that gave them."""

    def __init__(self) -> None:
        self.seen: set[Span] = set()
        self._values: dict[Span, list[Value]] = {}
        self._places: dict[int, Span] = {}
        self._tested: dict[int, tuple[int, int]] = {}

    def take(self, root: Mapping[str, Any]) -> None:
        """Take in what a node and those below it gave."""
        ahead = [(root, "")]
        while ahead:
            node, around = ahead.pop()
            span = (node["span"]["start"], node["span"]["end"])
            self.seen.add(span)
            self._places[node["node"]] = span
            for each in node.get("filters", ()):
                tested, passed = self._tested.get(each["node"], (0, 0))
                self._tested[each["node"]] = tested + each["tested"], passed + each["passed"]
            if _is_shown(node, around):
                self._values.setdefault(span, []).append(_value(node))
            ahead += [(child, node["kind"]) for child in reversed(node.get("children", ()))]

    def parts(self) -> Iterator[Part]:
        """What was taken in, part by part."""
        counts = {self._places[at]: count for at, count in self._tested.items()
                  if at in self._places}  # fmt: skip
        for span, values in self._values.items():
            tested, passed = counts.get(span, (0, 0))
            kept = (*values[:VALUES], *(each for each in values[VALUES:] if each.error))
            yield Part(span, len(values), kept, tested, passed)


def _is_shown(node: Mapping[str, Any], around: str) -> bool:
    kind = node["kind"]
    if kind in _LEFT_OUT or (around == "path" and kind in ("name", "variable")):
        return False
    return node.get("output") != _FUNCTION


def _value(node: Mapping[str, Any]) -> Value:
    if node["outcome"] == "error":
        return Value(error=str(node["error"]["message"]))
    if node["outcome"] == "undefined":
        return Value(is_nothing=True)
    return Value(node.get("output"))
