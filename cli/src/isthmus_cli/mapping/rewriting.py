"""Rewriting: the expressions of a manifest in their layout, and not a character else.

An expression in a block (`|`) is laid out in lines, one that is quoted or plain stays on its line.
What was written is read again: every value but the expressions must be the one that it was.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from isthmus_api import documents, manifests
from isthmus_api.expressions import engine, formatting, holes, templates
from isthmus_api.mapping import MappingSpec
from isthmus_api.model import Model
from isthmus_api.plan import sites
from isthmus_api.plan.site import Inline, Site, Template
from isthmus_api.problems import Location, Problem, errors
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec

_ONE_LINE: Final = 1_000_000
"""Characters of an expression that has to stay on its line."""
_SIMPLE: Final = re.compile(r'(?:[^\\]|\\["\\])*')
"""What double quotes hold without escapes that could be written in another way, too."""


@dataclass(frozen=True, slots=True)
class Left:
    """An expression that stays as it is, and why."""

    location: Location
    reason: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text with its expressions laid out, and what kept some from it."""

    text: str
    left: tuple[Left, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Kept(Exception):
    """An expression must stay as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """Another text for a part of the file, and what the value there becomes."""

    start: int
    end: int
    text: str
    node: yaml.ScalarNode
    value: str


def rewritten(text: str, file: str) -> Rewritten:
    """Lay out the expressions of Mappings and Routes in a text; JSON is left alone."""
    if text.lstrip().startswith("{"):
        return Rewritten(text)
    found = manifests.read(text.encode(), file=file)
    wrong = errors(found.problems)
    if not found.resources:
        return Rewritten(text, problems=wrong)
    scalars = _scalars(text)
    edits: list[_Edit] = []
    left: list[Left] = []
    for resource in found.resources:
        for site in _sites(resource):
            place = resource.origin.locate(site.path) or Location(file)
            node = scalars.get((place.line, place.column))
            try:
                edits += _edits(site, node, text)
            except _Kept as reason:
                left.append(Left(place, str(reason)))
    after = _applied(text, edits)
    if not _is_faithful(text, after, edits):
        return Rewritten(text, (Left(Location(file), "other values would change"),), wrong)
    return Rewritten(after, tuple(left), wrong)


def _sites(resource: Resource[Model]) -> Iterator[Inline | Template]:
    """The places of a resource that hold expressions."""
    match resource.spec:
        case MappingSpec() as spec:
            yield Inline(("spec", "expression"), spec.expression, frozenset())
        case RouteSpec() as spec:
            found: Iterator[Site] = sites.sites(spec)
            try:
                yield from (each for each in found if isinstance(each, Inline | Template))
            except graphlib.CycleError:
                return


def _scalars(text: str) -> dict[tuple[int | None, int | None], yaml.ScalarNode]:
    """The scalars of a text by line and column, as places count them."""
    return {
        (node.start_mark.line + 1, node.start_mark.column + 1): node
        for node in _flat(text)
        if isinstance(node, yaml.ScalarNode)
    }


def _flat(text: str) -> Iterator[yaml.Node]:
    """Every node of every document, in order; what an alias names stands once."""
    seen: dict[int, yaml.Node] = {}
    for document in documents.nodes(text):
        ahead = [document]
        while ahead:
            node = ahead.pop()
            if id(node) in seen:
                continue
            seen[id(node)] = node
            yield node
            if isinstance(node, yaml.MappingNode):
                ahead += [each for pair in reversed(node.value) for each in reversed(pair)]
            elif isinstance(node, yaml.SequenceNode):
                ahead += reversed(node.value)


def _edits(site: Inline | Template, node: yaml.ScalarNode | None, text: str) -> Iterator[_Edit]:
    """What lays out the expressions of a site; nothing where they are."""
    change = _template if isinstance(site, Template) else _expression
    is_block = node is not None and node.style == "|"
    if (isinstance(site, Template) and holes.OPEN not in site.text) or (
        value := change(site.text, is_block)
    ) == site.text:
        return
    if node is None or node.value != site.text:
        raise _Kept("it stands where an alias points to")
    if text[node.start_mark.index] in "&!":
        raise _Kept("it has an anchor or a tag")
    write = _WRITERS.get(node.style or None)
    if write is None:
        raise _Kept("it is folded (>); write it as a block (|)")
    yield write(node, value, text)


def _expression(text: str, is_block: bool) -> str:
    after = _formatted(text, formatting.WIDTH if is_block else _ONE_LINE)
    # How many line feeds end a block is said by its head, and by the lines behind it.
    return after + text[len(text.rstrip("\n")) :] if is_block else after


def _template(text: str, _: bool) -> str:
    try:
        parsed = templates.parse(text)
    except engine.SyntaxFault:
        return text
    parts = (each if isinstance(each, str) else _hole(each.source) for each in parsed.parts)
    after = "".join(parts)
    if [each.source.strip() for each in templates.parse(after).holes] != [
        _formatted(each.source, _ONE_LINE) for each in parsed.holes
    ]:
        raise _Kept("its end (%}) would be read elsewhere")
    return after


def _hole(source: str) -> str:
    if "\n" in source.strip():
        raise _Kept("it has several lines between {% and %}")
    return f"{holes.OPEN} {_formatted(source, _ONE_LINE)} {holes.CLOSE}"


def _formatted(source: str, width: int) -> str:
    try:
        after = formatting.formatted(source, width=width)
    except formatting.Unformattable as reason:
        raise _Kept(str(reason)) from reason
    if width == _ONE_LINE and "\n" in after:
        raise _Kept("it needs several lines; write it as a block (|)")
    return after


def _block(node: yaml.ScalarNode, value: str, text: str) -> _Edit:
    """The lines of a block, indented as they are."""
    head_end = text.index("\n", node.start_mark.index) + 1
    body = text[head_end : node.end_mark.index].rstrip()
    feed = "\r\n" if "\r\n" in text else "\n"
    lines = body.split(feed)
    first = next((line for line in lines if line.strip()), "")
    depth = len(first) - len(first.lstrip(" "))
    if "\n".join(line[depth:] for line in lines).strip() != node.value.strip():
        raise _Kept("its lines are not indented evenly")
    indented = (" " * depth + line if line else "" for line in value.rstrip("\n").split("\n"))
    return _Edit(head_end, head_end + len(body), feed.join(indented), node, value)


def _quoted(quote: str) -> Callable[[yaml.ScalarNode, str, str], _Edit]:
    def write(node: yaml.ScalarNode, value: str, text: str) -> _Edit:
        start, end = node.start_mark.index, node.end_mark.index
        before = text[start + 1 : end - 1]
        if "\n" in before:
            raise _Kept("it has several lines; write it as a block (|)")
        if quote == "'":
            escaped = value.replace("'", "''")
        elif _SIMPLE.fullmatch(before):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        else:
            raise _Kept("it has escapes; write it as a block (|)")
        return _Edit(start, end, f"{quote}{escaped}{quote}", node, value)

    return write


def _plain(node: yaml.ScalarNode, value: str, text: str) -> _Edit:
    start, end = node.start_mark.index, node.end_mark.index
    if text[start:end] != node.value:
        raise _Kept("it has several lines; write it as a block (|)")
    if ": " in value or " #" in value:
        raise _Kept("laid out, it would be no plain text of YAML; write it in quotes")
    return _Edit(start, end, value, node, value)


_WRITERS: Final = {"|": _block, "'": _quoted("'"), '"': _quoted('"'), None: _plain}


def _applied(text: str, edits: list[_Edit]) -> str:
    for each in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: each.start] + each.text + text[each.end :]
    return text


def _is_faithful(before: str, after: str, edits: list[_Edit]) -> bool:
    """Whether a text says what another one said, but for the edits."""
    values = {(e.node.start_mark.line, e.node.start_mark.column): e.value for e in edits}
    wanted = [_said(node, values) for node in _flat(before)]
    try:
        return wanted == [_said(node, {}) for node in _flat(after)]
    except yaml.YAMLError:
        return False


def _said(node: yaml.Node, values: dict[tuple[int, int], str]) -> tuple[str, object]:
    if not isinstance(node, yaml.ScalarNode):
        return str(node.tag), len(node.value)
    place = (node.start_mark.line, node.start_mark.column)
    return str(node.tag), values.get(place, node.value)
