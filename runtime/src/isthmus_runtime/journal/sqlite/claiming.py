"""Claiming: due messages are given to a worker, oldest first, one of a key at a time if asked.

With order per key a message has its turn when no older one of its key is open and none is being
worked on. A claim looks at due messages from the front and notes what it found in `turn`: those
that wait for another of their key leave the index of due ones, so the next claim does not pass by
them again, however many there are. Who takes the one in front away lets the next have its turn.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final

from isthmus_runtime.journal import compositions
from isthmus_runtime.journal.entries import Claim, Latest, Message
from isthmus_runtime.journal.sqlite.pen import Pen, numbers, play

_WINDOW: Final = 64

_DUE: Final = (
    "SELECT sequence, state, token, owner, since, attempts FROM queue"
    " WHERE route = ? AND turn < 2 AND due_at <= ? ORDER BY due_at, sequence LIMIT ?"
)
# `turn > 0` is said although `turn = 1` implies it: SQLite uses a partial index only when told so.
_OF_KEY: Final = "FROM queue AS o WHERE o.key = d.key AND o.route = ?1 AND o.turn > 0"
_DUE_IN_ORDER: Final = (
    "WITH due AS MATERIALIZED (SELECT *, min(sequence) OVER (PARTITION BY key) AS first FROM"
    "  (SELECT * FROM queue WHERE route = ?1 AND turn < 2 AND due_at <= ?2"
    "   ORDER BY due_at, sequence LIMIT ?3))"
    " SELECT d.sequence, d.state, d.token, d.owner, d.since, d.attempts,"
    " d.key IS NOT NULL AND d.sequence > min(d.first,"
    f" coalesce((SELECT min(o.sequence) {_OF_KEY} AND o.turn = 1), d.sequence),"
    f" coalesce((SELECT min(o.sequence) {_OF_KEY} AND o.turn = 2), d.sequence)),"
    f" EXISTS (SELECT 1 {_OF_KEY} AND o.turn = 1 AND o.state = 'processing'"
    "   AND o.sequence <> d.sequence AND o.due_at > ?2)"
    " FROM due AS d ORDER BY d.due_at, d.sequence"
)
_BEHIND: Final = (
    "UPDATE queue SET turn = 2, token = 0,"
    " state = CASE state WHEN 'processing' THEN 'retry' ELSE state END"
    " WHERE sequence IN (SELECT value FROM json_each(?))"
)
_TAKE: Final = (
    "UPDATE queue SET state = 'processing', token = ?, owner = ?, since = ?, due_at = ?,"
    " attempts = attempts + 1, turn = ? WHERE sequence IN (SELECT value FROM json_each(?))"
)
_LOST: Final = (
    "INSERT INTO attempts (sequence, token, state, reason, detail, failure_group, claimed_at,"
    " ended_at, attempts, owner, journey) VALUES (?, ?, 'retry', 'ClaimLost',"
    " 'The process that had it did not come back.', '', ?, ?, ?, ?, x'')"
)
_MESSAGES: Final = (
    "SELECT m.route, m.uid, m.sequence, q.token, m.identity, m.body, m.content_type, m.request,"
    " m.key, m.version, m.correlation_id, m.trace, m.parent, q.attempts, m.accepted_at, q.since"
    " FROM queue AS q JOIN messages AS m USING (sequence)"
    " WHERE q.sequence IN (SELECT value FROM json_each(?)) ORDER BY q.sequence"
)
_NOTES: Final = (
    "SELECT m.sequence, l.identity, l.version, EXISTS ("
    "  SELECT 1 FROM deliveries AS d WHERE d.route = m.route AND d.identity = m.identity)"
    " FROM messages AS m LEFT JOIN latest AS l ON l.route = m.route AND l.key = m.key"
    " WHERE m.sequence IN (SELECT value FROM json_each(?))"
)


_MATES: Final = (
    "SELECT q.sequence, q.state, q.token, q.owner, q.since, q.attempts, c.key"
    " FROM compositions AS c JOIN queue AS q USING (sequence)"
    " WHERE c.key IN (SELECT value FROM json_each(?2)) AND q.route = ?1"
    " AND (q.state = 'retry' AND q.turn < 2 OR q.state = 'processing' AND q.due_at <= ?3)"
)
_ALONE: Final = (
    f" AND NOT EXISTS (SELECT 1 {_OF_KEY.replace('d.', 'q.')} AND o.sequence <> q.sequence"
    "  AND (o.sequence < q.sequence OR o.state = 'processing' AND o.due_at > ?3))"
)


def claim(pen: Pen, wish: Claim) -> list[Message]:
    """Take due messages."""
    taken = _in_order(pen, wish) if wish.serial else _any(pen, wish)
    if not taken:
        return []
    claimed = _take(pen, wish, taken)
    return _with_mates(pen, wish, claimed) if wish.composed else claimed


def _with_mates(pen: Pen, wish: Claim, claimed: list[Message]) -> list[Message]:
    """Take along what is to come together with what was claimed; in order only who has its
    turn."""
    known = play(pen, compositions.of([each.sequence for each in claimed]))
    if not known:
        return claimed
    choice = compositions.choose(claimed, known, limit=wish.limit)
    release(pen, choice.surplus)
    keys = json.dumps([each.key for each in choice.compositions])
    rows = pen.all(_MATES + _ALONE * wish.serial, wish.route, keys, pen.now)
    of = {row[0]: row[6] for row in rows}
    mates = _take(pen, wish, rows) if rows else []
    return compositions.complete(choice, [(each, of[each.sequence]) for each in mates])


def _take(pen: Pen, wish: Claim, taken: Sequence[Sequence[Any]]) -> list[Message]:
    _note_lost(pen, taken)
    chosen = numbers(row[0] for row in taken)
    token = secrets.randbits(62) + 1
    pen.all(_TAKE, token, wish.owner, pen.now, pen.now + wish.lease, int(wish.serial), chosen)
    rows = pen.all(_MESSAGES, chosen)
    notes = _notes(pen, chosen) if wish.notes else {}
    return [message(row, notes.get(row[2])) for row in rows]


def message(row: Sequence[Any], noted: tuple[Latest | None, bool] | None) -> Message:
    """A message from a row of `_MESSAGES`."""
    latest, delivered = noted or (None, False)
    return Message(
        route=row[0],
        uid=row[1],
        sequence=row[2],
        token=row[3],
        identity=row[4],
        body=row[5],
        content_type=row[6],
        request=row[7],
        key=row[8],
        version=row[9],
        correlation_id=row[10],
        trace=row[11],
        parent=row[12],
        attempt=row[13],
        accepted_at=row[14],
        claimed_at=row[15],
        latest=latest,
        delivered=delivered,
    )


def _any(pen: Pen, wish: Claim) -> list[Any]:
    if pen.serial.get(wish.route, True):  # it may have been in order, and is not any more
        pen.serial[wish.route] = False
        pen.all("UPDATE queue SET turn = 0 WHERE route = ? AND turn = 2", wish.route)
    return pen.all(_DUE, wish.route, pen.now, wish.limit)


def _in_order(pen: Pen, wish: Claim) -> list[Any]:
    """Look at windows of due messages until enough have their turn, or nothing new is seen."""
    if not pen.serial.get(wish.route):  # what was claimed without order counts from now on
        pen.serial[wish.route] = True
        looked_at = "UPDATE queue SET turn = 1 WHERE route = ? AND turn = 0 AND state <> 'new'"
        pen.all(looked_at, wish.route)
    window = max(_WINDOW, 2 * wish.limit)
    while True:
        rows = pen.all(_DUE_IN_ORDER, wish.route, pen.now, window)
        behind = [row[0] for row in rows if row[6]]
        if behind:
            pen.all(_BEHIND, numbers(behind))
        taken = [row for row in rows if not row[6] and not row[7]][: wish.limit]
        if len(taken) == wish.limit or len(rows) < window or not behind:
            return taken


def _note_lost(pen: Pen, taken: Iterable[Sequence[Any]]) -> None:
    lost = [
        (sequence, token, since, pen.now, attempts, owner)
        for sequence, state, token, owner, since, attempts, *_ in taken
        if state == "processing"
    ]
    if lost:
        pen.each(_LOST, lost)


def _notes(pen: Pen, chosen: str) -> dict[int, tuple[Latest | None, bool]]:
    return {
        sequence: (
            None if identity is None else Latest(version=version, identity=identity),
            bool(delivered),
        )
        for sequence, identity, version, delivered in pen.all(_NOTES, chosen)
    }


def extend(pen: Pen, messages: Iterable[Message], lease: float) -> None:
    """Keep claims."""
    pen.each(
        "UPDATE queue SET due_at = ? WHERE sequence = ? AND token = ?",
        [(pen.now + lease, each.sequence, each.token) for each in messages],
    )


def release(pen: Pen, messages: Iterable[Message], *, after: float = 0.0) -> None:
    """Give claims back; the attempt does not count."""
    for each in messages:
        gone = pen.all(
            "UPDATE queue SET state = CASE attempts WHEN 1 THEN 'new' ELSE 'retry' END,"
            " token = 0, owner = NULL, attempts = attempts - 1, due_at = ?1 + ?4, since = ?1"
            " WHERE sequence = ?2 AND token = ?3 RETURNING route",
            pen.now,
            each.sequence,
            each.token,
            after,
        )
        if not after:
            pen.woken.update(row[0] for row in gone)


def forget_claims(pen: Pen) -> None:
    """At the start, what is claimed was claimed by a process that is gone: it is due at once."""
    pen.all("UPDATE queue SET due_at = ? WHERE state = 'processing'", pen.now)
