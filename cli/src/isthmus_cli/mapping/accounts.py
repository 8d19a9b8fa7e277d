"""Accounts as they are shown: what an expression reads, and what its parts gave."""

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from isthmus_api.expressions import calls, engine
from isthmus_api.expressions.accounts import Account, Part, Value
from isthmus_api.expressions.engine import Fields
from isthmus_api.problems import Location
from isthmus_cli.mapping import subjects
from isthmus_cli.mapping.subjects import Subject
from isthmus_cli.mapping.trials import Trial
from isthmus_cli.report import printable

_SOURCE: Final = 48
_VALUE: Final = 100
"""Characters of a part, and of its values, that a line shows."""


def reads(trial: Trial) -> Iterator[str]:
    """A line for each thing that an expression reads."""
    found = plain_reads(trial)
    yield f"input      {_listed(found['input'])}"
    for name, fields in found["variables"].items():
        missing = click.style("  has no value", fg="yellow") if name in trial.missing else ""
        yield f"{'$' + name:<10} {_listed(fields)}{missing}"
    if found["tables"]:
        yield f"tables     {', '.join(found['tables'])}"
    if found["mappings"]:
        yield f"Mappings   {', '.join(found['mappings'])}"


def plain_reads(trial: Trial) -> dict[str, Any]:
    """The fields that are read, by what they are read of; `*` is all of it."""
    found = trial.translation.reads
    source = trial.subject.source
    tables = {call.name for call in calls.of(source) if call.function == "table" and call.name}
    return {
        "input": _paths(found.input) if found.input else [],
        "variables": {n: _paths(each) for n, each in sorted(trial.variables_read().items())},
        "everyVariable": found.every_variable,
        "tables": sorted(tables),
        "mappings": list(calls.mappings(source)),
    }


def parts(account: Account, subject: Subject) -> Iterator[str]:
    """A line for each part: where it stands, what it is, what it gave."""
    shown = plain_parts(account, subject)
    places = [f"{each['line']}:{each['column']}" for each in shown]
    width = max(map(len, places), default=0)
    failing = [part for part in account.parts if any(each.error for each in part.values)]
    for number, (part, depth) in enumerate(zip(account.parts, _depths(account), strict=True)):
        source = " ".join(shown[number]["source"].split())
        text = printable(_cut(f"{'  ' * depth}{source}", _SOURCE))
        gave = _gave(part, is_cause=part in failing[-1:])
        yield f"{places[number]:>{width}}  {text:<{_SOURCE}}  {gave}"
    if not account.is_complete:
        yield "There were more steps than are recorded; parts may have given more values."


def plain_parts(account: Account, subject: Subject) -> list[dict[str, Any]]:
    """The parts as JSON has them."""
    return [_plain(part, subject) for part in account.parts]


def _plain(part: Part, subject: Subject) -> dict[str, Any]:
    start, end = part.span
    line, column = engine.position(subject.source, start)
    place = subject.mapping.origin.locate_text(subjects.PATH, line=line, column=column)
    place = place or Location(subjects.ARGUMENT, line, column)
    asked = {"tested": part.tested, "passed": part.passed} if part.tested else {}
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "source": subject.source[start:end],
        "start": start,
        "end": end,
        "times": part.times,
        "values": [_plain_value(each) for each in part.values],
        **asked,
    }


def _plain_value(value: Value) -> dict[str, Any]:
    if value.error is not None:
        return {"error": value.error}
    return {} if value.is_nothing else {"value": value.shown}


def _gave(part: Part, *, is_cause: bool) -> str:
    """The values; why it failed is told of the innermost part alone, where the cause is."""
    if not part.times:
        return click.style("not evaluated", dim=True)
    more = "; …" if part.times > len(part.values) else ""
    text = "; ".join(_written(each, is_cause=is_cause) for each in part.values) + more
    counted = f"{part.times} times: " if part.times > 1 else ""
    passed = f" ({part.passed} of {part.tested} passed)" if part.tested else ""
    failed = any(each.error for each in part.values)
    cut = printable(_cut(f"{counted}{text}", _VALUE)) + passed
    return click.style(cut, fg="red") if failed else cut


def _written(value: Value, *, is_cause: bool) -> str:
    if value.error is not None:
        return f"failed: {value.error}" if is_cause else "failed"
    return "nothing" if value.is_nothing else json.dumps(value.shown, ensure_ascii=False)


def _depths(account: Account) -> Iterator[int]:
    """How many of the parts stand around each one."""
    around: list[int] = []
    for part in account.parts:
        end = part.span[1]
        while around and around[-1] < end:
            around.pop()
        yield len(around)
        around.append(end)


def _paths(read: Fields) -> list[str]:
    """`items.sku`, `items.price`: the leaves of what is read."""
    if read.whole or not read.fields:
        return ["*"] if read.whole else []
    return sorted(path for name, inner in read.fields.items() for path in _below(name, inner))


def _below(name: str, read: Fields) -> Iterator[str]:
    if read.whole or not read.fields:
        yield name
    for inner, fields in () if read.whole else read.fields.items():
        yield from (f"{name}.{path}" for path in _below(inner, fields))


def _listed(paths: list[str]) -> str:
    return printable(", ".join(paths)).replace("*", "all of it") if paths != [] else "nothing of it"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
