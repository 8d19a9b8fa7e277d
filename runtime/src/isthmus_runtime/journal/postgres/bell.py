"""The bell: replicas tell each other that there is work, so that it starts at once.

Ringing is no part of the transaction that brought the work: PostgreSQL lets transactions that
notify commit only one after the other, which would cost all of them their common sync. So a ring
may be lost, with its process or its connection. Therefore all look by themselves every few seconds,
and at once when they hear again after they did not.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterable
from typing import Final

from isthmus_runtime.journal.entries import new_uid
from isthmus_runtime.journal.journal import JournalError
from isthmus_runtime.journal.listeners import Listeners
from isthmus_runtime.journal.postgres import pool
from isthmus_runtime.journal.postgres.address import Address
from isthmus_runtime.journal.postgres.pool import Connection, Pool

CHANNEL: Final = "isthmus"
PAUSE_SECONDS: Final = 0.01
"""Between two rings: what comes meanwhile rings once."""
LOOK_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = (0.1, 2.0)

RING: Final = "SELECT pg_notify($1, $2 || ' ' || route) FROM unnest($3::text[]) AS route"


class Bell:
    """Of one process: rings for others, hears them, and wakes who listens here."""

    def __init__(self, pool_: Pool, listeners: Listeners) -> None:
        self._pool, self._listeners = pool_, listeners
        self._name = new_uid()
        self._due: set[str] = set()
        self._rings = asyncio.Event()
        self._tasks = [
            asyncio.create_task(each) for each in (self._ring_on(), self._hear(), self._look())
        ]

    def ring(self, routes: Iterable[str]) -> None:
        """There is work for these Routes: tell everybody, here at once."""
        self._due.update(routes)
        if self._due:
            self._rings.set()
            self._listeners.wake(tuple(self._due))

    async def close(self) -> None:
        """Be silent and deaf."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ring_on(self) -> None:
        while True:
            await self._rings.wait()
            self._rings.clear()
            routes, self._due = list(self._due), set()

            async def ring(connection: Connection, routes: list[str] = routes) -> None:
                await connection.execute(RING, CHANNEL, self._name, routes)

            with contextlib.suppress(JournalError):  # unavailable: others look by themselves
                await self._pool.run(ring)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self) -> None:
        first, most = _RETRY_SECONDS
        pause = first
        while True:
            try:
                await self._hear_until_lost(self._pool.address)
                pause = first
            except pool.FROM_DATABASE:
                pause = min(2 * pause, most)
            await asyncio.sleep(pause)

    async def _hear_until_lost(self, address: Address) -> None:
        connection = await pool.connect(address)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._listeners.wake_all()  # of what rang before, nothing was heard
            await lost.wait()
        finally:
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, _channel: str, said: object) -> None:
        who, _, route = str(said).partition(" ")
        if who != self._name:
            self._listeners.wake((route,))

    async def _look(self) -> None:
        """Everybody at a moment of its own."""
        while True:
            await asyncio.sleep(LOOK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            self._listeners.wake_all()
