"""Summaries: messages and groups as tables.

ID                                ROUTE                  STATE  KEY   AGE  ATTEMPTS  REASON
0198e1f6c3a0b7d2…                 default/orders-to-erp  dead   1001  3m   10        UpstreamStatus
"""

import datetime
from collections.abc import Iterable
from typing import Any, Final

from isthmus_cli.messages.selection import group_id
from isthmus_cli.tables import Row, age, table

Fields = dict[str, Any]

COLOURS: Final = {
    "dead": "red",
    "rejected": "red",
    "retry": "yellow",
    "finished": "green",
}
_STATE_COLUMN: Final = "STATE"


def messages(found: Iterable[Fields]) -> list[str]:
    """A table of messages, the heading included."""
    now = datetime.datetime.now(datetime.UTC)
    head = ("ID", "ROUTE", _STATE_COLUMN, "KEY", "AGE", "ATTEMPTS", "REASON")
    rows = [_message(each, now) for each in found]
    return table(head, rows, column=_STATE_COLUMN, colours=COLOURS)


def groups(found: Iterable[Fields]) -> list[str]:
    """A table of groups of failures, the largest first."""
    now = datetime.datetime.now(datetime.UTC)
    head = ("GROUP", "MESSAGES", "ROUTE", _STATE_COLUMN, "OLDEST", "NEWEST", "CAUSE")
    rows = [_group(each, now) for each in found]
    return table(head, rows, column=_STATE_COLUMN, colours=COLOURS)


def acts(found: Iterable[Fields]) -> list[str]:
    """A table of what people did."""
    head = ("AT", "WHO", "ACTION", "ID", "ROUTE", "WHY")
    fields = [name.lower() for name in head]
    return table(head, [[each[name] for name in fields] for each in found])


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
