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

_COLUMNS: Final = (
    "uid, route, key, version, identity, content_type, body, request, correlation_id, trace, parent"
)
_GIVEN: Final = (
    "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::bytea[], $8::bytea[], $9::text[], $10::text[], $11::text[], $12::bigint[])"
    f" WITH ORDINALITY AS given ({_COLUMNS}, run, number)"
)
_WRITTEN: Final = (
    f"INSERT INTO messages ({_COLUMNS}, accepted_at)"
    f" SELECT {_COLUMNS}, {NOW} FROM given ORDER BY number ON CONFLICT (uid) DO NOTHING"
    " RETURNING sequence, uid, route, key, accepted_at"
)
_QUEUED: Final = (
    "INSERT INTO queue"
    " (sequence, route, key, run, state, behind, due_at, since, attempts, token)"
    " SELECT sequence, w.route, w.key, run, 'new', false, accepted_at, accepted_at, 0, 0"
    " FROM written AS w JOIN given USING (uid)"
)
_ACCEPT: Final = f"WITH given AS ({_GIVEN}), written AS ({_WRITTEN}) {_QUEUED}"

_KNOWN: Final = (
    "SELECT asked.number, coalesce("
    " (SELECT m.identity FROM queue AS q JOIN messages AS m USING (sequence)"
    "  WHERE q.key = asked.key AND q.route = asked.route AND q.state <> 'dead'"
    "  ORDER BY q.sequence DESC LIMIT 1),"
    " (SELECT l.identity FROM latest AS l WHERE l.route = asked.route AND l.key = asked.key))"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (route, key, number)"
)


async def accept(
    connection: Connection, calls: Sequence[Sequence[Draft]], *, careful: bool = False
) -> list[int]:
    """Write the drafts of several calls; for each how many were not passed over."""
    if careful:
        calls = [[draft.harmless() for draft in drafts] for drafts in calls]
    known = await _known(connection, calls)
    chosen: list[Draft] = []
    counts = []
    for drafts in calls:
        new = [draft for draft in drafts if _is_new(draft, known)]
        counts.append(len(new))
        chosen += new
    if chosen:
        await connection.execute(_ACCEPT, *_columns(chosen))
    return counts


Keys = dict[tuple[str, str], str | None]


async def _known(connection: Connection, calls: Sequence[Sequence[Draft]]) -> Keys:
    """The identities that drafts which come once have to differ from, by Route and key."""
    asked = list(
        dict.fromkeys(
            (draft.route, fitting(draft.key))
            for drafts in calls
            for draft in drafts
            if draft.once and draft.key is not None
        )
    )
    if not asked:
        return {}
    routes, keys = [route for route, _ in asked], [key for _, key in asked]
    found = await connection.fetch(_KNOWN, routes, keys)
    return {asked[number - 1]: identity for number, identity in found}


def _is_new(draft: Draft, known: Keys) -> bool:
    """Whether it is to be written; what is written before it in this batch is known to it."""
    if draft.key is None or not known:
        return True
    place = (draft.route, fitting(draft.key))
    if draft.once and known.get(place) == draft.identity:
        return False
    known[place] = draft.identity
    return True


def _columns(drafts: Sequence[Draft]) -> list[list[Any]]:
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
    ]
