"""The journal's home in PostgreSQL."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from isthmus_runtime.journal import memories, pruning, tasks, waiting
from isthmus_runtime.journal.entries import Claim, Draft, Memory, Message, Settlement, State
from isthmus_runtime.journal.journal import Unavailable
from isthmus_runtime.journal.listeners import Listeners
from isthmus_runtime.journal.permits import Permits
from isthmus_runtime.journal.postgres import (
    accepting,
    claiming,
    errors,
    migrating,
    permitting,
    pool,
    scripts,
    settling,
)
from isthmus_runtime.journal.postgres.accepting import NOW
from isthmus_runtime.journal.postgres.address import Address, wrong
from isthmus_runtime.journal.postgres.batches import Batches
from isthmus_runtime.journal.postgres.bell import Bell
from isthmus_runtime.journal.postgres.pool import Connection, Pool
from isthmus_runtime.journal.script import Script
from isthmus_runtime.journal.scripted import Scripted

T = TypeVar("T")

CONNECTIONS: Final = 4
"""Of a process, besides the one that listens."""
LANES: Final = 2
"""Statements of a kind under way: one is synced while the next is sent."""
COUNTED_SECONDS: Final = 1.0
SET_BACK_SECONDS: Final = 1.0

_NEXT_DUE: Final = (
    f"SELECT min(due_at) - {NOW} FROM queue WHERE route = $1 AND turn < 2 AND due_at > $2"
)
_BACKLOG: Final = "SELECT count(*) FROM queue WHERE route = $1 AND state <> 'dead'"
_HEAL: Final = (
    # Claims skip rows that are locked, and must not skip the older of two: they wait for all.
    "LOCK TABLE queue IN EXCLUSIVE MODE;"
    f" UPDATE queue SET due_at = {NOW} + greatest(due_at - since, 0), since = {NOW}"
    f" WHERE since > {NOW} + {SET_BACK_SECONDS}"
)
_NEWEST: Final = (
    f"SELECT accepted_at > {NOW} + {SET_BACK_SECONDS} FROM messages ORDER BY sequence DESC LIMIT 1"
)


async def open_database(address: Address) -> "PostgresJournal":
    """Be one of those who work on a database."""
    await prepare(address)
    return PostgresJournal(address)


async def prepare(address: Address) -> None:
    """Reach the database, and give it its tables."""
    try:
        connection = await pool.connect(address)
    except ValueError:  # of asyncpg, which may quote the address
        raise wrong("has a port or a setting that is none") from None
    except pool.FROM_DATABASE as error:
        raise errors.refused(error, address) from error
    try:
        await migrating.prepare(connection)
        if await connection.fetchval(_NEWEST):
            await connection.execute(_HEAL)
    except pool.FROM_DATABASE as error:
        raise errors.translated(error, address) from error
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=1.0)


class PostgresJournal(Scripted):
    """A `Journal` in a database that others use, too."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pool = Pool(address, size=CONNECTIONS)
        self._listeners = Listeners()
        self._bell = Bell(self._pool, self._listeners)
        self._permits = permitting.SharedPermits(self._pool, self._bell, self._listeners)
        self._accepts: Batches[Sequence[Draft], int] = Batches(self._accept, lanes=LANES)
        self._settles: Batches[Settlement, bool] = Batches(self._settle, lanes=LANES)
        self._serial: dict[str, bool] = {}
        self._claimed_at: dict[str, float] = {}
        self._ahead: float | None = None  # of the server's clock, compared with ours
        self._counted: dict[str, tuple[float, int]] = {}
        self._since_counted: Counter[str] = Counter()
        self._closed = False

    async def accept(self, drafts: Sequence[Draft]) -> int:
        """Write drafts; those that were there before are left as they are."""
        self._refuse_if_closed()
        return await self._accepts.add(drafts, size=sum(len(draft.body) for draft in drafts))

    async def claim(self, wish: Claim) -> list[Message]:
        """Take due messages; a caller that went away meanwhile gives them back."""
        claimed = asyncio.ensure_future(self._pool.run(lambda c: self._claim(c, wish)))
        try:
            return await asyncio.shield(claimed)
        except asyncio.CancelledError:
            claimed.add_done_callback(self._give_back)
            raise

    async def settle(self, settlement: Settlement) -> bool:
        """Write how an attempt ended."""
        self._refuse_if_closed()
        return await self._settles.add(settlement, size=len(settlement.journey))

    async def extend(self, messages: Sequence[Message], lease: float) -> None:
        """Keep claims."""
        await self._pool.run(lambda c: claiming.extend(c, messages, lease))

    async def release(self, messages: Sequence[Message], *, after: float = 0.0) -> None:
        """Give claims back."""
        routes = await self._pool.run(lambda c: claiming.release(c, messages, after=after))
        if not after:
            self._bell.ring(routes)

    async def next_due(self, route: str) -> float | None:
        """Seconds until something comes due that was not when the Route was claimed last."""
        since = self._claimed_at.get(route, 0.0)
        due: float | None = await self._pool.run(lambda c: c.fetchval(_NEXT_DUE, route, since))
        return None if due is None else max(0.0, due)

    def listen(self, route: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Wake when messages came, by whatever replica, and now and then to be sure."""
        return self._listeners.add(route, wake)

    async def backlog(self, route: str) -> int:
        """Counted now and then, the less often the longer it takes; in between, what this process
        accepted and settled counts."""
        until, count = self._counted.get(route, (0.0, 0))
        started = time.monotonic()
        if started > until:
            self._since_counted[route] = 0
            count = await self._pool.run(lambda c: c.fetchval(_BACKLOG, route))
            now = time.monotonic()
            self._counted[route] = now + max(COUNTED_SECONDS, 20 * (now - started)), count
        return max(0, count + self._since_counted[route])

    async def overdue(self, route: str) -> float:
        """See `waiting.overdue`; one statement needs no transaction."""
        return await self._pool.run(lambda c: scripts.play(c, waiting.overdue(route)))

    async def fire(self, route: str, at: datetime, drafts: Sequence[Draft]) -> bool:
        """See `tasks.fire`."""
        fired = await self._play(lambda: tasks.fire(route, at, drafts))
        if fired:
            self._bell.ring({draft.route for draft in drafts})
        return fired

    async def get(
        self, namespace: str, store: str, *, key: str | None = None, reference: str | None = None
    ) -> Memory | None:
        """See `memories.get`; one statement needs no transaction."""
        return await self._pool.run(
            lambda c: scripts.play(c, memories.get(namespace, store, key=key, reference=reference))
        )

    @property
    def permits(self) -> Permits:
        """Limits that all who work on this database share."""
        return self._permits

    async def prune(self, route: str, *, settled_for: float, at_most: int) -> int:
        """See `pruning`."""
        return await pruning.prune(self._play, route, settled_for=settled_for, at_most=at_most)

    async def close(self) -> None:
        """Let what was handed in be written, then leave."""
        self._closed = True
        await self._accepts.rest()
        await self._settles.rest()
        await self._bell.close()
        await self._pool.close()

    async def _accept(self, calls: Sequence[Sequence[Draft]], *, careful: bool) -> Sequence[int]:
        whole = any(draft.once for drafts in calls for draft in drafts)

        async def do(connection: Connection) -> list[int]:
            if not whole:
                return await accepting.accept(connection, calls, careful=careful)
            async with pool.transaction(connection):
                return await accepting.accept(connection, calls, careful=careful)

        counts = await self._pool.run(do)
        for drafts, count in zip(calls, counts, strict=True):
            if drafts:
                self._since_counted[drafts[0].route] += count
        self._bell.ring({draft.route for drafts in calls for draft in drafts})
        return counts

    async def _settle(self, calls: Sequence[Settlement], *, careful: bool) -> Sequence[bool]:
        answers, woken = await self._pool.run(
            lambda c: settling.settle(c, calls, serial=self._serial, careful=careful)
        )
        for each, held in zip(calls, answers, strict=True):
            self._since_counted[each.message.route] -= held and each.state is not State.RETRY
        self._bell.ring(woken)
        return answers

    async def _claim(self, connection: Connection, wish: Claim) -> list[Message]:
        if self._serial.get(wish.route) is not wish.serial:
            await claiming.mend(connection, wish)
            self._serial[wish.route] = wish.serial
        claim = claiming.in_order if wish.serial else claiming.in_any_order
        claimed = await claim(connection, wish)
        self._claimed_at[wish.route] = claimed.asked_at
        await self._look_at_the_clock(connection, claimed.asked_at)
        return claimed.messages

    async def _look_at_the_clock(self, connection: Connection, server: float) -> None:
        """Where the server's clock was set back, what waits would wait for longer by as much."""
        ahead = server - time.monotonic()
        if self._ahead is not None and ahead < self._ahead - SET_BACK_SECONDS:
            await connection.execute(_HEAL)
            self._listeners.wake_all()
        self._ahead = ahead

    async def _play(self, make: Callable[[], Script[T]]) -> T:
        self._refuse_if_closed()
        return await self._pool.run(lambda c: scripts.play_whole(c, make()))

    def _give_back(self, claimed: asyncio.Future[list[Message]]) -> None:
        if not claimed.cancelled() and not claimed.exception() and claimed.result():
            task = asyncio.ensure_future(self.release(claimed.result()))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Unavailable(f"the journal {self._address} is closed")
