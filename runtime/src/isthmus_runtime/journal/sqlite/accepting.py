"""Accepting: drafts become messages."""

from collections.abc import Sequence
from typing import Any, Final

from isthmus_runtime.journal.entries import Draft, fitting
from isthmus_runtime.journal.sqlite.pen import Pen

_MESSAGE: Final = (
    "INSERT INTO messages (sequence, uid, route, key, version, identity, content_type, body,"
    " request, correlation_id, trace, parent, accepted_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_QUEUE: Final = (
    "INSERT INTO queue (sequence, route, key, run, state, behind, due_at, since, attempts, token)"
    " VALUES (?, ?, ?, ?, 'new', 0, ?, ?, 0, 0)"
)
_KNOWN: Final = (
    "SELECT coalesce("
    " (SELECT m.identity FROM queue AS q JOIN messages AS m USING (sequence)"
    "  WHERE q.key = ?1 AND q.route = ?2 AND q.state <> 'dead' ORDER BY q.sequence DESC LIMIT 1),"
    " (SELECT identity FROM latest WHERE route = ?2 AND key = ?1))"
)


def accept(pen: Pen, calls: Sequence[Sequence[Draft]]) -> list[int]:
    """Write the drafts of several calls; for each how many were not passed over."""
    messages: list[tuple[Any, ...]] = []
    queue: list[tuple[Any, ...]] = []
    seen: dict[tuple[str, str], str] = {}
    counts = []
    for drafts in calls:
        count = 0
        for draft in _new(pen, drafts):
            key = None if draft.key is None else fitting(draft.key)
            if key is not None:
                if draft.once and _is_known(pen, draft, key, seen):
                    continue
                seen[draft.route, key] = draft.identity
            count += 1
            sequence = pen.next_sequence
            pen.next_sequence += 1
            messages.append(_message(draft, key, sequence, pen.now))
            queue.append((sequence, draft.route, key, draft.run, pen.now, pen.now))
            pen.backlog[draft.route] += 1
        counts.append(count)
    pen.each(_MESSAGE, messages)
    pen.each(_QUEUE, queue)
    return counts


def _new(pen: Pen, drafts: Sequence[Draft]) -> Sequence[Draft]:
    """Drafts that are not there yet, which matters only when something failed."""
    if not pen.careful:
        return drafts
    known = "SELECT 1 FROM messages WHERE uid = ?"
    harmless = {draft.uid: draft.harmless() for draft in drafts}
    return [draft for draft in harmless.values() if not pen.all(known, draft.uid)]


def _message(draft: Draft, key: str | None, sequence: int, now: float) -> tuple[Any, ...]:
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


def _is_known(pen: Pen, draft: Draft, key: str, seen: dict[tuple[str, str], str]) -> bool:
    known = seen.get((draft.route, key))
    if known is None:
        [(known,)] = pen.all(_KNOWN, key, draft.route)
    return known == draft.identity
