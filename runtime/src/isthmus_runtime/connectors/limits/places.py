"""Places: so many calls at once, over all processes.

Between processes there is no order, but none keeps a place for longer than a moment while others
may wait.
"""

import asyncio
import contextlib
from typing import Final

from isthmus_runtime.connectors.limits.lines import Served
from isthmus_runtime.connectors.sharing import Sharing, Unshared
from isthmus_runtime.journal.permits import Permits, waiting_for

LEASE_SECONDS: Final = 15.0
"""After which the places of a process that was killed are free again."""
LINGER_SECONDS: Final = 0.05
"""How long a place is kept for the next call; without it each call would ask for one."""
KEEP_SECONDS: Final = 0.5
"""How long a place goes from call to call before it is offered to other processes."""
LOOK_SECONDS: Final = 0.25
"""How often places are asked for when nobody rang."""


class Places(Served[None]):
    """The places of one Connector, as this process keeps them."""

    def __init__(self, name: str, limit: int, sharing: Sharing) -> None:
        super().__init__()
        self._name, self._limit, self._sharing = name, limit, sharing
        self._have = self._busy = 0
        self._since = 0.0
        self._leaving: set[asyncio.Task[None]] = set()
        self._staying: asyncio.Task[None] | None = None

    async def enter(self, deadline: float) -> None:
        """Wait for a place; `Unshared` where nobody can say whether there is one."""
        if self._busy < self._have and not self._waiting:
            self._busy += 1
        else:
            await self.wait(deadline)

    def leave(self) -> None:
        """Hand the place on, keep it for a moment, or give it back."""
        self._busy -= 1
        if self._loop.time() - self._since > KEEP_SECONDS:
            self._give_back(self._have - self._busy)
        elif self._waiting:
            self._busy += self._let_pass(1, None)
        else:
            self._loop.call_later(LINGER_SECONDS, self._give_back_idle)

    async def close(self) -> None:
        """Give all places back."""
        await super().close()
        if self._staying is not None:
            self._staying.cancel()
        self._give_back(self._have)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _refused(self) -> None:
        self.leave()

    async def _serve(self) -> None:
        wanted, woken = len(self._waiting), asyncio.Event()
        stops = []

        async def ask(permits: Permits) -> int:
            stops.append(permits.listen(waiting_for(self._name), woken.set))
            return await self._enter(permits, wanted)

        try:
            given = await self._sharing.ask(ask)
            self._take(given)
            if not given and self._waiting:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), LOOK_SECONDS)
        finally:
            for stop in stops:
                stop()

    async def _enter(self, permits: Permits, wanted: int) -> int:
        return await permits.enter(
            self._name,
            limit=self._limit,
            owner=self._sharing.owner,
            wanted=wanted,
            lease=LEASE_SECONDS,
        )

    def _take(self, given: int) -> None:
        if given and not self._have:
            self._since = self._loop.time()
        self._have += given
        self._busy += self._let_pass(min(given, self._have - self._busy), None)
        self._give_back_idle()
        if self._have and (self._staying is None or self._staying.done()):
            self._staying = self._loop.create_task(self._stay())

    async def _stay(self) -> None:
        """Keep the lease while there is a place."""
        while self._have:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(Unshared):
                await self._sharing.ask(lambda permits: self._enter(permits, 0))

    def _give_back_idle(self) -> None:
        if not self._waiting:
            self._give_back(self._have - self._busy)

    def _give_back(self, places: int) -> None:
        if places <= 0:
            return
        self._have -= places
        self._since = self._loop.time()
        task = self._loop.create_task(self._tell(places))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _tell(self, places: int) -> None:
        owner = self._sharing.owner
        with contextlib.suppress(Unshared):  # away: the lease ends by itself
            await self._sharing.ask(
                lambda permits: permits.leave(self._name, owner=owner, places=places)
            )
