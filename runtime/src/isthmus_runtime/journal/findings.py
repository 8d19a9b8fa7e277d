"""Findings: messages as operators see them, and how a row becomes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_runtime.journal.entries import State
from isthmus_runtime.journal.script import Script, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message in a list. `due_in` is for what waits, in seconds; `holds` keeps its key."""

    sequence: int
    uid: str
    route: str
    state: State
    key: str | None
    version: str | None
    identity: str
    accepted_at: float
    changed_at: float
    attempts: int
    reason: str
    detail: str
    group: str
    holds: bool
    due_in: float | None
    size: int
    correlation_id: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first, and where the next page begins."""

    lines: tuple[Line, ...]
    cursor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures of one cause; `sample` is the newest."""

    route: str
    group: str
    reason: str
    state: State
    count: int
    first_at: float
    last_at: float
    sample: str
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How many messages of a Route are in a state."""

    route: str
    state: State
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, as it ended; `journey` is JSON, or nothing."""

    state: State
    reason: str
    detail: str
    group: str
    claimed_at: float | None
    ended_at: float
    number: int
    owner: str | None
    journey: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A body as it was before somebody edited it."""

    number: int
    content_type: str
    body: bytes
    replaced_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What somebody did to a message; `before` and `after` are JSON."""

    at: float
    act: str
    action: str
    who: str
    why: str
    uid: str
    route: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything about one message."""

    line: Line
    content_type: str
    body: bytes
    request: bytes
    trace: str
    attempts: tuple[Attempt, ...]
    revisions: tuple[Revision, ...]
    audit: tuple[Audited, ...]
    ancestors: tuple[Line, ...]
    descendants: tuple[Line, ...]
    correlated: tuple[Line, ...]


_LINE: Final = (
    "SELECT m.sequence, m.uid, m.route, coalesce(q.state, o.state), m.key, m.version, m.identity,"
    " m.accepted_at, coalesce(o.settled_at, q.since), coalesce(q.attempts, o.attempts),"
    " coalesce(o.reason, ''), coalesce(o.detail, ''), coalesce(o.failure_group, ''),"
    " q.state = 'dead', q.due_at - @now, length(m.body), m.correlation_id, m.parent"
)
JOINED: Final = (
    "FROM messages AS m LEFT JOIN queue AS q ON q.sequence = m.sequence"
    " LEFT JOIN outcomes AS o ON o.sequence = m.sequence"
)
"""A message with what it waits for, and what became of it."""


def lines(numbers: Sequence[int]) -> Script[tuple[Line, ...]]:
    """Messages by their numbers, in that order."""
    if not numbers:
        return ()
    rows = yield query(f"{_LINE} {JOINED} WHERE m.sequence IN @numbers($1)", list(numbers))
    found = {row[0]: _line(row) for row in rows}
    return tuple(found[number] for number in numbers if number in found)


def _line(row: Sequence[Any]) -> Line:
    return Line(
        sequence=row[0],
        uid=row[1],
        route=row[2],
        state=State(row[3]),
        key=row[4],
        version=row[5],
        identity=row[6],
        accepted_at=row[7],
        changed_at=row[8],
        attempts=row[9],
        reason=row[10],
        detail=row[11],
        group=row[12],
        holds=bool(row[13]),
        due_in=row[14],
        size=row[15],
        correlation_id=row[16],
        parent=row[17],
    )
