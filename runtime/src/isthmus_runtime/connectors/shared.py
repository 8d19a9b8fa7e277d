"""Shared limits: one Connector's limits over all processes that call the system.

Like `rate.RateLimiter`, and in the same place: a call takes its turn before it is sent. Calls that
wait here ask the journal together, and are let through in the order in which they came. Between
processes there is no order, but none keeps a place for longer than a moment while others may wait.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from isthmus_runtime.connectors.rate import Overdue
from isthmus_runtime.journal.journal import Journal, JournalError
from isthmus_runtime.journal.permits import waiting_for

LEASE_SECONDS: Final = 15.0
"""After which the places of a process that was killed are free again."""
LINGER_SECONDS: Final = 0.05
"""How long a place is kept for the next call; without it each call would ask for one."""
KEEP_SECONDS: Final = 0.5
"""How long a place goes from call to call before it is offered to other processes."""
LOOK_SECONDS: Final = 0.25
"""How often places are asked for when nobody rang."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one system; `requests` in `per` seconds, and `concurrency` at once."""

    name: str
    requests: int | None
    per: float
    concurrency: int | None


@dataclass(slots=True, eq=False)
class _Waiting:
    deadline: float
    turn: asyncio.Future[None]


class SharedLimiter:
    """The limits of one Connector, as this process keeps them."""

    def __init__(self, journal: Journal, limits: Limits, *, owner: str) -> None:
        self._rate = _Rate(journal, limits)
        self._places = _Places(journal, limits, owner)

    @asynccontextmanager
    async def turn(self, *, deadline: float) -> AsyncIterator[float]:
        """Wait until a call may start, and let it; how many seconds that took. `Overdue` when the
        limits would let it pass only after its deadline."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        await self._places.enter(deadline)
        try:
            await self._rate.wait(deadline)
            yield loop.time() - asked_at
        finally:
            self._places.leave()

    async def close(self) -> None:
        """Give everything back."""
        await self._rate.close()
        await self._places.close()


class _Line:
    """Calls in a line, and a task that serves them while there are any."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def wait(self, deadline: float) -> None:
        """Wait for the turn; the deadline is on the loop's clock."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(deadline, loop.create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._serve_all())
        try:
            async with asyncio.timeout_at(deadline):
                await waiting.turn
        except BaseException as error:
            if waiting.turn.done() and not waiting.turn.cancelled() and _gave(waiting.turn):
                self._refused()  # it came at the moment at which nobody waited any more
            if isinstance(error, TimeoutError):
                raise Overdue from None
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiting)

    async def close(self) -> None:
        """Serve nobody any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _serve_all(self) -> None:
        while self._waiting:
            try:
                await self._serve()
            except JournalError as error:
                self._fail(error)

    async def _serve(self) -> None:
        raise NotImplementedError

    def _refused(self) -> None:
        """A turn was given to a call that did not take it."""

    def _let_pass(self, count: int) -> int:
        """Let the first of the line pass; how many there were."""
        passed = 0
        while passed < count and self._waiting:
            first = self._waiting.popleft()
            if not first.turn.done():
                first.turn.set_result(None)
                passed += 1
        return passed

    def _drop_overdue(self, soonest: float) -> None:
        """Tell those whose deadline is before anything can be granted; they need not wait."""
        for waiting in self._waiting:
            if waiting.deadline <= soonest and not waiting.turn.done():
                waiting.turn.set_exception(Overdue())

    def _fail(self, error: JournalError) -> None:
        for waiting in self._waiting:
            if not waiting.turn.done():
                waiting.turn.set_exception(error)
        self._waiting.clear()


class _Rate(_Line):
    """So many calls in a window."""

    def __init__(self, journal: Journal, limits: Limits) -> None:
        super().__init__()
        self._journal, self._limits = journal, limits

    async def wait(self, deadline: float) -> None:
        """Wait until one more call is within the limit."""
        if self._limits.requests is not None:
            await super().wait(deadline)

    async def _serve(self) -> None:
        limits, wanted = self._limits, len(self._waiting)
        if limits.requests is None:
            return
        grant = await self._journal.take(
            limits.name, requests=limits.requests, per=limits.per, wanted=wanted
        )
        self._let_pass(grant.granted)
        if grant.granted < wanted:
            self._drop_overdue(asyncio.get_running_loop().time() + grant.wait)
            await asyncio.sleep(grant.wait + random.uniform(0.0, 0.003))  # noqa: S311 - no secret


class _Places(_Line):
    """So many calls at once."""

    def __init__(self, journal: Journal, limits: Limits, owner: str) -> None:
        super().__init__()
        self._journal, self._limits, self._owner = journal, limits, owner
        self._have = self._busy = 0
        self._since = 0.0
        self._leaving: set[asyncio.Task[None]] = set()
        self._staying: asyncio.Task[None] | None = None

    async def enter(self, deadline: float) -> None:
        """Wait for a place."""
        if self._limits.concurrency is None:
            return
        if self._busy < self._have and not self._waiting:
            self._busy += 1
        else:
            await super().wait(deadline)

    def _refused(self) -> None:
        self.leave()

    def leave(self) -> None:
        """Hand the place on, keep it for a moment, or give it back."""
        if self._limits.concurrency is None:
            return
        now = asyncio.get_running_loop().time()
        self._busy -= 1
        if now - self._since > KEEP_SECONDS:
            self._give_back(self._have - self._busy)
        elif self._waiting:
            self._busy += self._let_pass(1)
        else:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._give_back_idle)

    async def close(self) -> None:
        """Give all places back."""
        await super().close()
        if self._staying is not None:
            self._staying.cancel()
        self._give_back(self._have)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _serve(self) -> None:
        wanted, woken = len(self._waiting), asyncio.Event()
        stop = self._journal.listen(waiting_for(self._limits.name), woken.set)
        try:
            given = await self._ask(wanted)
            if not given and self._waiting:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), LOOK_SECONDS)
        finally:
            stop()

    async def _ask(self, wanted: int) -> int:
        given = await self._journal.enter(
            self._limits.name,
            limit=self._limits.concurrency or 0,
            owner=self._owner,
            wanted=wanted,
            lease=LEASE_SECONDS,
        )
        if given and not self._have:
            self._since = asyncio.get_running_loop().time()
        self._have += given
        self._busy += self._let_pass(min(given, self._have - self._busy))
        self._give_back_idle()
        if self._have and (self._staying is None or self._staying.done()):
            self._staying = asyncio.create_task(self._stay())
        return given

    async def _stay(self) -> None:
        """Keep the lease while there is a place."""
        while self._have:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(JournalError):
                await self._journal.enter(
                    self._limits.name,
                    limit=self._limits.concurrency or 0,
                    owner=self._owner,
                    wanted=0,
                    lease=LEASE_SECONDS,
                )

    def _give_back_idle(self) -> None:
        if not self._waiting:
            self._give_back(self._have - self._busy)

    def _give_back(self, places: int) -> None:
        if places <= 0:
            return
        self._have -= places
        self._since = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._tell(places))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _tell(self, places: int) -> None:
        with contextlib.suppress(JournalError):  # unavailable: the lease ends by itself
            await self._journal.leave(self._limits.name, owner=self._owner, places=places)


def _gave(turn: asyncio.Future[None]) -> bool:
    return turn.exception() is None
