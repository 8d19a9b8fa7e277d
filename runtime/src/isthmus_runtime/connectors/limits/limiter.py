"""Limiter: the limits of one Connector, as its calls go through them.

In order: a connection, so that those let through do not gather behind a slow system and reach it in
one burst; a place among the calls of all processes; the rate, and the end of a pause. A call holds
what it has while it waits for the next, so calls of a process go in the order in which they came.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from isthmus_api.rate_limit import RateLimit
from isthmus_runtime import metrics
from isthmus_runtime.connectors.limits import learning
from isthmus_runtime.connectors.limits.lines import Crowded, Overdue
from isthmus_runtime.connectors.limits.pauses import Pause
from isthmus_runtime.connectors.limits.places import Places
from isthmus_runtime.connectors.limits.rates import Drawing, Turns
from isthmus_runtime.connectors.sharing import Sharing, Unshared
from isthmus_runtime.http.messages import Response
from isthmus_runtime.journal.permits import Rate


class Turn(NamedTuple):
    """A call may go: how many seconds that took, and what to call when it is sent, if anything."""

    waited: float
    sent: Callable[[], None] | None


class Limiter:
    """What a call goes through before it is sent. `at_once` is how many connections there are."""

    def __init__(
        self,
        namespace: str,
        name: str,
        limit: RateLimit,
        *,
        at_once: int,
        sharing: Sharing | None = None,
    ) -> None:
        whole = f"{namespace}/{name}"
        self.waiting = 0
        self._most = limit.max_waiting
        self._learns = limit.learn
        self._connections = asyncio.Semaphore(min(at_once, limit.concurrency or at_once))
        self._places = (
            Places(whole, limit.concurrency, sharing) if sharing and limit.concurrency else None
        )
        self._pause = Pause(
            whole,
            most=limit.max_pause.seconds,
            sharing=sharing if limit.learn else None,
            learnt=metrics.PAUSES.labels(namespace, name),
        )
        self._drawing = _drawing(namespace, name, limit, sharing)
        self._turns = Turns(self._drawing, self._pause)
        self._now = asyncio.get_running_loop().time

    @property
    def paused(self) -> float:
        """For how many seconds calls are held back because the system asked for it."""
        return self._pause.left

    def turn(self, *, deadline: float) -> "Coming":
        """Wait until a call may start, and let it; `NoTurn` where it may not. A context manager
        that gives a `Turn`."""
        return Coming(self, deadline)

    def heed(self, answer: Response) -> None:
        """Hold calls back if an answer asks for it."""
        if self._learns:
            seconds = learning.pause(answer.status, answer.headers)
            if seconds:
                self._pause.begin(seconds)

    async def close(self) -> None:
        """Give everything back."""
        await self._turns.close()
        if self._drawing is not None:
            await self._drawing.close()
        await self._pause.close()
        if self._places is not None:
            await self._places.close()

    async def come(self, deadline: float) -> tuple[Turn, Places | None]:
        """Wait for all that a call holds while it is under way; `leave` gives that back."""
        if self.waiting >= self._most:
            raise Crowded
        asked_at = self._now()
        if asked_at + self.paused >= deadline:
            raise Overdue(self.paused)
        self.waiting += 1
        try:
            await self._connection(deadline)
            place = None
            try:
                if self._places is not None and await self._entered(self._places, deadline):
                    place = self._places
                sent = await self._turns.come(deadline)
            except BaseException:
                self.leave(place)
                raise
        finally:
            self.waiting -= 1
        return Turn(self._now() - asked_at, sent), place

    def leave(self, place: Places | None) -> None:
        """The call is over."""
        if place is not None:
            place.leave()
        self._connections.release()

    async def _entered(self, places: Places, deadline: float) -> bool:
        """Whether there is a place to be left; else this process's connections are the limit."""
        try:
            await places.enter(deadline)
        except Unshared:
            return False
        return True

    async def _connection(self, deadline: float) -> None:
        if not self._connections.locked():  # a time-out costs as much as the rest of a turn
            await self._connections.acquire()
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._connections.acquire()
        except TimeoutError:
            raise Overdue from None


class Coming:
    """A call on its way through a limiter, and what it holds there."""

    __slots__ = ("_deadline", "_limiter", "_place")

    def __init__(self, limiter: Limiter, deadline: float) -> None:
        self._limiter, self._deadline = limiter, deadline
        self._place: Places | None = None

    async def __aenter__(self) -> Turn:
        turn, self._place = await self._limiter.come(self._deadline)
        return turn

    async def __aexit__(self, *_: object) -> None:
        self._limiter.leave(self._place)


def _drawing(
    namespace: str, name: str, limit: RateLimit, sharing: Sharing | None
) -> Drawing | None:
    if limit.requests is None:
        return None
    return Drawing(
        f"{namespace}/{name}",
        Rate(limit.requests, limit.per.seconds, limit.burst),
        sharing=sharing,
        alone=metrics.COUNTED_ALONE.labels(namespace, name),
    )
