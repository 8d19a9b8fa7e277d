"""Writing: findings as text, as Markdown for a merge request, and as JSON. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import click

from isthmus_api.problems import Problem
from isthmus_cli.diffs import pages
from isthmus_cli.diffs.findings import Findings
from isthmus_cli.diffs.pages import Entry, Line
from isthmus_cli.diffs.workloads import Workload
from isthmus_cli.report import printable

MAX_ENTRIES: Final = 50
"""Of one section in Markdown: a comment has an end (65,536 characters at GitHub)."""

_COLOURS: Final = {"+": "green", "-": "red"}
_BACKTICKS: Final = re.compile(r"`+")


def as_text(findings: Findings) -> str:
    """For a terminal."""
    lines: list[str] = []
    for section in pages.sections(findings):
        lines.append(click.style(section.title, bold=True))
        for entry in section.entries:
            lines.append(f"  {click.style(printable(entry.subject), bold=True)}  {_said(entry)}")
            lines += [f"    {text}" for line in entry.lines for text in _of_line(line)]
        if section.closing:
            lines.append(f"  {section.closing}")
        lines.append("")
    return "\n".join([*lines, click.style(pages.summary(findings), bold=True)])


def as_markdown(findings: Findings, *, title: str) -> str:
    """For the description of a merge request, or a comment on it."""
    lines = [f"## {_escaped(title)}", "", pages.summary(findings), ""]
    for section in pages.sections(findings):
        lines += [f"### {section.title}", ""]
        for entry in section.entries[:MAX_ENTRIES]:
            lines += _item(entry)
        if len(section.entries) > MAX_ENTRIES:
            lines.append(f"- and {len(section.entries) - MAX_ENTRIES} more")
        if section.entries:
            lines.append("")
        if section.closing:
            lines += [section.closing, ""]
    return "\n".join(lines).rstrip("\n")


def as_json(findings: Findings) -> str:
    """For machines; nothing is cut."""
    document = {
        "same": findings.is_same,
        "objects": [
            {
                "object": each.subject,
                "change": each.verb,
                "fields": [change.plain() for change in each.changes],
            }
            for each in findings.objects
        ],
        "routes": [_plain(each) for each in findings.workloads],
        "capacity": {
            "old": findings.old.plain(),
            "new": findings.new.plain(),
            "podsWhileRollingOut": findings.restarts,
        },
        "messages": [
            {
                "object": str(each.trial.key),
                "kind": each.trial.kind,
                "name": each.trial.name,
                "fields": [change.plain() for change in each.changes],
            }
            for each in findings.differing
        ],
        "compared": dict(findings.trials),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _said(entry: Entry) -> str:
    return printable(entry.told)


def _of_line(line: Line) -> Iterator[str]:
    if not line.patch:
        yield printable(line.text)
        return
    yield f"{printable(line.text)}:"
    for each in line.patch:
        text = printable(each)
        yield f"  {click.style(text, fg=_COLOURS.get(each[:1]))}"


def _item(entry: Entry) -> Iterator[str]:
    yield f"- **{_escaped(entry.subject)}** {_escaped(entry.told)}"
    for line in entry.lines:
        yield f"  - {_code(printable(line.text))}"
        if line.patch:
            fence = _fence("\n".join(line.patch), least=3)
            yield f"    {fence}diff"
            yield from (f"    {printable(each)}" for each in line.patch)
            yield f"    {fence}"


def _code(text: str) -> str:
    """A code span: what is in it has no meaning for Markdown."""
    fence = _fence(text, least=1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _fence(text: str, *, least: int) -> str:
    longest = max((len(each) for each in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|@])", r"\\\1", printable(text))


def _plain(found: Workload) -> dict[str, Any]:
    return {
        "route": str(found.key),
        "effect": found.effect,
        "old": found.old.plain(),
        "new": found.new.plain(),
        "reasons": [
            {"object": each.subject, "field": each.path or None, "note": each.note or None}
            for each in found.reasons
        ],
        "children": [{"object": each.name, "change": each.verb} for each in found.children],
        "problems": [_problem(each) for each in found.problems],
    }


def _problem(found: Problem) -> dict[str, Any]:
    return {
        "code": found.code,
        "object": found.subject,
        "field": found.field,
        "message": found.message,
    }
