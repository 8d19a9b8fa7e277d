"""Claiming: due messages are given to a worker, and never one to two of them.

Without order one statement does it: `FOR UPDATE SKIP LOCKED` passes by what another worker is
taking, and the token that it writes makes the claim. A claim need not survive a crash of the
server, so its commit waits for no sync; tokens are random, so one that was lost never comes again.

With order per key a message may be taken when no older one of its key is in the queue, and none is
being worked on. These races are won so:

- *Two workers, two messages of one key.* A message with a lower number may become visible after one
  with a higher number was looked at, so two claims at once could each take one. Claims of a Route
  with order therefore take turns (an advisory lock, held for one statement), and each sees what the
  one before took. What is visible only later waits, for then another of its key is claimed.
- *Lost wake-ups.* A claim notes of each due message that it looks at whether it waits for another
  of its key (`turn`), and then nobody looks at it again until who takes the one in front away lets
  it have its turn. If the one in front were settled while we make the note, nobody ever would. So
  the note is made only while holding a share lock on the message at the head of the key: who
  settles that waits for us, and then sees the note (`settling.LET_NEXT`). Where the head is being
  settled just now, no note is made, and the next claim looks again.
- *A worker that was thought dead.* Taking over a lost claim, or marking it, changes its token: the
  old worker settles nothing.

A plan that is made once for any LIMIT takes that for a tenth of the table, and joins what it gives
by reading the other table whole. So rows are found by `= ANY(ARRAY(…))`, which is taken for ten.
"""

import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_runtime.journal import compositions
from isthmus_runtime.journal.entries import Claim, Latest, Message
from isthmus_runtime.journal.postgres import scripts
from isthmus_runtime.journal.postgres.accepting import NOW
from isthmus_runtime.journal.postgres.pool import Connection, transaction

LOCK_CLASS: Final = 0x15746D75
"""Of our advisory locks."""

_WINDOW, _WIDEST = 16, 2048

QUICK: Final = "SELECT set_config('synchronous_commit', 'off', true)"

_DUE: Final = (
    "SELECT sequence, key, state, token, owner, since, attempts, due_at FROM queue"
    f" WHERE route = $1 AND turn < 2 AND due_at <= {NOW}"
    " ORDER BY due_at, sequence LIMIT {limit} FOR UPDATE SKIP LOCKED"
)
_LOST: Final = (
    "INSERT INTO attempts (sequence, token, state, reason, detail, failure_group, claimed_at,"
    " ended_at, attempts, owner, journey)"
    " SELECT sequence, token, 'retry', 'ClaimLost', 'The process that had it did not come back.',"
    f" '', since, {NOW}, attempts, owner, ''::bytea FROM chosen WHERE state = 'processing'"
    " ON CONFLICT DO NOTHING"
)
_TAKEN: Final = (
    f"UPDATE queue AS q SET state = 'processing', token = $3, owner = $4, since = {NOW},"
    f" due_at = {NOW} + $5, attempts = q.attempts + 1, turn = {{turn}}"
    " WHERE sequence = ANY(ARRAY(SELECT sequence FROM chosen))"
    " RETURNING q.sequence, q.token, q.attempts, q.since"
)
_MESSAGES: Final = (
    "SELECT m.route, m.uid, m.sequence, t.token, m.identity, m.body, m.content_type, m.request,"
    " m.key, m.version, m.correlation_id, m.trace, m.parent, t.attempts, m.accepted_at, t.since"
    "{notes} FROM taken AS t JOIN messages AS m USING (sequence){joins}"
)
_NOTES: Final = (
    ", l.identity AS l_identity, l.version AS l_version, EXISTS (SELECT 1 FROM deliveries AS d"
    " WHERE d.route = m.route AND d.identity = m.identity) AS delivered"
)
_LATEST: Final = " LEFT JOIN latest AS l ON l.route = m.route AND l.key = m.key"

_TAKEN_ALONG: Final = (
    "SELECT q.sequence, q.state, q.token, q.owner, q.since, q.attempts, c.key AS of"
    " FROM compositions AS c JOIN queue AS q USING (sequence)"
    " WHERE c.key = ANY($2::text[]) AND q.route = $1 AND (q.state = 'retry' AND q.turn < 2"
    f"  OR q.state = 'processing' AND q.due_at <= {NOW})"
    "{alone} ORDER BY q.sequence FOR UPDATE OF q SKIP LOCKED"
)
_OF_KEY: Final = "FROM queue AS o WHERE o.key = d.key AND o.route = $1"
_PLACED: Final = (
    "SELECT d.*, CASE WHEN d.key IS NULL THEN d.sequence ELSE"
    " least(min(d.sequence) OVER (PARTITION BY d.key), seen.first, waiting.first) END AS head,"
    " coalesce(seen.busy, false) AS busy FROM due AS d"
    " LEFT JOIN LATERAL (SELECT min(o.sequence) AS first, bool_or(o.state = 'processing'"
    f"  AND o.sequence <> d.sequence AND o.due_at > {NOW}) AS busy"
    f"  {_OF_KEY} AND o.turn = 1) AS seen ON d.key IS NOT NULL"
    f" LEFT JOIN LATERAL (SELECT o.sequence AS first {_OF_KEY} AND o.turn = 2"
    "  ORDER BY o.sequence LIMIT 1) AS waiting ON d.key IS NOT NULL"
)
_CHOSEN: Final = (
    # Heads are locked first: a row that this statement has updated already is not locked any more.
    "SELECT * FROM placed WHERE head = sequence AND NOT busy"
    " AND (SELECT count(*) FROM heads) >= 0 ORDER BY due_at, sequence LIMIT $2"
)
_HEADS: Final = (
    "SELECT sequence FROM queue WHERE sequence = ANY(ARRAY("
    "SELECT head FROM placed WHERE head < sequence)) FOR KEY SHARE SKIP LOCKED"
)
_PARKED: Final = (
    "UPDATE queue AS q SET turn = 2, token = 0,"
    " state = CASE q.state WHEN 'processing' THEN 'retry' ELSE q.state END"
    " WHERE sequence = ANY(ARRAY(SELECT p.sequence FROM placed AS p WHERE p.head < p.sequence"
    " AND p.head IN (SELECT sequence FROM heads))) RETURNING 1"
)


def _any_order(notes: bool) -> str:
    return (
        f"WITH quick AS MATERIALIZED ({QUICK}),"
        f" chosen AS MATERIALIZED ({_DUE.format(limit='$2')}), lost AS ({_LOST}),"
        f" taken AS ({_TAKEN.format(turn=0)}), found AS ({_messages(notes)})"
        f" SELECT {NOW} AS asked_at, 0 AS seen, 0 AS parked, found.*"
        " FROM quick LEFT JOIN found ON true ORDER BY found.sequence"
    )


def _in_order(notes: bool) -> str:
    return (
        f"WITH due AS MATERIALIZED ({_DUE.format(limit='$6')}),"
        f" placed AS MATERIALIZED ({_PLACED}), heads AS MATERIALIZED ({_HEADS}),"
        f" chosen AS MATERIALIZED ({_CHOSEN}), parked AS ({_PARKED}), lost AS ({_LOST}),"
        f" taken AS ({_TAKEN.format(turn=1)}), found AS ({_messages(notes)})"
        f" SELECT {NOW} AS asked_at, (SELECT count(*) FROM due) AS seen,"
        " (SELECT count(*) FROM parked) AS parked, found.*"
        " FROM (SELECT 1) AS always LEFT JOIN found ON true ORDER BY found.sequence"
    )


def _messages(notes: bool) -> str:
    return _MESSAGES.format(notes=_NOTES if notes else "", joins=_LATEST if notes else "")


def _mates(serial: bool, notes: bool) -> str:
    """The others of compositions, whether they are due or not; in order only who has its turn."""
    alone = f" AND NOT EXISTS (SELECT 1 {_OF_KEY.replace('d.', 'q.')} AND o.turn > 0"
    alone += " AND o.sequence <> q.sequence AND (o.sequence < q.sequence"
    alone += f" OR o.state = 'processing' AND o.due_at > {NOW}))"
    chosen = _TAKEN_ALONG.format(alone=alone if serial else "")
    return (
        f"WITH quick AS MATERIALIZED ({QUICK}), chosen AS MATERIALIZED ({chosen}),"
        f" lost AS ({_LOST}), taken AS ({_TAKEN.format(turn=int(serial))}),"
        f" found AS ({_messages(notes)})"
        " SELECT (SELECT of FROM chosen WHERE chosen.sequence = found.sequence), 0, 0, found.*"
        " FROM quick CROSS JOIN found"
    )


_MATES: Final = {
    (serial, notes): _mates(serial, notes) for serial in (False, True) for notes in (False, True)
}
_ANY: Final = {notes: _any_order(notes) for notes in (False, True)}
_ORDERED: Final = {notes: _in_order(notes) for notes in (False, True)}

_WITHOUT_ORDER: Final = "UPDATE queue SET turn = 0 WHERE route = $1 AND turn = 2"
_WITH_ORDER: Final = (
    "UPDATE queue AS q SET turn = 1 WHERE q.route = $1 AND (q.turn = 0 AND q.state <> 'new'"
    f" OR q.turn = 2 AND NOT EXISTS (SELECT 1 {_OF_KEY.replace('d.', 'q.')} AND o.turn > 0"
    "  AND o.sequence < q.sequence))"
)
_EXTEND: Final = (
    f"WITH quick AS MATERIALIZED ({QUICK}) UPDATE queue AS q SET due_at = {NOW} + $3"
    " FROM unnest($1::bigint[], $2::bigint[]) AS given (sequence, token), quick"
    " WHERE q.sequence = given.sequence AND q.token = given.token"
)
_RELEASE: Final = (
    f"WITH quick AS MATERIALIZED ({QUICK}) UPDATE queue AS q SET token = 0, owner = NULL,"
    " state = CASE q.attempts WHEN 1 THEN 'new' ELSE 'retry' END, attempts = q.attempts - 1,"
    f" due_at = {NOW} + $3, since = {NOW}"
    " FROM unnest($1::bigint[], $2::bigint[]) AS given (sequence, token), quick"
    " WHERE q.sequence = given.sequence AND q.token = given.token RETURNING q.route"
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was taken, and when by the server's clock."""

    messages: list[Message]
    asked_at: float


async def in_any_order(connection: Connection, wish: Claim) -> Claimed:
    """Take due messages: one statement."""
    rows = await connection.fetch(
        _ANY[wish.notes], wish.route, wish.limit, _token(), wish.owner, wish.lease
    )
    return Claimed(await _with_mates(connection, wish, _found(rows, wish)), rows[0][0])


async def in_order(connection: Connection, wish: Claim) -> Claimed:
    """Take heads of keys, when it is our turn. Look at windows of due messages until there is
    enough, or nothing new is seen."""
    taken: list[Message] = []
    window = max(_WINDOW, wish.limit)
    async with transaction(connection, turn(wish.route)):
        while True:
            rows = await connection.fetch(
                _ORDERED[wish.notes],
                *(wish.route, wish.limit - len(taken), _token(), wish.owner, wish.lease, window),
            )
            taken += _found(rows, wish)
            seen, parked = rows[0][1], rows[0][2]
            if len(taken) >= wish.limit or seen < window or not parked:
                break
            window = min(4 * window, _WIDEST)
        taken = await _with_mates(connection, wish, taken)
    return Claimed(sorted(taken, key=lambda each: each.sequence), rows[0][0])


async def _with_mates(connection: Connection, wish: Claim, claimed: list[Message]) -> list[Message]:
    """Take along what is to come together with what was claimed."""
    if not (wish.composed and claimed):
        return claimed
    known = await scripts.play(connection, compositions.of([each.sequence for each in claimed]))
    if not known:
        return claimed
    choice = compositions.choose(claimed, known, limit=wish.limit)
    if choice.surplus:
        await release(connection, choice.surplus)
    keys = [each.key for each in choice.compositions]
    rows = await connection.fetch(
        _MATES[wish.serial, wish.notes], wish.route, keys, _token(), wish.owner, wish.lease
    )
    return compositions.complete(choice, [(_message(row, wish.notes), row[0]) for row in rows])


async def mend(connection: Connection, wish: Claim) -> None:
    """At the first claim of a process: what was claimed without order counts from now on, or what
    waited for its turn does not any more."""
    await connection.execute(_WITH_ORDER if wish.serial else _WITHOUT_ORDER, wish.route)


async def extend(connection: Connection, messages: Sequence[Message], lease: float) -> None:
    """Keep claims."""
    await connection.execute(_EXTEND, *_claims(messages), lease)


async def release(
    connection: Connection, messages: Sequence[Message], *, after: float = 0.0
) -> set[str]:
    """Give claims back; the Routes whose messages they are."""
    return {row[0] for row in await connection.fetch(_RELEASE, *_claims(messages), after)}


def _claims(messages: Sequence[Message]) -> tuple[list[int], list[int]]:
    return [each.sequence for each in messages], [each.token for each in messages]


def _token() -> int:
    return secrets.randbits(62) + 1


def turn(route: str) -> str:
    """What begins a claim with order: wait for the one before, and do not wait for a sync."""
    number = zlib.crc32(route.encode())
    number -= (1 << 32) * (number >> 31)  # PostgreSQL's integers have a sign
    lock = f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {number})"
    return f"SET LOCAL synchronous_commit TO off; {lock}"


def _found(rows: Sequence[Any], wish: Claim) -> list[Message]:
    return [_message(row, wish.notes) for row in rows if row[5] is not None]


def _message(row: Any, notes: bool) -> Message:
    _, _, _, route, uid, sequence, token, identity, body, content_type, request, *rest = row
    key, version, correlation_id, trace, parent, attempts, accepted_at, since, *noted = rest
    latest, delivered = None, False
    if notes:
        last, of_version, delivered = noted
        latest = None if last is None else Latest(version=of_version, identity=last)
    return Message(
        route=route,
        uid=uid,
        sequence=sequence,
        token=token,
        identity=identity,
        body=body,
        content_type=content_type,
        request=request,
        key=key,
        version=version,
        correlation_id=correlation_id,
        trace=trace,
        parent=parent,
        attempt=attempts,
        accepted_at=accepted_at,
        claimed_at=since,
        latest=latest,
        delivered=delivered,
    )
