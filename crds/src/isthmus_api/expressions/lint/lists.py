"""Lists that collapse: to a value when they have one item, to nothing when they have none."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus_api.expressions.lint.collapse import bindings, collapsing, makes_objects, outcomes
from isthmus_api.expressions.lint.site import Finding, Site
from isthmus_api.expressions.syntax import Node, Shape


def collapsing_list(site: Site) -> Iterator[Finding]:
    """`items.{…}` is an object for one item and absent for none."""
    subject = site.subject
    if subject.schema is not None:
        if site.parent is None:
            found = collapsing(site.node, subject.schema, subject.schema, bindings(site.node))
            yield from (_collapse_finding(site, node) for node in found)
        return
    outputs = [site.node] if site.parent is None else []
    if site.node.shape is Shape.OBJECT:
        outputs.extend(value for _, value in site.node.pairs())
    for node in (outcome for output in outputs for outcome in outcomes(output)):
        if makes_objects(node):
            yield _collapse_finding(site, node)


def _collapse_finding(site: Site, node: Node) -> Finding:
    forced = _is_forced(node)
    written = site.subject.text(node).removesuffix("[]")
    return site.finding(
        "warning",
        "ListCollapses",
        "this list is absent when it has no item"
        if forced
        else "this list becomes a single value when it has one item and is absent when it has none",
        f"[{_shortened(written)}]",
        node,
    )


def _is_forced(node: Node) -> bool:
    """Tell whether a `[]` anywhere in the path keeps the list for one item."""
    match node.shape:
        case Shape.FORCE:
            return True
        case Shape.PATH:
            return any(_is_forced(child) for child in node.children)
        case Shape.SORT | Shape.FILTER | Shape.FOCUS | Shape.INDEX:
            return _is_forced(node.children[0])
        case _:
            return False


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:60]} … {flat[-40:]}"
