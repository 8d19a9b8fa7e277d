"""Accepting: drafts of many calls in one statement and one round trip.

Sequence numbers are given in the order of the arrays (PostgreSQL computes defaults after sorting).
They are given before the commit, so two statements side by side may become visible the other way
round; calls that are made one after the other never do. A uid that is there already is left as it
is, so the statement may be repeated when nobody knows whether it was done.
"""

from collections.abc import Sequence
from typing import Any, Final

from isthmus_runtime.journal.entries import Draft, fitting
from isthmus_runtime.journal.postgres.pool import Connection

NOW: Final = "extract(epoch FROM statement_timestamp())::float8"

COLUMNS: Final = (
    "uid, route, key, version, identity, content_type, body, request, correlation_id, trace, parent"
)
GIVEN: Final = (
    "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::bytea[], $8::bytea[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bool[])"
    f" WITH ORDINALITY AS given ({COLUMNS}, run, once, number)"
)
_WRITTEN: Final = (
    f"INSERT INTO messages ({COLUMNS}, accepted_at)"
    f" SELECT {COLUMNS}, {NOW} FROM given ORDER BY number ON CONFLICT (uid) DO NOTHING"
    " RETURNING sequence, uid, route, key, identity, accepted_at"
)
_QUEUED: Final = (
    "INSERT INTO queue"
    " (sequence, route, key, run, state, turn, due_at, since, attempts, token)"
    " SELECT sequence, w.route, w.key, run, 'new', 0, accepted_at, accepted_at, 0, 0"
    " FROM written AS w JOIN given USING (uid)"
)
_COMING: Final = (
    "INSERT INTO latest (route, key, at, coming, coming_sequence)"
    " SELECT DISTINCT ON (w.route, w.key) w.route, w.key, accepted_at, w.identity, sequence"
    " FROM written AS w JOIN given AS g USING (uid) WHERE g.once AND w.key IS NOT NULL"
    " ORDER BY w.route, w.key, sequence DESC ON CONFLICT (route, key) DO UPDATE"
    " SET coming = excluded.coming, coming_sequence = excluded.coming_sequence"
)
ACCEPT: Final = f"WITH given AS ({GIVEN}), written AS ({_WRITTEN}) {_QUEUED}"
_ACCEPT_ONCE: Final = (
    f"WITH given AS ({GIVEN}), written AS ({_WRITTEN}), coming AS ({_COMING}) {_QUEUED}"
)
_KNOWN: Final = (
    "SELECT asked.number,"
    " CASE WHEN coalesce(q.sequence, o.sequence) IS NOT NULL THEN l.coming END,"
    " CASE WHEN q.sequence IS NULL THEN l.identity END"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (route, key, number)"
    " JOIN latest AS l ON l.route = asked.route AND l.key = asked.key"
    " LEFT JOIN queue AS q ON q.sequence = l.coming_sequence AND q.state <> 'dead'"
    " LEFT JOIN outcomes AS o ON o.sequence = l.coming_sequence AND o.state <> 'finished'"
)


async def accept(
    connection: Connection, calls: Sequence[Sequence[Draft]], *, careful: bool = False
) -> list[int]:
    """Write the drafts of several calls; for each how many were not passed over."""
    if careful:
        calls = [[draft.harmless() for draft in drafts] for drafts in calls]
    asked = _asked(calls)
    known = await _known(connection, asked) if asked else {}
    chosen: list[Draft] = []
    counts = []
    for drafts in calls:
        new = [draft for draft in drafts if not draft.once or _is_new(draft, known)]
        counts.append(len(new))
        chosen += new
    if chosen:
        await connection.execute(_ACCEPT_ONCE if asked else ACCEPT, *columns(chosen))
    return counts


Place = tuple[str, str]
"""Route and key."""


def _asked(calls: Sequence[Sequence[Draft]]) -> list[Place]:
    """Whose newest identity has to be known."""
    return list(
        dict.fromkeys(
            (draft.route, fitting(draft.key))
            for drafts in calls
            for draft in drafts
            if draft.once and draft.key is not None
        )
    )


async def _known(connection: Connection, asked: Sequence[Place]) -> dict[Place, set[str | None]]:
    """What was accepted last for each, unless it was delivered since; what was delivered last,
    where nothing is under way."""
    routes, keys = [route for route, _ in asked], [key for _, key in asked]
    found = await connection.fetch(_KNOWN, routes, keys)
    return {asked[number - 1]: {coming, last} for number, coming, last in found}


def _is_new(draft: Draft, known: dict[Place, set[str | None]]) -> bool:
    """Whether it is to be written; what is written before it in this batch is known to it."""
    if draft.key is None:
        return True
    place = (draft.route, fitting(draft.key))
    if draft.identity in known.get(place, ()):
        return False
    known[place] = {draft.identity}
    return True


def columns(drafts: Sequence[Draft]) -> list[list[Any]]:
    """The arguments of a statement: an array for each column."""
    return [
        [draft.uid for draft in drafts],
        [draft.route for draft in drafts],
        [None if draft.key is None else fitting(draft.key) for draft in drafts],
        [draft.version for draft in drafts],
        [draft.identity for draft in drafts],
        [draft.content_type for draft in drafts],
        [draft.body for draft in drafts],
        [draft.request for draft in drafts],
        [draft.correlation_id for draft in drafts],
        [draft.trace for draft in drafts],
        [draft.parent for draft in drafts],
        [draft.run for draft in drafts],
        [draft.once for draft in drafts],
    ]
