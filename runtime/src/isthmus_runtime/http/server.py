"""Listens, sweeps away what takes too long, and drains without losing a request."""

import asyncio
from collections.abc import Callable

from isthmus_runtime.http import application, connection, limits, shared

_LAST_CALL = 0.05
"""Seconds that an idle connection stays open when draining, for a request already on its way."""

_CANCEL_PATIENCE = 1.0


class Server:
    """An HTTP/1.1 server for one application, on one event loop.

    server = Server(application, ServerLimits(), on_error=log)
    port = await server.start("0.0.0.0", 8080)
    ...
    aborted = await server.drain(25, linger=5)
    """

    def __init__(
        self,
        served: application.Application,
        server_limits: limits.ServerLimits,
        *,
        on_error: application.OnError,
        on_refused: application.OnRefused = application.as_it_is,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._served = served
        self._limits = server_limits
        self._on_error = on_error
        self._on_refused = on_refused
        self._clock = clock
        self._shared: shared.Shared | None = None
        self._listener: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def open_connections(self) -> int:
        """How many client connections are open."""
        return len(self._shared.connections) if self._shared else 0

    @property
    def in_flight(self) -> int:
        """How many requests have arrived whole and are not answered yet."""
        return self._shared.in_flight if self._shared else 0

    @property
    def is_listening(self) -> bool:
        """Whether the port is open, or was: after that see `is_leaving`."""
        return self._listener is not None

    @property
    def is_leaving(self) -> bool:
        """Whether a drain has begun."""
        return self._shared is not None and self._shared.leaving

    @property
    def refused(self) -> int:
        """How many connections ended with an answer that was not the application's to a request."""
        return self._shared.refused if self._shared else 0

    async def start(
        self, host: str | None, port: int, *, backlog: int = 1024, reuse_port: bool = False
    ) -> int:
        """Listen, and return the port, which the system chooses where 0 was asked for."""
        loop = asyncio.get_running_loop()
        common = self._shared = shared.Shared(
            application=self._served,
            limits=self._limits,
            on_error=self._on_error,
            on_refused=self._on_refused,
            clock=self._clock or loop.time,
            loop=loop,
        )
        self._listener = await loop.create_server(
            lambda: connection.Connection(common),
            host,
            port,
            backlog=backlog,
            reuse_port=reuse_port,
        )
        self._schedule_sweep(loop)
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    def sweep(self) -> None:
        """Look at every connection's due times once. The server does so by itself."""
        if self._shared is None:
            return
        now = self._shared.clock()
        for member in tuple(self._shared.connections):
            if now >= member.due or now >= member.write_due or now >= member.old_at:
                member.sweep(now)

    async def drain(self, grace: float, *, linger: float = 0.0) -> int:
        """Stop, and return how many connections had to be broken off.

        For `linger` seconds all goes on, but every answer says `connection: close`: who sends
        requests here can learn meanwhile that we leave. After that no connection is accepted any
        more, idle ones close, and what has begun is still answered. What is unfinished `grace`
        seconds later is aborted, its handler cancelled.
        """
        common = self._shared
        if common is None:
            return 0
        common.leaving = True
        if linger:
            await asyncio.sleep(linger)
        deadline = common.loop.time() + grace
        common.draining = True
        if self._listener is not None:
            self._listener.close()
        await asyncio.sleep(min(_LAST_CALL, grace))
        for member in tuple(common.connections):
            member.close_if_idle()
        common.note_departure()
        try:
            async with asyncio.timeout_at(deadline):
                await common.quiet.wait()
        except TimeoutError:
            pass
        aborted = sum([member.abort() for member in tuple(common.connections)])
        await self._cancel_handlers(common)
        if self._sweeper is not None:
            self._sweeper.cancel()
        return aborted

    async def _cancel_handlers(self, common: shared.Shared) -> None:
        """Cancel also the handlers whose client is gone; wait until all the rest has unwound."""
        for task in tuple(common.tasks):
            task.cancel()
        common.note_departure()
        try:
            async with asyncio.timeout(_CANCEL_PATIENCE):
                await common.quiet.wait()
        except TimeoutError:
            self._on_error(RuntimeError("a handler did not end when it was cancelled"), None)

    def _schedule_sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        known = self._limits
        shortest = min(
            known.header_timeout,
            known.body_timeout,
            known.idle_timeout,
            known.write_timeout,
            known.linger_timeout,
            known.max_age,
        )
        pause = min(1.0, max(0.02, shortest / 4))

        def swept() -> None:
            self._sweeper = loop.call_later(pause, swept)
            self.sweep()

        self._sweeper = loop.call_later(pause, swept)
