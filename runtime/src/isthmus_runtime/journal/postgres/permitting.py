"""Permits in PostgreSQL: a row for each limit, and a row for each process that holds places.

A draw is one statement on one row, and waits for nobody's sync: a grant that a crash of the server
takes back was made by a server that has just been down. All that wait in a process draw together
(`connectors.rates`), so a limit costs no more statements than its round trips allow, however many
calls there are.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from isthmus_runtime.journal.listeners import Listeners
from isthmus_runtime.journal.permits import (
    SLOTS,
    Grant,
    Rate,
    bucket,
    kept,
    pausing,
    room_in,
    waiting_for,
)
from isthmus_runtime.journal.postgres.bell import Bell
from isthmus_runtime.journal.postgres.claiming import QUICK, turn
from isthmus_runtime.journal.postgres.pool import Connection, Pool, transaction

_CLOCK: Final = "extract(epoch FROM clock_timestamp())::float8"
_UNLIMITED: Final = 2**31 - 1
_FAR: Final = 20
"""Slots by which the clock has to be behind to have been set back."""

# Read where the row is locked already, so that who waited for it is not late.
_NOW: Final = (
    f"(SELECT {_CLOCK} AS at) AS c"
    f" CROSS JOIN LATERAL (SELECT floor(c.at / ($2 / {SLOTS}::float8))::bigint AS slot) AS t"
)


@cache
def _from_window(slots: int) -> str:
    """Takes a name, the window, the limit and what is wanted; `slots` count."""
    moved = (
        f"(SELECT CASE WHEN t.slot < l.slot - {_FAR} THEN t.slot ELSE greatest(l.slot, t.slot) END"
        "  AS slot) AS s"
        f" CROSS JOIN LATERAL (SELECT greatest(0, least(s.slot - l.slot, {slots}))::int AS by)"
        "  AS gone"
        " CROSS JOIN LATERAL (SELECT l.used[gone.by + 1:] || array_fill(0, ARRAY[gone.by]) AS used)"
        "  AS moved"
        " CROSS JOIN LATERAL (SELECT greatest(0, least($4::int,"
        "  $3::int - (SELECT sum(u) FROM unnest(moved.used) AS u)))::int AS granted) AS g"
    )
    return (
        f"WITH quick AS MATERIALIZED ({QUICK}) INSERT INTO limits AS l"
        " (name, per, slot, used, granted, at)"
        f" SELECT $1, $2, t.slot, array_fill(0, ARRAY[{slots - 1}]) || least($4::int, $3::int),"
        f"  least($4::int, $3::int), c.at FROM quick CROSS JOIN {_NOW}"
        " ON CONFLICT (name, per) DO UPDATE SET (slot, used, granted, at) ="
        f" (SELECT s.slot, moved.used[:{slots - 1}] || (moved.used[{slots}] + g.granted),"
        f"  g.granted, c.at FROM {_NOW} CROSS JOIN LATERAL {moved})"
        " RETURNING granted, slot, used, at"
    )


# A bucket is known by when it will be full: each call moves that by the time that fills for one.
# It cannot be further away than an empty bucket needs; where it is, the clock was set back.
_FROM_BUCKET: Final = (
    f"WITH quick AS MATERIALIZED ({QUICK}) INSERT INTO buckets AS b (name, full_at, granted, at)"
    " SELECT $1, c.at + least($4::int, $3::int) * $2::float8, least($4::int, $3::int), c.at"
    f"  FROM quick CROSS JOIN (SELECT {_CLOCK} AS at) AS c"
    " ON CONFLICT (name) DO UPDATE SET (full_at, granted, at) ="
    " (SELECT c.at + lacks.seconds + g.granted * $2::float8, g.granted, c.at"
    f"  FROM (SELECT {_CLOCK} AS at) AS c"
    "  CROSS JOIN LATERAL"
    "   (SELECT least($3::int * $2::float8, greatest(0, b.full_at - c.at)) AS seconds) AS lacks"
    "  CROSS JOIN LATERAL (SELECT greatest(0, least($4::int,"
    "   floor($3::int - lacks.seconds / $2::float8 + 1e-6)))::int AS granted) AS g)"
    " RETURNING granted, full_at, at"
)
_ENTER: Final = (
    "WITH free AS (SELECT greatest(0, least($4::int, $3::int - coalesce(sum(held), 0)::int)) AS n"
    f"  FROM places WHERE name = $1 AND until > {_CLOCK}),"
    f" gone AS (DELETE FROM places WHERE name = $1 AND owner <> $2 AND until < {_CLOCK} - 3600)"
    " INSERT INTO places AS p (name, owner, held, until)"
    f" SELECT $1, $2, n, {_CLOCK} + $5 FROM free ON CONFLICT (name, owner) DO UPDATE SET"
    f" held = excluded.held + CASE WHEN p.until > {_CLOCK} THEN p.held ELSE 0 END,"
    " until = excluded.until RETURNING (SELECT n FROM free)"
)
_LEAVE: Final = (
    f"WITH quick AS MATERIALIZED ({QUICK}) UPDATE places SET held = greatest(0, held - $3)"
    " FROM quick WHERE name = $1 AND owner = $2"
)


_PAUSE: Final = (
    f"INSERT INTO pauses AS p (name, until) VALUES ($1, {_CLOCK} + $2)"
    " ON CONFLICT (name) DO UPDATE SET until = greatest(p.until, excluded.until)"
)
_PAUSED: Final = f"SELECT until - {_CLOCK} FROM pauses WHERE name = $1"


class SharedPermits:
    """`Permits` of all who work on a database."""

    def __init__(self, pool: Pool, bell: Bell, listeners: Listeners) -> None:
        self._pool, self._bell, self._listeners = pool, bell, listeners

    async def take(self, name: str, rate: Rate, *, wanted: int) -> Grant:
        """See `Permits.take`."""
        if rate.burst is None:
            return await self._pool.run(lambda c: _of_window(c, name, rate, wanted))
        holds = bucket(rate, rate.burst)
        return await self._pool.run(lambda c: _of_bucket(c, name, rate, holds, wanted))

    async def note(self, name: str, rate: Rate, *, calls: int) -> None:
        """See `Permits.note`: a limit that is never reached grants them."""
        unlimited = replace(rate, requests=_UNLIMITED)
        if rate.burst is None:
            await self._pool.run(lambda c: _of_window(c, name, unlimited, calls))
        else:
            await self._pool.run(lambda c: _of_bucket(c, name, rate, _UNLIMITED, calls))

    async def enter(self, name: str, *, limit: int, owner: str, wanted: int, lease: float) -> int:
        """See `Permits.enter`; processes take turns, or two would be given the last place."""

        async def do(connection: Connection) -> int:
            async with transaction(connection, turn(f"places {name}")):
                found = await connection.fetchval(_ENTER, name, owner, limit, wanted, lease)
            return int(found)

        return await self._pool.run(do)

    async def leave(self, name: str, *, owner: str, places: int) -> None:
        """See `Permits.leave`."""
        await self._pool.run(lambda c: c.execute(_LEAVE, name, owner, places))
        self._bell.ring((waiting_for(name),))

    async def pause(self, name: str, seconds: float) -> None:
        """See `Permits.pause`."""
        await self._pool.run(lambda c: c.execute(_PAUSE, name, seconds))
        self._bell.ring((pausing(name),))

    async def paused(self, name: str) -> float:
        """See `Permits.paused`."""
        left: float | None = await self._pool.run(lambda c: c.fetchval(_PAUSED, name))
        return max(0.0, left or 0.0)

    def listen(self, what: str, wake: Callable[[], None]) -> Callable[[], None]:
        """See `Permits.listen`."""
        return self._listeners.add(what, wake)


async def _of_window(connection: Connection, name: str, rate: Rate, wanted: int) -> Grant:
    per = rate.per
    row = await connection.fetchrow(_from_window(kept(per)), name, per, rate.requests, wanted)
    if row is None:
        return Grant(0, per)
    granted, slot, used, at = row
    return Grant(granted, 0.0 if granted == wanted else room_in(used, slot=slot, now=at, per=per))


async def _of_bucket(
    connection: Connection, name: str, rate: Rate, holds: int, wanted: int
) -> Grant:
    one = rate.per / rate.requests
    row = await connection.fetchrow(_FROM_BUCKET, name, one, holds, wanted)
    if row is None:
        return Grant(0, one)
    granted, full_at, at = row
    return Grant(granted, 0.0 if granted == wanted else full_at - at - (holds - 1) * one)
