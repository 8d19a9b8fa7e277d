"""The work queue: keys that wait to be reconciled, each once, whatever happened to it.

A key that is added while it waits is not added again. One that is added while it is worked on is
worked on again afterwards, and never by two workers at once. A key that failed comes back after a
delay of its own, which doubles with every failure in a row.

    queue.add(key)
    key = await queue.get()
    ...
    queue.done(key)              or queue.retry(key), or queue.done(key, again_in=5.0)
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K")

FIRST_DELAY_SECONDS: Final = 0.1
MAX_DELAY_SECONDS: Final = 60.0
JITTER: Final = 0.25


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a key waits after its n-th failure in a row, counted from 1."""

    first: float = FIRST_DELAY_SECONDS
    longest: float = MAX_DELAY_SECONDS
    spread: Callable[[], float] = random.random
    """A number from 0 to 1; the delay is shortened by up to a quarter of itself."""

    def delay(self, failures: int) -> float:
        """Seconds to wait."""
        # The exponent is bounded so that years of failures do not overflow a float.
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 32))
        return full * (1 - JITTER * self.spread())


class Queue(Generic[K]):
    """Keys in the order they came, without duplicates. Belongs to one event loop."""

    def __init__(
        self,
        backoff: Backoff | None = None,
        *,
        waited: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """`waited` is told for how many seconds a key waited whenever a worker takes one."""
        self._backoff = backoff or Backoff()
        self._waited = waited
        self._ready: deque[K] = deque()
        self._waiting: dict[K, float] = {}
        """Since when; keys in `_ready`, and keys under way that came again meanwhile."""
        self._under_way: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._filled = asyncio.Event()
        self._ended = asyncio.Event()
        self._closed = False
        self._moved = 0.0
        """When a key was finished last, or came to a queue that was empty."""

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: K) -> None:
        """Have a key worked on as soon as a worker is free."""
        if later := self._later.pop(key, None):
            later.cancel()
        if key in self._waiting:
            return
        self._waiting[key] = asyncio.get_running_loop().time()
        if key not in self._under_way:
            self._offer(key)

    def add_in(self, key: K, seconds: float) -> None:
        """Have a key worked on after a while; the sooner of two such times counts."""
        loop = asyncio.get_running_loop()
        known = self._later.get(key)
        if key in self._waiting or (known and known.when() <= loop.time() + seconds):
            return
        if known:
            known.cancel()
        self._later[key] = loop.call_later(seconds, self._come_due, key)

    async def get(self) -> K:
        """The next key, which is then under way until `done` or `retry`."""
        while self._closed or not self._ready:
            self._filled.clear()
            await self._filled.wait()
        key = self._ready.popleft()
        now = asyncio.get_running_loop().time()
        self._waited(now - self._waiting.pop(key))
        self._under_way[key] = now
        return key

    def done(self, key: K, *, again_in: float | None = None) -> None:
        """A key was worked on with success, and perhaps wants another look later."""
        self._failures.pop(key, None)
        self._end(key)
        if again_in is not None:
            self.add_in(key, again_in)

    def retry(self, key: K, *, at_least: float = 0.0) -> float:
        """A key failed: it comes back after its delay, which is returned in seconds."""
        self._failures[key] = failures = self._failures.get(key, 0) + 1
        delay = max(at_least, self._backoff.delay(failures))
        self._end(key)
        self.add_in(key, delay)
        return delay

    async def close(self) -> None:
        """Give out no more keys, and return once none is under way."""
        self._closed = True
        while self._under_way:
            self._ended.clear()
            await self._ended.wait()

    async def idle(self) -> None:
        """Return once nothing waits for a worker and nothing is under way."""
        while self._ready or self._under_way:
            self._ended.clear()
            await self._ended.wait()

    def oldest_under_way(self) -> float:
        """Seconds for which the key longest under way has been so; 0 when none is."""
        if not self._under_way:
            return 0.0
        return asyncio.get_running_loop().time() - min(self._under_way.values())

    def stuck_for(self) -> float:
        """Seconds for which keys wait and nothing was finished; 0 when none waits."""
        return asyncio.get_running_loop().time() - self._moved if self._ready else 0.0

    def _come_due(self, key: K) -> None:
        self._later.pop(key, None)
        self.add(key)

    def _end(self, key: K) -> None:
        self._under_way.pop(key, None)
        self._ended.set()
        self._moved = asyncio.get_running_loop().time()
        if key in self._waiting:
            self._offer(key)

    def _offer(self, key: K) -> None:
        if not self._ready:
            self._moved = asyncio.get_running_loop().time()
        self._ready.append(key)
        self._filled.set()
