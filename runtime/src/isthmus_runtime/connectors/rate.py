"""Rate: at most so many calls in any window, in the order they came."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from isthmus_api.connector import RateLimit


class Overdue(Exception):
    """The limit would let the call pass only after its deadline."""


class RateLimiter:
    """A sliding window over the times of the last calls.

    A call reserves the moment at which it may start, so waiting calls keep their order and none is
    let through early. `at_once` calls hold a turn: were there more than connections, those let
    through would gather behind a slow system, and reach it in one burst.
    """

    def __init__(self, limit: RateLimit, *, at_once: int) -> None:
        self._requests = limit.requests
        self._window = limit.per.seconds
        self._starts: deque[float] = deque(maxlen=limit.requests)
        self._turns = asyncio.Semaphore(min(at_once, limit.concurrency or at_once))
        self._order = asyncio.Lock()  # timers that are due at the same moment do not keep theirs

    def reserve(self, *, now: float, deadline: float) -> float:
        """The moment at which the next call may start; `Overdue` reserves nothing."""
        start = now
        if self._requests is not None and len(self._starts) == self._requests:
            start = max(now, self._starts[0] + self._window)
        if start >= deadline:
            raise Overdue
        if self._requests is not None:
            self._starts.append(start)
        return start

    @asynccontextmanager
    async def turn(self, *, deadline: float) -> AsyncIterator[float]:
        """Wait until a call may start, and let it; how many seconds that took."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError:
            raise Overdue from None
        try:
            start = self.reserve(now=loop.time(), deadline=deadline)
            async with self._order:
                if start > loop.time():
                    await asyncio.sleep(start - loop.time())
            yield loop.time() - asked_at
        finally:
            self._turns.release()
