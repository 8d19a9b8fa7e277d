"""Results of tests, written for people and for machines."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import click

from isthmus_api.comparison import NOTHING, Difference, Failure
from isthmus_api.model import Model
from isthmus_api.resources import Resource
from isthmus_cli import report
from isthmus_cli.cases import Result

_MAX_DIFFERENCES = 20

Untested = Sequence[Resource[Model]]
"""Objects that hold no tests."""


def as_text(results: Sequence[Result], untested: Untested) -> str:
    """Every test by object, what failed in it, and how many there were."""
    lines: list[str] = []
    for subject, found in groupby(results, key=lambda result: result.case.subject):
        lines.append(click.style(report.printable(subject), bold=True))
        lines += [line for result in found for line in _lines(result)]
        lines.append("")
    lines += _without_tests(untested)
    failed = sum(not result.passed for result in results)
    colour = "red" if failed else "green"
    summary = f"{len(results) - failed} passed, {failed} failed"
    return "\n".join([*lines, click.style(summary, fg=colour, bold=True)])


def as_json(results: Sequence[Result], untested: Untested) -> str:
    """Every test, as one JSON document."""
    failed = sum(not result.passed for result in results)
    document = {
        "tests": [_plain(result) for result in results],
        "summary": {
            "passed": len(results) - failed,
            "failed": failed,
            "withoutTests": [str(resource.key) for resource in untested],
        },
    }
    return json.dumps(document, indent=2)


def _lines(result: Result) -> list[str]:
    name = report.printable(result.case.name)
    if result.passed:
        return [f"  {click.style('ok', fg='green')}    {name}"]
    place = report.printable(str(result.case.location or ""))
    lines = [f"  {click.style('FAIL', fg='red', bold=True)}  {name}", f"        {place}"]
    return lines + [line for failure in result.failures for line in _failure(failure)]


def _failure(failure: Failure) -> list[str]:
    shown = failure.lines[: _MAX_DIFFERENCES + 1]
    lines = [f"        {report.printable(line)}" for line in shown]
    more = len(failure.lines) - len(shown)
    return [*lines, f"          and in {report.number(more, 'more place')}"] if more else lines


def _without_tests(untested: Untested) -> list[str]:
    kinds = sorted({resource.key.kind for resource in untested})
    lines = []
    for kind in kinds:
        names = [report.printable(found.key.name) for found in untested if found.key.kind == kind]
        verb = "has" if len(names) == 1 else "have"
        lines.append(f"{report.number(len(names), kind)} {verb} no tests: {', '.join(names)}")
    return lines


def _plain(result: Result) -> dict[str, Any]:
    location = result.case.location
    return {
        "object": result.case.subject,
        "name": result.case.name,
        "outcome": "passed" if result.passed else "failed",
        "failures": [
            {"message": failure.message, "differences": [_side(d) for d in failure.differences]}
            for failure in result.failures
        ],
        "seconds": round(result.seconds, 6),
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
    }


def _side(difference: Difference) -> dict[str, Any]:
    """A difference; a side that has no value is left out."""
    sides = {"expected": difference.expected, "actual": difference.actual}
    held = {name: value for name, value in sides.items() if value is not NOTHING}
    return {"path": difference.path, **held}
