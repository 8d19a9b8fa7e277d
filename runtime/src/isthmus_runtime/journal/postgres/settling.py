"""Settling: how attempts of many workers ended, in one statement where that is all.

A claim holds when its token is still in the queue. Rows are locked in the order of their numbers,
so two batches never wait for each other in a circle. A settlement that was written already is told
so, and may be repeated when nobody knows.
"""

from collections.abc import Sequence
from typing import Any, Final

from isthmus_runtime.journal import compositions, journeys, memories
from isthmus_runtime.journal.entries import Draft, Memory, Settlement, State
from isthmus_runtime.journal.postgres import accepting, scripts
from isthmus_runtime.journal.postgres.accepting import NOW
from isthmus_runtime.journal.postgres.pool import Connection, transaction

_GIVEN: Final = (
    "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],"
    " $6::text[], $7::float8[], $8::bool[], $9::bytea[])"
    " AS given (sequence, token, state, reason, detail, failure_group, delay, holds, journey)"
)
_LOCKED: Final = (
    "SELECT g.*, q.route, q.key, q.since, q.attempts, q.owner FROM queue AS q JOIN given AS g"
    " ON q.sequence = g.sequence AND q.token = g.token ORDER BY q.sequence FOR UPDATE OF q"
)
_GONE: Final = (
    "DELETE FROM queue AS q USING locked AS l"
    " WHERE q.sequence = l.sequence AND l.state <> 'retry' AND NOT l.holds"
)
_HELD: Final = (
    f"UPDATE queue AS q SET state = 'dead', turn = 1, due_at = NULL, since = {NOW}, token = 0,"
    " owner = NULL"
    " FROM locked AS l WHERE q.sequence = l.sequence AND l.state <> 'retry' AND l.holds"
)
_AGAIN: Final = (
    f"UPDATE queue AS q SET state = 'retry', due_at = {NOW} + l.delay, since = {NOW}, token = 0,"
    " owner = NULL FROM locked AS l WHERE q.sequence = l.sequence AND l.state = 'retry'"
)
_ENDING: Final = (
    "state, reason, detail, failure_group, claimed_at, {time}, attempts, token, owner, journey"
)
_ENDED: Final = (
    f"l.state, reason, detail, failure_group, since, {NOW}, attempts, token, owner, journey"
)
_OUTCOMES: Final = (
    f"INSERT INTO outcomes (sequence, route, key, {_ENDING.format(time='settled_at')})"
    f" SELECT sequence, route, key, {_ENDED} FROM locked AS l WHERE l.state <> 'retry'"
)
_ATTEMPTS: Final = (
    f"INSERT INTO attempts (sequence, {_ENDING.format(time='ended_at')})"
    f" SELECT sequence, {_ENDED} FROM locked AS l WHERE l.state = 'retry'"
)
_SETTLE: Final = (
    f"WITH given AS ({_GIVEN}), locked AS MATERIALIZED ({_LOCKED}), gone AS ({_GONE}),"
    f" held AS ({_HELD}), again AS ({_AGAIN}), ended AS ({_OUTCOMES}), tried AS ({_ATTEMPTS})"
    " SELECT sequence FROM locked"
)
_WRITTEN: Final = (
    "SELECT g.sequence FROM unnest($1::bigint[], $2::bigint[]) AS g (sequence, token)"
    " WHERE EXISTS (SELECT 1 FROM outcomes AS o"
    "  WHERE o.sequence = g.sequence AND o.token = g.token)"
    " OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.sequence = g.sequence AND a.token = g.token"
    "  AND a.reason <> 'ClaimLost')"
)
_DELIVERED: Final = (
    "INSERT INTO deliveries (route, identity, at)"
    f" SELECT DISTINCT route, identity, {NOW} FROM unnest($1::text[], $2::text[])"
    " AS noted (route, identity) ON CONFLICT (route, identity) DO UPDATE SET at = excluded.at"
)
_LATEST: Final = (
    "INSERT INTO latest (route, key, version, identity, at)"
    f" SELECT DISTINCT ON (route, key) route, key, version, identity, {NOW}"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])"
    " WITH ORDINALITY AS noted (route, identity, key, version, number) WHERE key IS NOT NULL"
    " ORDER BY route, key, number DESC"
    " ON CONFLICT (route, key) DO UPDATE SET version = excluded.version,"
    " identity = excluded.identity, at = excluded.at"
)
LET_NEXT: Final = (
    "WITH first AS MATERIALIZED (SELECT head.sequence FROM"
    " (SELECT DISTINCT route, key FROM unnest($1::text[], $2::text[]) AS g (route, key)) AS freed"
    " CROSS JOIN LATERAL (SELECT q.sequence FROM queue AS q"
    "  WHERE q.key = freed.key AND q.route = freed.route AND q.turn = 2"
    "  ORDER BY q.sequence LIMIT 1) AS head),"
    " next AS (UPDATE queue AS q SET turn = 1 FROM first"
    "  WHERE q.sequence = first.sequence AND q.turn = 2 RETURNING q.route)"
    " SELECT (SELECT count(*) FROM first), ARRAY(SELECT route FROM next)"
)


async def settle(
    connection: Connection,
    settlements: Sequence[Settlement],
    *,
    serial: dict[str, bool],
    careful: bool = False,
) -> tuple[list[bool], set[str]]:
    """Write what still holds its claim. Whether each did, or was written before; and the Routes
    that have work now."""
    if careful:
        settlements = [each.harmless() for each in settlements]
    first = list({each.message.sequence: each for each in reversed(settlements)}.values())
    if any(_has_more(each, serial) for each in first):
        async with transaction(connection):
            held = await _write(connection, first)
            woken = await _write_rest(
                connection, [each for each in first if each.message.sequence in held], serial
            )
    else:
        held, woken = await _write(connection, first), set()
    missing = [each for each in settlements if each.message.sequence not in held]
    if missing:
        held |= await _written(connection, missing)
    return [each.message.sequence in held for each in settlements], woken


def _has_more(each: Settlement, serial: dict[str, bool]) -> bool:
    return bool(
        each.feeds
        or each.memories
        or each.notes
        or compositions.is_noted(each)
        or _frees(each, serial)
    )


def _frees(each: Settlement, serial: dict[str, bool]) -> bool:
    """Whether another of its key may go on."""
    return (
        each.message.key is not None
        and each.state is not State.RETRY
        and not each.holds
        and serial.get(each.message.route, True)
    )


async def _write(connection: Connection, settlements: Sequence[Settlement]) -> set[int]:
    rows = await connection.fetch(
        _SETTLE,
        [each.message.sequence for each in settlements],
        [each.message.token for each in settlements],
        [each.state.value for each in settlements],
        [each.reason for each in settlements],
        [each.detail for each in settlements],
        [each.group for each in settlements],
        [each.delay for each in settlements],
        [each.holds for each in settlements],
        [journeys.pack(each.journey) for each in settlements],
    )
    return {row[0] for row in rows}


async def _write_rest(
    connection: Connection, settlements: Sequence[Settlement], serial: dict[str, bool]
) -> set[str]:
    feeds: list[Draft] = [draft for each in settlements for draft in each.feeds]
    if feeds:
        await accepting.accept(connection, [feeds])
    kept: list[Memory] = [memory for each in settlements for memory in each.memories]
    if kept:
        await scripts.play(connection, memories.put(kept))
    await _note(connection, settlements)
    await scripts.play(connection, compositions.note(settlements))
    freed = await let_next(
        connection,
        [
            (each.message.route, each.message.key or "")
            for each in settlements
            if _frees(each, serial)
        ],
    )
    return {draft.route for draft in feeds} | freed


async def _note(connection: Connection, settlements: Sequence[Settlement]) -> None:
    noted = [each.message for each in settlements if each.notes]
    if not noted:
        return
    routes, identities = [m.route for m in noted], [m.identity for m in noted]
    await connection.execute(_DELIVERED, routes, identities)
    await connection.execute(
        _LATEST, routes, identities, [m.key for m in noted], [m.version for m in noted]
    )


async def let_next(connection: Connection, keys: Sequence[tuple[str, str]]) -> set[str]:
    """The next of each key has its turn; the Routes of those.

    In the transaction that took the one in front away, and in a statement of its own: its snapshot
    must be younger than our lock on that one, or it would miss a mark that was made before. Where
    the next is taken away by somebody else while we wait for it, we look again.
    """
    woken: set[str] = set()
    routes: list[Any] = [route for route, _ in keys]
    names = [key for _, key in keys]
    while keys:
        row = await connection.fetchrow(LET_NEXT, routes, names)
        if row is None or row[0] == len(row[1]):
            return woken | set(row[1] if row else ())
        woken |= set(row[1])
    return woken


async def _written(connection: Connection, settlements: Sequence[Settlement]) -> set[int]:
    rows = await connection.fetch(
        _WRITTEN,
        [each.message.sequence for each in settlements],
        [each.message.token for each in settlements],
    )
    return {row[0] for row in rows}
