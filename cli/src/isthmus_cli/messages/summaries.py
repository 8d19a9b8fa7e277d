"""Summaries: messages and groups as tables.

ID                                ROUTE                  STATE  KEY   AGE  ATTEMPTS  REASON
0198e1f6c3a0b7d2…                 default/orders-to-erp  dead   1001  3m   10        UpstreamStatus
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import click

from isthmus_cli.messages.selection import group_id
from isthmus_cli.report import printable

Fields = dict[str, Any]
Row = Sequence[str]

COLOURS: Final = {
    "dead": "red",
    "rejected": "red",
    "retry": "yellow",
    "finished": "green",
}
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_WIDEST: Final = 60
_STATE_COLUMN: Final = "STATE"


def messages(found: Iterable[Fields]) -> list[str]:
    """A table of messages, the heading included."""
    now = datetime.datetime.now(datetime.UTC)
    head = ("ID", "ROUTE", _STATE_COLUMN, "KEY", "AGE", "ATTEMPTS", "REASON")
    return _table(head, [_message(each, now) for each in found])


def groups(found: Iterable[Fields]) -> list[str]:
    """A table of groups of failures, the largest first."""
    now = datetime.datetime.now(datetime.UTC)
    head = ("GROUP", "MESSAGES", "ROUTE", _STATE_COLUMN, "OLDEST", "NEWEST", "CAUSE")
    return _table(head, [_group(each, now) for each in found])


def acts(found: Iterable[Fields]) -> list[str]:
    """A table of what people did."""
    head = ("AT", "WHO", "ACTION", "ID", "ROUTE", "WHY")
    fields = [name.lower() for name in head]
    return _table(head, [[each[name] for name in fields] for each in found])


def age(moment: str, now: datetime.datetime) -> str:
    """How long ago a time was, in its largest unit."""
    seconds = (now - datetime.datetime.fromisoformat(moment)).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds / size)}{unit}"
    return "0s"


def standing(state: str, *, holds: bool) -> str:
    """A state as people read it: one that holds its key back says so."""
    return f"{state} (holds)" if holds else state


def _message(found: Fields, now: datetime.datetime) -> Row:
    return (
        found["id"],
        found["route"],
        standing(found["state"], holds=found["holds"]),
        found["key"] or "-",
        age(found["acceptedAt"], now),
        str(found["attempts"]),
        found["reason"] or "-",
    )


def _group(found: Fields, now: datetime.datetime) -> Row:
    return (
        group_id(found["group"]),
        str(found["messages"]),
        found["route"],
        found["state"],
        age(found["oldest"], now),
        age(found["newest"], now),
        found["group"] or "-",
    )


def _table(head: Row, rows: Sequence[Row]) -> list[str]:
    shown = [[_cell(cell) for cell in row] for row in rows]
    # The last column may be as wide as it is: nothing stands behind it.
    widths = [max(len(line[at]) for line in (head, *shown)) for at in range(len(head) - 1)]
    state = head.index(_STATE_COLUMN) if _STATE_COLUMN in head else None
    lines = [_line(head, widths, lambda _, text: click.style(text, bold=True))]

    def coloured(at: int, text: str) -> str:
        colour = COLOURS.get(text.split()[0]) if at == state else None
        return click.style(text, fg=colour) if colour else text

    return lines + [_line(row, widths, coloured) for row in shown]


def _line(row: Row, widths: Sequence[int], style: Callable[[int, str], str]) -> str:
    *before, last = row
    cells = (
        style(at, cell.ljust(width))
        for at, (cell, width) in enumerate(zip(before, widths, strict=True))
    )
    return "  ".join((*cells, style(len(before), last)))


def _cell(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
