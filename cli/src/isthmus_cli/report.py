"""The report: problems as a compiler prints them, or as JSON for machines.

    route.yaml:14:20  error  ConnectorNotFound  Route default/orders spec.steps[0].call.connector
      there is no Connector 'erb' in this namespace
      14 |     - call: {connector: erb}
         |                         ^
      help: apply it, or name another one; there are: erp

Colours on a terminal, plain text where the output is piped.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import click

from isthmus_api.problems import Location, Problem, Severity

Output = Literal["text", "json"]

Texts = Mapping[str, str]
"""What stands in no file, by the name that places in it have."""

_NO_TEXTS: Texts = MappingProxyType({})
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_WIDTH = 100
"""Columns of a source line that are shown; of a longer one the part around the caret."""


def show(
    problems: Iterable[Problem],
    *,
    output: Output = "text",
    err: bool = False,
    objects: int | None = None,
    others: int = 0,
    open_to_anybody: Sequence[str] | None = None,
    texts: Texts = _NO_TEXTS,
) -> None:
    """Print problems, sorted by place, the Routes that are open, and one line that sums up."""
    ordered = sorted(problems, key=_place)
    if output == "json":
        shown = as_json(ordered, objects=objects, others=others, open_to_anybody=open_to_anybody)
        click.echo(shown, err=err)
        return
    for problem in ordered:
        click.echo(as_text(problem, texts) + "\n", err=err)
    if open_to_anybody:
        click.echo(f"open to anybody: {', '.join(map(printable, open_to_anybody))}", err=err)
    click.echo(summary(ordered, objects=objects, others=others), err=err)


def as_text(problem: Problem, texts: Texts = _NO_TEXTS) -> str:
    """One problem in the words of a compiler."""
    colour = _COLOURS[problem.severity]
    about = " ".join(part for part in (problem.subject, problem.field) if part)
    parts = (
        click.style(printable(str(problem.location)), bold=True) if problem.location else "",
        click.style(problem.severity, fg=colour, bold=True),
        problem.code,
        printable(about),
    )
    lines = ["  ".join(part for part in parts if part), f"  {printable(problem.message)}"]
    lines += excerpt(problem.location, colour=colour, texts=texts) if problem.location else []
    if problem.hint:
        lines.append(f"  {click.style('help:', fg='cyan')} {printable(problem.hint)}")
    return "\n".join(lines)


def as_json(
    problems: Iterable[Problem],
    *,
    objects: int | None = None,
    others: int = 0,
    open_to_anybody: Sequence[str] | None = None,
) -> str:
    """All problems as one JSON document."""
    listed = list(problems)
    errors, warnings = _counts(listed)
    counted = {} if objects is None else {"objects": objects, "others": others}
    is_open = {} if open_to_anybody is None else {"openToAnybody": list(open_to_anybody)}
    document = {
        "problems": [_plain(problem) for problem in listed],
        **is_open,
        "summary": {"errors": errors, "warnings": warnings, **counted},
    }
    return json.dumps(document, indent=2)


def summary(problems: Iterable[Problem], *, objects: int | None = None, others: int = 0) -> str:
    """One line: how much is wrong, in how many objects."""
    errors, warnings = _counts(problems)
    found = f"{number(errors, 'error')}, {number(warnings, 'warning')}"
    if objects is None:
        return found
    left_alone = f" ({number(others, 'other object')} left alone)" if others else ""
    return f"{found} in {number(objects, 'object')}{left_alone}"


def number(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def excerpt(location: Location, *, colour: str = "red", texts: Texts = _NO_TEXTS) -> list[str]:
    """The source line of a place and a caret below its column; nothing where there is none."""
    text = texts.get(location.file)
    lines = _lines(location.file) if text is None else text.splitlines()
    if location.line is None or not 0 < location.line <= len(lines):
        return []
    line = lines[location.line - 1].replace("\t", " ")
    column = min(location.column or 0, len(line) + 1)
    start = max(0, column - _WIDTH * 3 // 4) if len(line) > _WIDTH else 0
    shown = printable(line[start : start + _WIDTH], with_escapes=False)
    number = str(location.line)
    excerpted = [f"  {number} | {shown}".rstrip()]
    if column:
        caret = click.style("^", fg=colour, bold=True)
        excerpted.append(f"  {' ' * len(number)} | {' ' * (column - 1 - start)}{caret}")
    return excerpted


def printable(text: str, *, with_escapes: bool = True) -> str:
    """Text without characters that steer a terminal, which any manifest may hold."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character) if with_escapes else "?"
        for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode-escape").decode("ascii")


def _place(problem: Problem) -> tuple[str, int, int]:
    location = problem.location
    if location is None:
        return ("", 0, 0)
    return (location.file, location.line or 0, location.column or 0)


def _counts(problems: Iterable[Problem]) -> tuple[int, int]:
    severities = [problem.severity for problem in problems]
    return severities.count(Severity.ERROR), severities.count(Severity.WARNING)


def _plain(problem: Problem) -> dict[str, Any]:
    location = problem.location
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "object": problem.subject,
        "field": problem.field,
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
    }


def _lines(file: str) -> list[str]:
    """The lines of a file; none where it cannot be read again, as a pipe cannot."""
    path = Path(file)
    try:
        return _lines_of(path, path.stat().st_mtime_ns) if path.is_file() else []
    except OSError:
        return []


@lru_cache(maxsize=8)
def _lines_of(path: Path, changed: int) -> list[str]:
    """The lines of a file as it was at a time; a watch reports on the same file again."""
    return path.read_bytes().decode("utf-8", "replace").splitlines()
