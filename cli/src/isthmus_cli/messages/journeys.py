"""Journeys: one message and everything that happened to it, to read from top to bottom."""

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from isthmus_cli.messages import summaries
from isthmus_cli.messages.summaries import COLOURS, standing
from isthmus_cli.report import number, printable

Fields = dict[str, Any]

WIDEST: Final = 2_000
"""Characters of a value's line that are shown; `-o json` has all of them."""
_LONGEST: Final = 400
"""Lines of a value."""


def text(shown: Fields) -> str:
    """What `show` was answered."""
    return "\n".join(_lines(shown))


def draft(shown: Fields) -> str:
    """A message that is not accepted yet."""
    fields = ("route", "key", "version")
    lines = [f"  {name:<9} {printable(str(shown[name]))}" for name in fields if shown[name]]
    return "\n".join((*lines, "", *_body(shown)))


def _lines(shown: Fields) -> Iterator[str]:
    message = shown["message"]
    yield click.style(f"Message {message['id']}", bold=True)
    yield from _standing(message)
    yield ""
    yield from _body(message)
    for attempt in shown["attempts"]:
        yield ""
        yield from _attempt(attempt)
    if shown["acts"]:
        yield ""
        yield click.style("By hand", bold=True)
        yield from map(_act, shown["acts"])
    for title, field in (
        ("Came from", "cameFrom"),
        ("Led to", "ledTo"),
        ("Of the same trace", "correlated"),
    ):
        if shown[field]:
            yield ""
            yield click.style(title, bold=True)
            yield from (f"  {line}" for line in summaries.messages(shown[field]))


def _standing(message: Fields) -> Iterator[str]:
    attempts = number(message["attempts"], "attempt")
    state = _coloured(message["state"], standing(message["state"], holds=message["holds"]))
    reason = f": {message['reason']}" if message["reason"] else ""
    yield f"  state     {state} since {message['since']}, after {attempts}{printable(reason)}"
    if message["detail"]:
        yield f"            {printable(message['detail'])}"
    if message["dueInSeconds"] is not None:
        yield f"  due       in {max(0.0, message['dueInSeconds']):.0f} s"
    yield f"  route     {printable(message['route'])}"
    for name, field in (
        ("key", "key"),
        ("version", "version"),
        ("identity", "identity"),
        ("accepted", "acceptedAt"),
        ("trace", "correlationId"),
        ("group", "group"),
    ):
        if message[field]:
            yield f"  {name:<9} {printable(str(message[field]))}"


def _body(message: Fields) -> Iterator[str]:
    size = number(message["size"], "byte")
    edited = f", edited {number(message['edits'], 'time')}" if message.get("edits") else ""
    yield click.style("Body", bold=True) + printable(f" ({message['contentType']}, {size}{edited})")
    if message["bodyIs"] == "withheld":
        yield f"  not shown: {printable(message['withheld'])}"
    else:
        yield from _value(message["body"], indent=2)


def _attempt(attempt: Fields) -> Iterator[str]:
    head = click.style(f"Attempt {attempt['attempt']}", bold=True)
    took = f", {attempt['seconds']:.3f} s" if attempt["seconds"] is not None else ""
    owner = f" in {printable(attempt['owner'])}" if attempt["owner"] else ""
    yield f"{head}  {attempt['endedAt']}{took}{owner}"
    reason = f": {attempt['reason']}" if attempt["reason"] else ""
    yield f"  {_coloured(attempt['state'], attempt['state'] + printable(reason))}"
    if attempt["detail"]:
        yield f"  {printable(attempt['detail'])}"
    journey = attempt["journey"]
    if "cut" in journey:
        yield f"  the journey had {number(journey['bytes'], 'byte')}; its beginning:"
        yield from _value(journey["beginning"], indent=4)
        return
    for step in journey.get("steps", ()):
        yield from _step(step)
    if omitted := journey.get("omittedSteps"):
        yield f"  and {number(omitted, 'more step')}"


def _step(step: Fields) -> Iterator[str]:
    into = f", into ${step['into']}" if "into" in step else ""
    yield f"  {click.style(printable(step['step']), fg='cyan')}  {_ms(step)}{printable(into)}"
    yield from _part(step, "input")
    for call in step.get("calls", ()):
        yield from _call(call)
    if omitted := step.get("omittedCalls"):
        yield f"    and {number(omitted, 'more call')}"
    yield from _failure(step.get("failure"))
    yield from _part(step, "output")


def _call(call: Fields) -> Iterator[str]:
    answered = f"-> {call['status']}" if "status" in call else "-> no answer"
    reason = f" {call['reason']}" if "reason" in call else ""
    sent = f"{call['method']} {call['connector']} {call['path']}"
    yield f"    {printable(f'{sent} {answered}{reason}')}  {_ms(call)}"
    yield from _part(call, "answer", indent=6)


def _failure(failure: Fields | None) -> Iterator[str]:
    if not failure:
        return
    handled = ", handled by onError" if failure.get("handled") else ""
    detail = f": {failure['detail']}" if failure.get("detail") else ""
    yield click.style(f"    {printable(failure['reason'] + detail + handled)}", fg="red")
    known = {"reason", "detail", "step", "connector", "handled"}
    if more := {name: value for name, value in failure.items() if name not in known}:
        yield from _value(more, indent=6)


def _part(fields: Fields, name: str, *, indent: int = 4) -> Iterator[str]:
    """A body that is there, or was too large to keep."""
    if name in fields:
        yield f"{' ' * indent}{name}"
        yield from _value(fields[name], indent=indent + 2)
    elif f"{name}Size" in fields:
        yield f"{' ' * indent}{name}: {number(fields[f'{name}Size'], 'byte')}, not kept"


def _value(value: Any, *, indent: int) -> Iterator[str]:
    is_text = isinstance(value, str)
    whole = value if is_text else json.dumps(value, indent=2, ensure_ascii=False)
    lines = whole.splitlines()
    for line in lines[:_LONGEST]:
        cut = line if len(line) <= WIDEST else line[:WIDEST] + "…"
        yield " " * indent + printable(cut)
    if len(lines) > _LONGEST:
        yield f"{' ' * indent}and {number(len(lines) - _LONGEST, 'more line')}; -o json has all"


def _act(act: Fields) -> str:
    why = f": {act['why']}" if act["why"] else ""
    body = ", with another body" if "body" in act["after"] else ""
    before = act["before"].get("state", "none")
    change = f" ({before} -> {act['after']['state']}{body})"
    return f"  {act['at']}  {act['action']} by {printable(act['who'] + why + change)}"


def _ms(fields: Fields) -> str:
    return click.style(f"{fields['ms']:g} ms", dim=True)


def _coloured(state: str, text: str) -> str:
    colour = COLOURS.get(state)
    return click.style(text, fg=colour) if colour else text
