"""Limiter: the limits of one Connector, as its calls go through them.

In order: a connection, so that those let through do not gather behind a slow system and reach it in
one burst; a place among the calls of all processes; the rate, and the end of a pause. A call holds
what it has while it waits for the next, so calls of a process go in the order in which they came.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from isthmus_api.rate_limit import RateLimit
from isthmus_runtime import metrics
from isthmus_runtime.connectors.limits import learning
from isthmus_runtime.connectors.limits.lines import Crowded, Overdue, Slots
from isthmus_runtime.connectors.limits.pauses import Pause
from isthmus_runtime.connectors.limits.places import Places
from isthmus_runtime.connectors.limits.rates import Drawing, Turns
from isthmus_runtime.connectors.sharing import Sharing, Unshared
from isthmus_runtime.http.messages import Response
from isthmus_runtime.journal.permits import Rate


class Turn(NamedTuple):
    """A call may go: how many seconds that took, what to call when it is sent, if anything, and
    where else it holds a place."""

    waited: float = 0.0
    sent: Callable[[], None] | None = None
    places: Places | None = None


_AT_ONCE: Final = Turn()


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
        self._connections = Slots(min(at_once, limit.concurrency or at_once))
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
        self._is_shared = bool(sharing and (limit.requests or limit.concurrency))
        self._turns = Turns(self._drawing, self._pause)
        self._now = asyncio.get_running_loop().time

    @property
    def paused(self) -> float:
        """For how many seconds calls are held back because the system asked for it."""
        return self._pause.left

    def at_once(self, deadline: float) -> Turn | None:
        """A turn for a call that need not wait for anything; `leave` takes it back."""
        now = self._now()
        if self._is_shared or self.waiting or not self._connections.free:
            return None
        if not self._pause.until <= now < deadline:
            return None
        if self._drawing is not None and not self._drawing.own.take_one(now):
            return None
        self._connections.free -= 1
        return _AT_ONCE

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

    async def come(self, deadline: float) -> Turn:
        """Wait for a turn, which `leave` takes back; `NoTurn` where there is none in time."""
        if self.waiting >= self._most:
            raise Crowded
        asked_at = self._now()
        if asked_at + self.paused >= deadline:
            raise Overdue(self.paused)
        self.waiting += 1
        try:
            await self._connections.take(deadline)
            held = _AT_ONCE
            try:
                if self._places is not None and await self._entered(self._places, deadline):
                    held = Turn(places=self._places)
                sent = await self._turns.come(deadline)
            except BaseException:
                self.leave(held)
                raise
        finally:
            self.waiting -= 1
        return Turn(self._now() - asked_at, sent, held.places)

    def leave(self, turn: Turn, answer: Response | None = None) -> None:
        """The call is over; hold others back if its answer asks for it."""
        if answer is not None:
            self.heed(answer)
        if turn.places is not None:
            turn.places.leave()
        self._connections.give_back()

    async def _entered(self, places: Places, deadline: float) -> bool:
        """Whether there is a place to be left; else this process's connections are the limit."""
        try:
            await places.enter(deadline)
        except Unshared:
            return False
        return True


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
