"""Drawing: a tree as text for people, or as a graph in the language of Graphviz. Pure."""

import datetime
import json
from collections.abc import Iterator, Sequence
from typing import Final

import click

from isthmus_cli.cluster.standing import Object, State
from isthmus_cli.report import printable
from isthmus_cli.tables import age
from isthmus_cli.traces.gathering import moment
from isthmus_cli.traces.nodes import Node

COLOURS: Final = {
    State.OK: "green",
    State.PENDING: "yellow",
    State.WRONG: "red",
    State.PAUSED: "yellow",
}
_SIDE: Final = "├── ", "│   "
_LAST: Final = "└── ", "    "


def as_text(node: Node, *, before: str = "", below: str = "") -> Iterator[str]:
    """The lines of a tree."""
    state = click.style(f"{node.state:<8}", fg=COLOURS[node.state])
    name = click.style(printable(f"{node.kind}/{node.name}"), bold=True)
    role = f" ({node.role})" if node.role else ""
    yield f"{before}{state}{name}{role}  {printable(node.told)}"
    for index, each in enumerate(node.nodes):
        branch, under = _LAST if index == len(node.nodes) - 1 else _SIDE
        yield from as_text(each, before=below + branch, below=below + under)


def events(found: Sequence[Object], now: datetime.datetime) -> Iterator[str]:
    """The lines of Events, the newest last."""
    for each in found:
        colour = "yellow" if each.get("type") == "Warning" else None
        reason = click.style(printable(f"{each.get('reason', '')}"), fg=colour)
        told = printable(str(each.get("message", "")))
        yield f"  {age(moment(each), now):>4} ago  {reason}  {told}"


def as_dot(node: Node) -> Iterator[str]:
    """The lines of a digraph."""
    yield "digraph isthmus {"
    yield '  rankdir=LR; node [shape=box, fontname="sans-serif"];'
    yield from _dot(node, {})
    yield "}"


def _dot(node: Node, known: dict[int, str]) -> Iterator[str]:
    name = known.setdefault(id(node), f"n{len(known)}")
    label = json.dumps(f"{node.kind}/{node.name}\n{node.told}", ensure_ascii=False)
    yield f"  {name} [label={label}, color={COLOURS[node.state]}];"
    for each in node.nodes:
        yield from _dot(each, known)
        role = f" [label={json.dumps(each.role)}]" if each.role else ""
        yield f"  {name} -> {known[id(each)]}{role};"
