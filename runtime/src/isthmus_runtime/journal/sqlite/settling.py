"""Settling: how attempts ended, with everything that belongs to it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from isthmus_runtime.journal import compositions, journeys, memories
from isthmus_runtime.journal.entries import Settlement, State
from isthmus_runtime.journal.sqlite import accepting
from isthmus_runtime.journal.sqlite.pen import Pen, numbers, play

_HELD: Final = (
    "SELECT sequence, token, key, since, attempts, owner FROM queue"
    " WHERE sequence IN (SELECT value FROM json_each(?))"
)
_GONE: Final = "DELETE FROM queue WHERE sequence IN (SELECT value FROM json_each(?))"
_HOLD: Final = (
    "UPDATE queue SET state = 'dead', turn = 1, due_at = NULL, since = ?, token = 0, owner = NULL"
    " WHERE sequence = ?"
)
_RETRY: Final = (
    "UPDATE queue SET state = 'retry', due_at = ?, since = ?, token = 0, owner = NULL"
    " WHERE sequence = ?"
)
_OUTCOME: Final = (
    "INSERT INTO outcomes (sequence, route, key, state, reason, detail, failure_group, claimed_at,"
    " settled_at, attempts, token, owner, journey) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPT: Final = (
    "INSERT INTO attempts (sequence, state, reason, detail, failure_group, claimed_at, ended_at,"
    " attempts, token, owner, journey) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_WRITTEN: Final = (
    "SELECT 1 FROM outcomes WHERE sequence = ?1 AND token = ?2"
    " UNION ALL SELECT 1 FROM attempts WHERE sequence = ?1 AND token = ?2 AND reason <> 'ClaimLost'"
)
_DELIVERED: Final = (
    "INSERT INTO deliveries (route, identity, at) VALUES (?, ?, ?)"
    " ON CONFLICT (route, identity) DO UPDATE SET at = excluded.at"
)
_LATEST: Final = (
    "INSERT INTO latest (route, key, version, identity, at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (route, key) DO UPDATE SET version = excluded.version,"
    " identity = excluded.identity, at = excluded.at"
)
_NEXT: Final = (
    "UPDATE queue SET turn = 1 WHERE sequence = (SELECT min(sequence) FROM queue"
    "  WHERE key = ? AND route = ? AND turn = 2 AND turn > 0) RETURNING route"
)


def settle(pen: Pen, settlements: Sequence[Settlement]) -> list[bool]:
    """Write what still holds its claim; whether each did, or was written before."""
    open_ = {
        row[0]: row for row in pen.all(_HELD, numbers(s.message.sequence for s in settlements))
    }
    valid: list[tuple[Settlement, Any]] = []
    answers = []
    for each in settlements:
        row = open_.get(each.message.sequence)
        if row is not None and row[1] == each.message.token:
            valid.append((each, row))
            answers.append(True)
            row = (*row[:1], 0, *row[2:])  # a second one of the same claim finds it gone
            open_[each.message.sequence] = row
        else:
            answers.append(_is_written(pen, each, valid))
    if valid:
        _write(pen, valid)
    return answers


def _is_written(pen: Pen, each: Settlement, valid: Iterable[tuple[Settlement, Any]]) -> bool:
    """Whether this claim was settled before: an answer may have been lost on its way."""
    message = each.message
    if any(other.message.sequence == message.sequence for other, _ in valid):
        return True
    return bool(pen.all(_WRITTEN, message.sequence, message.token))


def _write(pen: Pen, valid: Sequence[tuple[Settlement, Any]]) -> None:
    retries = [pair for pair in valid if pair[0].state is State.RETRY]
    endings = [pair for pair in valid if pair[0].state is not State.RETRY]
    if retries:
        pen.each(_RETRY, [(pen.now + s.delay, pen.now, row[0]) for s, row in retries])
        pen.each(_ATTEMPT, [(row[0], *_ending(pen, s, row)) for s, row in retries])
    if endings:
        pen.each(_OUTCOME, [_outcome(pen, s, row) for s, row in endings])
        pen.all(_GONE, numbers(row[0] for s, row in endings if not s.holds))
        pen.each(_HOLD, [(pen.now, row[0]) for s, row in endings if s.holds])
        _let_next(pen, endings)
        for s, _ in endings:
            pen.backlog[s.message.route] -= 1
    _write_rest(pen, [s for s, _ in valid])


def _write_rest(pen: Pen, settlements: Sequence[Settlement]) -> None:
    for each in settlements:
        if each.feeds:
            accepting.accept(pen, [each.feeds])
            pen.woken.update(draft.route for draft in each.feeds)
        if each.memories:
            play(pen, memories.put(each.memories))
    play(pen, compositions.note(settlements))
    noted = [each.message for each in settlements if each.notes]
    if noted:
        pen.each(_DELIVERED, [(m.route, m.identity, pen.now) for m in noted])
        keyed = [m for m in noted if m.key is not None]
        pen.each(_LATEST, [(m.route, m.key, m.version, m.identity, pen.now) for m in keyed])


def _outcome(pen: Pen, each: Settlement, row: Sequence[Any]) -> tuple[Any, ...]:
    return (row[0], each.message.route, row[2], *_ending(pen, each, row))


def _ending(pen: Pen, each: Settlement, row: Sequence[Any]) -> tuple[Any, ...]:
    """State to journey, in the order of both tables."""
    _, _, _, since, attempts, owner = row
    return (
        each.state.value,
        each.reason,
        each.detail,
        each.group,
        since,
        pen.now,
        attempts,
        each.message.token,
        owner,
        journeys.pack(each.journey),
    )


def _let_next(pen: Pen, endings: Iterable[tuple[Settlement, Any]]) -> None:
    for each, row in endings:
        if row[2] is not None and not each.holds and pen.serial.get(each.message.route, True):
            promote(pen, each.message.route, row[2])


def promote(pen: Pen, route: str, key: str) -> None:
    """The next of a key has its turn."""
    if pen.all(_NEXT, key, route):
        pen.woken.add(route)
