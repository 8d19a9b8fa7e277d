"""Accepting: drafts become messages."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from isthmus_runtime.journal.entries import Draft, fitting
from isthmus_runtime.journal.sqlite.pen import Pen

MESSAGE: Final = (
    "INSERT INTO messages (sequence, uid, route, key, version, identity, content_type, body,"
    " request, correlation_id, trace, parent, accepted_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
QUEUE: Final = (
    "INSERT INTO queue (sequence, route, key, run, state, turn, due_at, since, attempts, token)"
    " VALUES (?, ?, ?, ?, 'new', 0, ?, ?, 0, 0)"
)
_KNOWN: Final = (
    "SELECT CASE WHEN coalesce(q.sequence, o.sequence) IS NOT NULL THEN l.coming END,"
    " CASE WHEN q.sequence IS NULL THEN l.identity END FROM latest AS l"
    " LEFT JOIN queue AS q ON q.sequence = l.coming_sequence AND q.state <> 'dead'"
    " LEFT JOIN outcomes AS o ON o.sequence = l.coming_sequence AND o.state <> 'finished'"
    " WHERE l.route = ? AND l.key = ?"
)
_COMING: Final = (
    "INSERT INTO latest (route, key, at, coming, coming_sequence) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (route, key) DO UPDATE SET coming = excluded.coming,"
    " coming_sequence = excluded.coming_sequence"
)


def first_free(db: sqlite3.Connection) -> int:
    """The number that the next message gets; none comes twice."""
    [top] = db.execute(
        "SELECT max(coalesce((SELECT max(sequence) FROM messages), 0),"
        " coalesce((SELECT CAST(value AS integer) FROM meta WHERE name = 'pruned'), 0))"
    ).fetchone()
    return int(top) + 1


def accept(pen: Pen, calls: Sequence[Sequence[Draft]]) -> list[int]:
    """Write the drafts of several calls; for each how many were not passed over."""
    messages: list[tuple[Any, ...]] = []
    queue: list[tuple[Any, ...]] = []
    coming: dict[tuple[str, str], tuple[str, int]] = {}
    counts = []
    for drafts in calls:
        count = 0
        for draft in _new(pen, drafts):
            key = None if draft.key is None else fitting(draft.key)
            sequence = pen.next_sequence
            if draft.once and key is not None:
                if _is_known(pen, draft, key, coming):
                    continue
                coming[draft.route, key] = draft.identity, sequence
            count += 1
            pen.next_sequence += 1
            messages.append(message(draft, key, sequence, pen.now))
            queue.append((sequence, draft.route, key, draft.run, pen.now, pen.now))
            pen.backlog[draft.route] += 1
        counts.append(count)
    pen.each(MESSAGE, messages)
    pen.each(QUEUE, queue)
    pen.each(_COMING, [(*place, pen.now, *what) for place, what in coming.items()])
    return counts


def _new(pen: Pen, drafts: Sequence[Draft]) -> Sequence[Draft]:
    """Drafts that are not there yet, which matters only when something failed."""
    if not pen.careful:
        return drafts
    known = "SELECT 1 FROM messages WHERE uid = ?"
    harmless = {draft.uid: draft.harmless() for draft in drafts}
    return [draft for draft in harmless.values() if not pen.all(known, draft.uid)]


def message(draft: Draft, key: str | None, sequence: int, now: float) -> tuple[Any, ...]:
    """The row of a message."""
    return (
        sequence,
        draft.uid,
        draft.route,
        key,
        draft.version,
        draft.identity,
        draft.content_type,
        draft.body,
        draft.request,
        draft.correlation_id,
        draft.trace,
        draft.parent,
        now,
    )


def _is_known(
    pen: Pen, draft: Draft, key: str, coming: dict[tuple[str, str], tuple[str, int]]
) -> bool:
    """Whether the newest of its key is the same: of this transaction, under way, failed, or
    delivered."""
    here = coming.get((draft.route, key))
    if here:
        return here[0] == draft.identity
    return any(draft.identity in row for row in pen.all(_KNOWN, draft.route, key))
