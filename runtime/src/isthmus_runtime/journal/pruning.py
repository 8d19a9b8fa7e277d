"""Pruning: what is settled and old goes, in transactions short enough to stand in nobody's way.

What is under way and what is dead stays, however old; so does the audit. What a message had in
other tables goes with it.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from isthmus_runtime.journal.script import Script, query

T = TypeVar("T")

CHUNK: Final = 500

DELIVERIES_KEPT: Final = 30 * 86_400.0
"""How long `skipIfDelivered` remembers at least, however soon messages go."""

_GOING: Final = ("finished", "skipped", "rejected")

_OLDEST: Final = (
    "SELECT sequence, settled_at < @now - $2 FROM ("
    + " UNION ALL ".join(
        "SELECT * FROM (SELECT sequence, settled_at FROM outcomes"
        f" WHERE route = $1 AND state = '{state}' ORDER BY sequence LIMIT $3) AS {state}"
        for state in _GOING
    )
    + ") AS settled ORDER BY sequence LIMIT $3"
)

_COUNT: Final = "SELECT " + " + ".join(
    f"(SELECT count(*) FROM outcomes WHERE route = $1 AND state = '{state}')" for state in _GOING
)


class Play(Protocol):
    """Runs a script in a transaction of its own."""

    def __call__(self, make: Callable[[], Script[T]], /) -> Awaitable[T]:
        """What the script gave."""
        ...


async def prune(play: Play, route: str, *, settled_for: float, at_most: int) -> int:
    """Everything of a Route that may go, and what has expired of the store."""
    excess, gone = await play(lambda: settled(route)) - at_most, 0

    def oldest() -> Script[int]:
        return messages(route, settled_for=settled_for, excess=excess - gone)

    while count := await play(oldest):
        gone += count
    while await play(lambda: deliveries(route, settled_for=settled_for)):
        pass
    await play(lambda: compositions(route))
    while await play(memories):
        pass
    return gone


def settled(route: str) -> Script[int]:
    """How many messages could go."""
    [[count]] = yield query(_COUNT, route)
    return int(count)


def messages(route: str, *, settled_for: float, excess: int) -> Script[int]:
    """One transaction: the oldest that are too old or too many.

    They go in the order in which they came. One that came early and was settled late, as after a
    replay, is passed by until its time.
    """
    rows = yield query(_OLDEST, route, settled_for, CHUNK)
    going = [row[0] for number, row in enumerate(rows) if row[1] or number < excess]
    if going:
        # SQLite gives a number again once all higher ones are gone, and others remember numbers.
        yield query(
            "INSERT INTO meta (name, value) VALUES ('pruned', $1) ON CONFLICT (name) DO UPDATE"
            " SET value = excluded.value"
            " WHERE CAST(meta.value AS bigint) < CAST(excluded.value AS bigint)",
            str(max(going)),
        )
        for table in ("messages", "outcomes", "attempts", "revisions"):
            yield query(f"DELETE FROM {table} WHERE sequence IN @numbers($1)", going)
    return len(going)


def deliveries(route: str, *, settled_for: float) -> Script[int]:
    """One transaction: identities that were delivered so long ago that nobody asks."""
    gone = yield query(
        "DELETE FROM deliveries WHERE route = $1 AND identity IN ("
        "  SELECT identity FROM deliveries WHERE route = $1 AND at < @now - $2 LIMIT $3)"
        " RETURNING 1",
        route,
        max(settled_for, DELIVERIES_KEPT),
        CHUNK,
    )
    return len(gone)


def compositions(route: str) -> Script[None]:
    """One transaction: batches of which a message was dropped, or that nobody composes any more."""
    yield query(
        "DELETE FROM compositions WHERE route = $1 AND NOT EXISTS ("
        "  SELECT 1 FROM queue WHERE queue.sequence = compositions.sequence)",
        route,
    )


def memories() -> Script[int]:
    """One transaction: values of the store whose time is over."""
    gone = yield query(
        "DELETE FROM memories WHERE (namespace, store, key) IN ("
        "  SELECT namespace, store, key FROM memories WHERE expires_at <= @now LIMIT $1)"
        " RETURNING 1",
        CHUNK,
    )
    return len(gone)
