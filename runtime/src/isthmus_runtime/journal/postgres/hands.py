"""The desk's hands on a PostgreSQL database."""

from collections.abc import Callable

from isthmus_runtime.journal.desk import Desk
from isthmus_runtime.journal.postgres import bell, home, pool, scripts
from isthmus_runtime.journal.postgres.address import Address
from isthmus_runtime.journal.postgres.pool import Connection, Pool
from isthmus_runtime.journal.script import Script, T


async def open_desk(address: Address) -> Desk:
    """A desk at a database; it gets its tables where it has none."""
    await home.prepare(address)
    return Desk(PostgresHands(Pool(address, size=1, settings=pool.PLANNED)))


class PostgresHands:
    """One connection, with the planner's own judgement: searches are not the queue's statements."""

    def __init__(self, pool_: Pool) -> None:
        self._pool = pool_

    async def read(self, make: Callable[[], Script[T]]) -> T:
        """One snapshot for all of a script."""

        async def do(connection: Connection) -> T:
            first = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            async with pool.transaction(connection, first):
                return await scripts.play(connection, make())

        return await self._pool.run(do)

    async def write(self, make: Callable[[], Script[T]]) -> T:
        """A transaction."""
        return await self._pool.run(lambda c: scripts.play_whole(c, make()))

    async def ring(self, routes: frozenset[str]) -> None:
        """Tell all replicas."""
        await self._pool.run(lambda c: c.execute(bell.RING, bell.CHANNEL, "desk", sorted(routes)))

    async def close(self) -> None:
        """Leave."""
        await self._pool.close()
