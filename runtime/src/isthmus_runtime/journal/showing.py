"""Showing: one message with all that is known of it, and what was done, as scripts that read."""

from collections.abc import Sequence
from typing import Any, Final

from isthmus_runtime.journal import journeys
from isthmus_runtime.journal.entries import State
from isthmus_runtime.journal.findings import Attempt, Audited, Line, Record, Revision, lines
from isthmus_runtime.journal.script import Script, query
from isthmus_runtime.journal.searching import Words

NEAR: Final = 10_000
"""How many messages before and after one are looked at for its correlation id."""
RELATIVES: Final = 200

_AUDIT: Final = "SELECT at, act, action, who, why, uid, route, before, after FROM audit"


def show(uid: str) -> Script[Record | None]:
    """Everything about one message, or nothing."""
    rows = yield query(
        "SELECT sequence, content_type, body, request, trace FROM messages WHERE uid = $1", uid
    )
    if not rows:
        return None
    number, content_type, body, request, trace = rows[0]
    [line] = yield from lines([number])
    return Record(
        line=line,
        content_type=content_type,
        body=body,
        request=request,
        trace=trace,
        attempts=(yield from _attempts(number)),
        revisions=(yield from _revisions(number)),
        audit=(yield from _audit_of(uid)),
        ancestors=(yield from _ancestors(line)),
        descendants=(yield from _descendants(line)),
        correlated=(yield from _correlated(line)),
    )


def _attempts(number: int) -> Script[tuple[Attempt, ...]]:
    columns = "state, reason, detail, failure_group, claimed_at, {at}, attempts, owner, journey"
    rows = yield query(
        f"SELECT {columns.format(at='ended_at')}, 0 AS last FROM attempts WHERE sequence = $1"
        f" UNION ALL SELECT {columns.format(at='settled_at')}, 1 FROM outcomes"
        "  WHERE sequence = $1 ORDER BY 10, 6",
        number,
    )
    return tuple(
        Attempt(
            state=State(row[0]),
            reason=row[1],
            detail=row[2],
            group=row[3],
            claimed_at=row[4],
            ended_at=row[5],
            number=row[6],
            owner=row[7],
            journey=journeys.unpack(row[8]),
        )
        for row in rows
    )


def _revisions(number: int) -> Script[tuple[Revision, ...]]:
    rows = yield query(
        "SELECT number, content_type, body, at FROM revisions WHERE sequence = $1 ORDER BY number",
        number,
    )
    return tuple(
        Revision(number=row[0], content_type=row[1], body=row[2], replaced_at=row[3])
        for row in rows
    )


def _audit_of(uid: str) -> Script[tuple[Audited, ...]]:
    rows = yield query(f"{_AUDIT} WHERE uid = $1 ORDER BY id", uid)
    return tuple(_audited(row) for row in rows)


def audit(
    namespace: str | None, *, limit: int, cursor: int | None
) -> Script[tuple[list[Audited], int | None]]:
    """What was done, newest first, and where the next page begins."""
    words = Words()
    said = [f"id < {words.arg(cursor)}"] if cursor is not None else []
    if namespace is not None:
        first, last = words.arg(f"{namespace}/"), words.arg(f"{namespace}0")
        said.append(f"route >= {first} AND route < {last}")
    where = f" WHERE {' AND '.join(said)}" if said else ""
    rows = yield words.query(
        f"{_AUDIT.replace('after', 'after, id')}{where} ORDER BY id DESC LIMIT {int(limit) + 1}"
    )
    more = rows[limit - 1][9] if len(rows) > limit else None
    return [_audited(row) for row in rows[:limit]], more


def _audited(row: Sequence[Any]) -> Audited:
    return Audited(
        at=row[0],
        act=row[1],
        action=row[2],
        who=row[3],
        why=row[4],
        uid=row[5],
        route=row[6],
        before=row[7],
        after=row[8],
    )


def _ancestors(line: Line) -> Script[tuple[Line, ...]]:
    """From the message that fed this one to the first."""
    found: list[Line] = []
    parent = line.parent
    while parent is not None and len(found) < RELATIVES:
        rows = yield query("SELECT sequence FROM messages WHERE uid = $1", parent)
        above = yield from lines([row[0] for row in rows])
        if not above:
            break
        found += above
        parent = above[0].parent
    return tuple(found)


def _descendants(line: Line) -> Script[tuple[Line, ...]]:
    """What this message fed, and what that fed."""
    found: list[Line] = []
    parents = [line.uid]
    while parents and len(found) < RELATIVES:
        rows = yield query(
            "SELECT sequence FROM messages WHERE parent IN @texts($1) AND parent IS NOT NULL"
            " ORDER BY sequence LIMIT $2",
            parents,
            RELATIVES - len(found),
        )
        below = yield from lines([row[0] for row in rows])
        found += below
        parents = [each.uid for each in below]
    return tuple(found)


def _correlated(line: Line) -> Script[tuple[Line, ...]]:
    """Others of the same correlation id that came near it; there is no index of these ids."""
    if not line.correlation_id:
        return ()
    rows = yield query(
        "SELECT sequence FROM messages WHERE sequence > $1 AND sequence < $2"
        " AND correlation_id = $3 AND sequence <> $4 ORDER BY sequence LIMIT $5",
        line.sequence - NEAR,
        line.sequence + NEAR,
        line.correlation_id,
        line.sequence,
        RELATIVES,
    )
    return (yield from lines([row[0] for row in rows]))
