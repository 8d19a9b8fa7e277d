"""Permits in PostgreSQL: a row for each limit, and a row for each process that holds places.

A draw is one statement on one row, and waits for nobody's sync: a grant that a crash of the server
takes back was made by a server that has just been down. All that wait in a process draw together
(`connectors.shared`), so a limit costs no more statements than its round trips allow, however many
calls there are.
"""

from typing import Final

from isthmus_runtime.journal.permits import KEPT, SLOTS, Grant, room_in
from isthmus_runtime.journal.postgres.claiming import QUICK, turn
from isthmus_runtime.journal.postgres.pool import Connection, transaction

_CLOCK: Final = "extract(epoch FROM clock_timestamp())::float8"
_FAR: Final = 20
"""Slots by which the clock has to be behind to have been set back."""

# Read where the row is locked already, so that who waited for it is not late.
_NOW: Final = (
    f"(SELECT {_CLOCK} AS at) AS c"
    f" CROSS JOIN LATERAL (SELECT floor(c.at / ($2 / {SLOTS}::float8))::bigint AS slot) AS t"
)
_MOVED: Final = (
    f"(SELECT CASE WHEN t.slot < l.slot - {_FAR} THEN t.slot ELSE greatest(l.slot, t.slot) END"
    "  AS slot) AS s"
    f" CROSS JOIN LATERAL (SELECT greatest(0, least(s.slot - l.slot, {KEPT}))::int AS by) AS gone"
    " CROSS JOIN LATERAL (SELECT l.used[gone.by + 1:] || array_fill(0, ARRAY[gone.by]) AS used)"
    "  AS moved"
    " CROSS JOIN LATERAL (SELECT greatest(0, least($4::int,"
    "  $3::int - (SELECT sum(u) FROM unnest(moved.used) AS u)))::int AS granted) AS g"
)
_TAKE: Final = (
    f"WITH quick AS MATERIALIZED ({QUICK}) INSERT INTO limits AS l"
    " (name, per, slot, used, granted, at)"
    f" SELECT $1, $2, t.slot, array_fill(0, ARRAY[{KEPT - 1}]) || least($4::int, $3::int),"
    f"  least($4::int, $3::int), c.at FROM quick CROSS JOIN {_NOW}"
    " ON CONFLICT (name, per) DO UPDATE SET (slot, used, granted, at) ="
    f" (SELECT s.slot, moved.used[:{KEPT - 1}] || (moved.used[{KEPT}] + g.granted), g.granted,"
    f"  c.at FROM {_NOW} CROSS JOIN LATERAL {_MOVED}) RETURNING granted, slot, used, at"
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


async def take(
    connection: Connection, name: str, *, requests: int, per: float, wanted: int
) -> Grant:
    """See `Permits.take`."""
    row = await connection.fetchrow(_TAKE, name, per, requests, wanted)
    if row is None:
        return Grant(0, per)
    granted, slot, used, at = row
    wait = 0.0 if granted == wanted else room_in(used, slot=slot, now=at, per=per)
    return Grant(granted, wait)


async def enter(
    connection: Connection, name: str, *, limit: int, owner: str, wanted: int, lease: float
) -> int:
    """See `Permits.enter`; processes take turns, or two would be given the last place."""
    async with transaction(connection, turn(f"places {name}")):
        return int(await connection.fetchval(_ENTER, name, owner, limit, wanted, lease))


async def leave(connection: Connection, name: str, *, owner: str, places: int) -> None:
    """See `Permits.leave`."""
    await connection.execute(_LEAVE, name, owner, places)
