"""Mending: replaying, dropping and sending, as scripts of one transaction each.

A command is an act with a name. It goes through the messages that are meant from the oldest to the
newest, and leaves out those that the same act has been to already, so that a command that was
interrupted is repeated under its name and goes on where it was. Each message is audited: who, why,
when, and what it was before and after.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from isthmus_runtime.journal import tasks
from isthmus_runtime.journal.entries import Draft, State
from isthmus_runtime.journal.script import Accept, Script, query
from isthmus_runtime.journal.searching import FAILED, Bounds, Filter, pick

CHUNK: Final = 100

REPLAYED: Final = FAILED
"""What is replayed unless other states are named."""
DROPPED: Final = (State.NEW, State.RETRY, *FAILED)
"""What can be dropped: not what a worker has, and not what has come to a good end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One command of somebody."""

    name: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction did: the messages, their Routes, and the number it came to. A step that
    came to no number was the last."""

    uids: tuple[str, ...]
    routes: frozenset[str]
    reached: int | None


@dataclass(frozen=True, slots=True)
class Body:
    """What a message is to say from now on."""

    content: bytes
    content_type: str | None = None


_KEEP: Final = (
    "INSERT INTO attempts (sequence, token, state, reason, detail, failure_group, claimed_at,"
    " ended_at, attempts, owner, journey) SELECT sequence, token, state, reason, detail,"
    " failure_group, claimed_at, settled_at, attempts, owner, journey FROM outcomes"
    " WHERE sequence IN @numbers($1) ON CONFLICT DO NOTHING"
)
_UNSETTLE: Final = (
    "DELETE FROM outcomes WHERE sequence IN @numbers($1) AND state IN @texts($2)"
    " RETURNING sequence, state, reason, attempts"
)
_FREE: Final = (  # those that held their key are in the queue
    "UPDATE queue SET state = 'new', due_at = $2, since = $2, attempts = 0, token = 0"
    " WHERE sequence IN @numbers($1) AND state = 'dead' RETURNING sequence"
)
_ENQUEUE: Final = (
    "INSERT INTO queue (sequence, route, key, state, turn, due_at, since, attempts, token)"
    " SELECT sequence, route, key, 'new', 0, $2, $2, 0, 0 FROM messages"
    " WHERE sequence IN @numbers($1)"
)
_AUDIT: Final = (
    "INSERT INTO audit (at, act, action, who, why, sequence, uid, route, before, after)"
    " SELECT @now, $1, $2, $3, $4, sequence, uid, route, $6, $7 FROM messages"
    " WHERE sequence = $5 RETURNING uid, route"
)
_NO_MESSAGE: Final = (
    "INSERT INTO audit (at, act, action, who, why, sequence, uid, route, before, after)"
    " VALUES (@now, $1, $2, $3, $4, 0, '', $5, '{}', '{}')"
)
_DISMISS: Final = (
    "UPDATE outcomes SET state = 'skipped', reason = 'Dropped',"
    " detail = 'An operator dropped it.', failure_group = '', settled_at = @now, journey = $3"
    " WHERE sequence IN @numbers($1) AND state IN @texts($2) RETURNING sequence"
)
_STATES: Final = (
    "SELECT sequence, state, reason, attempts FROM outcomes WHERE sequence IN @numbers($1)"
)
_LEAVE: Final = (
    "DELETE FROM queue WHERE sequence IN @numbers($1) AND state IN @texts($2)"
    " RETURNING sequence, route, key, state, attempts"
)
_SETTLE: Final = (
    "INSERT INTO outcomes (sequence, route, key, state, reason, detail, failure_group, settled_at,"
    " attempts, token, journey) VALUES ($1, $2, $3, 'skipped', 'Dropped',"
    " 'An operator dropped it.', '', @now, $4, 0, $5)"
)
_LET_NEXT: Final = (
    "UPDATE queue SET turn = 1 WHERE sequence = (SELECT min(sequence) FROM queue"
    " WHERE key = $1 AND route = $2 AND turn = 2 AND turn > 0)"
)


def replay(act: Act, chosen: Filter, bounds: Bounds, *, body: Body | None = None) -> Script[Step]:
    """The next messages are new again, with no attempts; uid and identity stay."""
    chosen = replace(chosen, states=chosen.states or REPLAYED)
    numbers = yield from _next(act, chosen, bounds)
    if not numbers.todo:
        return Step((), frozenset(), numbers.reached)
    [[now]] = yield query("SELECT @now")
    yield query(_KEEP, numbers.todo)
    before = yield query(_UNSETTLE, numbers.todo, [state.value for state in chosen.states])
    gone = [row[0] for row in before]
    freed = yield query(_FREE, gone, now)
    held = {row[0] for row in freed}
    yield query(_ENQUEUE, [number for number in gone if number not in held], now)
    after = {"state": "new", "attempts": 0}
    if body is not None:
        for number in gone:
            after |= yield from _edit(number, body)
    audited = yield from _note(act, "replay", before, after)
    return replace(audited, reached=numbers.reached)


def drop(act: Act, chosen: Filter, bounds: Bounds) -> Script[Step]:
    """The next messages are skipped, for the reason Dropped; keys that they held go on."""
    chosen = replace(chosen, states=chosen.states or FAILED)
    numbers = yield from _next(act, chosen, bounds)
    if not numbers.todo:
        return Step((), frozenset(), numbers.reached)
    named = {state.value for state in chosen.states}
    failed = [state.value for state in FAILED if state in chosen.states]
    before = yield query(_STATES, numbers.todo)
    yield query(_KEEP, numbers.todo)
    dismissed = yield query(_DISMISS, numbers.todo, failed, b"")
    settled = {row[0] for row in dismissed}
    holding = yield query(_LEAVE, list(settled), ["dead"])
    open_states = sorted(named & {State.NEW.value, State.RETRY.value})
    left = yield query(
        _LEAVE, [number for number in numbers.todo if number not in settled], open_states
    )
    for row in left:
        yield query(_SETTLE, row[0], row[1], row[2], row[4], b"")
    yield from let_next(keys(holding) | keys(left))
    was = [row for row in before if row[0] in settled]
    was += [(row[0], row[3], "", row[4]) for row in left]
    audited = yield from _note(act, "drop", was, {"state": "skipped", "reason": "Dropped"})
    return replace(audited, reached=numbers.reached)


def send(act: Act, draft: Draft) -> Script[Step]:
    """Accept a message. An act that did so already has sent that one."""
    sent = yield query("SELECT uid, route FROM audit WHERE act = $1", act.name)
    if sent:
        return Step(tuple(row[0] for row in sent), frozenset(row[1] for row in sent), None)
    yield Accept((draft,))
    [[number]] = yield query("SELECT sequence FROM messages WHERE uid = $1", draft.uid)
    after = {"state": "new", "sent": _hashed(draft.body)}
    [[uid, route]] = yield query(
        _AUDIT, act.name, "send", act.who, act.why, number, "{}", json.dumps(after)
    )
    return Step((uid,), frozenset((route,)), None)


def read_now(act: Act, route: str) -> Script[frozenset[str]]:
    """Have a Route read what it polls, once for an act."""
    if not (yield query("SELECT 1 FROM audit WHERE act = $1", act.name)):
        yield from tasks.ask(tasks.polling(route))
        yield query(_NO_MESSAGE, act.name, "read", act.who, act.why, route)
    return frozenset((route,))


def keys(rows: Iterable[Sequence[Any]]) -> set[tuple[str, str]]:
    """Route and key of rows that left the queue."""
    return {(row[1], row[2]) for row in rows if row[2] is not None}


def let_next(places: set[tuple[str, str]]) -> Script[None]:
    """The next of these keys have their turn. One too many does no harm: claims look for
    themselves."""
    for route, key in sorted(places):
        yield query(_LET_NEXT, key, route)


@dataclass(frozen=True, slots=True)
class _Next:
    todo: list[int]
    reached: int | None


def _next(act: Act, chosen: Filter, bounds: Bounds) -> Script[_Next]:
    """The next numbers, without those that this act has been to."""
    numbers = yield from pick(chosen, bounds, limit=CHUNK, newest_first=False)
    if not numbers:
        return _Next([], None)
    done = yield query(
        "SELECT sequence FROM audit WHERE act = $1 AND sequence IN @numbers($2)",
        act.name,
        numbers,
    )
    been = {row[0] for row in done}
    return _Next([number for number in numbers if number not in been], numbers[-1])


def _edit(number: int, body: Body) -> Script[dict[str, str]]:
    """Give a message another body, and keep the one that it had."""
    yield query(
        "INSERT INTO revisions (sequence, number, content_type, body, at)"
        " SELECT m.sequence, 1 + (SELECT count(*) FROM revisions AS r"
        "  WHERE r.sequence = m.sequence), m.content_type, m.body, @now"
        " FROM messages AS m WHERE m.sequence = $1",
        number,
    )
    yield query(
        "UPDATE messages SET body = $2, content_type = coalesce($3, content_type)"
        " WHERE sequence = $1",
        number,
        body.content,
        body.content_type,
    )
    return {"body": _hashed(body.content)}


def _hashed(body: bytes) -> str:
    """What the audit tells of a body."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _note(
    act: Act, action: str, before: Iterable[Sequence[Any]], after: dict[str, Any]
) -> Script[Step]:
    uids: list[str] = []
    routes: set[str] = set()
    for number, state, reason, attempts in sorted(before, key=lambda row: int(row[0])):
        was = json.dumps({"state": state, "reason": reason, "attempts": attempts})
        [[uid, route]] = yield query(
            _AUDIT, act.name, action, act.who, act.why, number, was, json.dumps(after)
        )
        uids.append(uid)
        routes.add(route)
    return Step(tuple(uids), frozenset(routes), None)
