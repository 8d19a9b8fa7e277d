"""A few connections: opened when they are needed, kept, and opened again when they were lost.

A call that finds its connection dead is done once more on a new one, for a database that was
restarted has every old connection dead. That may do twice what was done already, so all that goes
through here is written to stand it. A database that does not answer is left alone for a moment:
calls meanwhile fail at once instead of waiting each for its own time-out.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import asyncpg

from isthmus_runtime.journal import schema
from isthmus_runtime.journal.journal import JournalError, Unavailable
from isthmus_runtime.journal.postgres import errors
from isthmus_runtime.journal.postgres.address import Address

T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 30.0
LEFT_ALONE_SECONDS: Final = 0.5
FROM_DATABASE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

PLANNED: Final = {
    "application_name": "isthmus",
    "search_path": schema.SCHEMA,
    "jit": "off",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
"""Settings of a connection that leaves plans to the planner."""
SET: Final = PLANNED | {
    # The queue is empty one moment and has a million rows the next. Statistics of the wrong moment
    # would make the planner read all of it; its indexes are right at any size.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "plan_cache_mode": "force_generic_plan",
}

_COMPRESS: Final = (
    # Where the server knows lz4 (14 and later, built with it): of an order of 5.6 KB it takes
    # 36 us less of its time than pglz, for a seventh more bytes.
    "SELECT set_config(name, 'lz4', false) FROM pg_settings"
    " WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
)


class Connection(Protocol):
    """What we use of an asyncpg connection, which has no types of its own."""

    async def execute(
        self,
        sql: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109 - theirs
    ) -> str:
        """Run a statement, or several without arguments."""
        ...

    async def fetch(self, sql: str, *args: object) -> list[Sequence[Any]]:
        """The rows of a statement."""
        ...

    async def fetchrow(self, sql: str, *args: object) -> Sequence[Any] | None:
        """The first row."""
        ...

    async def fetchval(self, sql: str, *args: object) -> Any:
        """The first value of the first row."""
        ...

    async def add_listener(self, channel: str, heard: Callable[..., None]) -> None:
        """LISTEN."""
        ...

    def add_termination_listener(self, ended: Callable[..., None]) -> None:
        """Call when the connection is gone."""
        ...

    def is_in_transaction(self) -> bool:
        """Whether a BEGIN was not ended."""
        ...

    def is_closed(self) -> bool:
        """Whether it is gone, as far as is known."""
        ...

    def terminate(self) -> None:
        """End it at once."""
        ...

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - theirs
        """End it in peace."""
        ...


async def connect(address: Address, settings: Mapping[str, str] = SET) -> Connection:
    """A connection of its own, as the pool's are.

    A caller that goes away does not end the attempt: asyncpg 0.32 asks a server whether it speaks
    TLS, and where it is cancelled then, nobody looks at how that failed, and the loop complains.
    """
    opening = asyncio.ensure_future(_open(address, settings))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_forsake)
        raise


async def _open(address: Address, settings: Mapping[str, str]) -> Connection:
    connection: Connection = await asyncpg.connect(
        address.url,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        server_settings=dict(settings),
    )
    try:
        await connection.execute(_COMPRESS, timeout=CONNECT_SECONDS)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _forsake(opening: asyncio.Future[Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().terminate()


class Pool:
    """At most `size` connections."""

    def __init__(self, address: Address, *, size: int, settings: Mapping[str, str] = SET) -> None:
        self.address = address
        self._settings = settings
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._closed = False
        self._left_alone_until = 0.0

    async def run(self, do: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on a connection, once more if that turns out to be dead, or in a deadlock.

        Errors are the journal's; one that is no `Unavailable` is the request's own.
        """
        async with self._free:
            try:
                return await self._attempt(do)
            except Exception as error:
                if not (errors.is_lost(error) or errors.state(error) in errors.AGAIN):
                    raise self._told(error) from error
            try:
                return await self._attempt(do)
            except Exception as error:
                raise self._told(error) from error

    def _told(self, error: Exception) -> Exception:
        if isinstance(error, JournalError):
            return error
        if isinstance(error, FROM_DATABASE):
            return errors.translated(error, self.address)
        return error

    async def _attempt(self, do: Callable[[Connection], Awaitable[T]]) -> T:
        connection = await self._take()
        whole = False
        try:
            result = await do(connection)
            whole = True
            return result
        except asyncpg.PostgresError as error:
            whole = not errors.is_lost(error)
            raise
        finally:
            if whole and not self._closed and not connection.is_closed():
                if connection.is_in_transaction():
                    await connection.execute("ROLLBACK")
                self._idle.append(connection)
            else:  # cancelled, timed out or lost: what it is in the middle of is unknown
                connection.terminate()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        if self._closed:
            raise Unavailable(f"the journal {self.address} is closed")
        if time.monotonic() < self._left_alone_until:
            raise Unavailable(f"the journal {self.address}: it cannot be reached")
        try:
            return await connect(self.address, self._settings)
        except FROM_DATABASE as error:
            self._left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
            raise Unavailable(f"the journal {self.address}: it cannot be reached") from error

    async def close(self) -> None:
        """End the connections; nothing is under way any more."""
        self._closed = True
        for connection in self._idle:
            with contextlib.suppress(Exception):
                await connection.close(timeout=1.0)
        self._idle.clear()


@contextlib.asynccontextmanager
async def transaction(connection: Connection, first: str = "") -> AsyncIterator[None]:
    """All or nothing. `first` goes with the BEGIN, in one round trip."""
    await connection.execute(f"BEGIN; {first}")
    try:
        yield
    except BaseException:
        if not connection.is_closed():
            with contextlib.suppress(Exception):
                await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")
