"""Null: what is missing is not null."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from isthmus_api.expressions.lint.site import Finding, Site, callee
from isthmus_api.expressions.syntax import Node, Shape

_READ: Final = frozenset({Shape.NAME, Shape.VARIABLE, Shape.PATH})


def not_null(site: Site) -> Iterator[Finding]:
    """`note != null` is true where there is no note at all."""
    node = site.node
    if node.shape is not Shape.BINARY or node.text != "!=":
        return
    values = [each for each in node.children if not _is_null(each)]
    if len(values) != 1 or values[0].shape not in _READ:
        return
    written = site.subject.text(values[0])
    if not any(_asks_whether_it_is_there(site, parent, written) for parent in site.parents):
        yield site.finding(
            "warning",
            "NotNull",
            f"this is true where there is no {written}, too",
            f"$exists({written}) and {site.subject.text(node)}",
        )


def _is_null(node: Node) -> bool:
    return node.shape is Shape.CONSTANT and node.text == "null"


def _asks_whether_it_is_there(site: Site, node: Node, written: str) -> bool:
    asked = (each for each in node.children if callee(each) == "exists" and len(each.children) > 1)
    return any(site.subject.text(each.children[1]) == written for each in asked)
