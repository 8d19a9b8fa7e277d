"""Rates: so many calls in a window, or out of a bucket; counted in the journal, or in this process.

All that wait in a process draw together. The journal counts a call where it was granted, with some
time to arrive. One that is sent later, as on a machine that is busy, or when a connection had to be
opened, is counted once more, where it was sent. So its window is kept, provided that it still
counted until then: one that has waited for half a window asks again, before the others.
"""

import asyncio
import math
import random
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from isthmus_runtime.connectors.limits import counts
from isthmus_runtime.connectors.limits.lines import Overdue, Served
from isthmus_runtime.connectors.limits.pauses import Pause
from isthmus_runtime.connectors.sharing import Sharing, Unshared
from isthmus_runtime.instruments import Number
from isthmus_runtime.journal.permits import Permits, Rate, on_the_way

DRAWN_AT_ONCE: Final = 20
"""More could not be sent while the grant is good."""
OWN_SHARE: Final = 0.6
"""Of the time that a call has on its way: the rest is the network's."""
LATEST_SHARE: Final = 0.5
"""Of the window: what was granted longer ago is granted no more."""
TRIES: Final = 4
"""On machines on which nothing is quick a call goes in the end."""
SPREAD_SECONDS: Final = 0.003
"""Processes that wait for the same moment come one after the other."""


class Draw(NamedTuple):
    """What came of asking at a moment: how many calls may go, and how long to wait for more."""

    granted: int
    wait: float
    asked_at: float


class Drawing:
    """Where calls of one Connector are counted; `alone` tells of those that were counted here
    though the journal should have."""

    def __init__(self, name: str, rate: Rate, *, sharing: Sharing | None, alone: Number) -> None:
        self._name, self._rate = name, rate
        self.own = counts.of(rate)
        """What this process counts."""
        self._sharing = sharing
        self._alone = alone
        self._in_time = OWN_SHARE * on_the_way(rate.per)
        self._at_latest = LATEST_SHARE * rate.per
        self._late = 0
        self._telling: asyncio.Task[None] | None = None
        self._now = asyncio.get_running_loop().time

    async def draw(self, wanted: int) -> Draw:
        """Ask for `wanted` calls."""
        wanted = min(wanted, DRAWN_AT_ONCE)
        if self._sharing is None:
            return self._draw_alone(wanted)
        asked_at = self._now()
        try:
            grant = await self._sharing.ask(
                lambda permits: permits.take(self._name, self._rate, wanted=wanted)
            )
        except Unshared:
            drawn = self._draw_alone(wanted)
            if self._sharing.is_away:
                self._alone.inc(drawn.granted)
            return drawn
        self.own.note(self._now(), grant.granted)
        if grant.granted == wanted:
            return Draw(grant.granted, 0.0, asked_at)
        spread = random.uniform(0.0, SPREAD_SECONDS)  # noqa: S311 - no secret
        return Draw(grant.granted, grant.wait + spread, asked_at)

    def goes_alone(self) -> bool:
        """Whether a call may go at once where nobody else counts; then it is counted."""
        return self._sharing is None and self.own.take_one(self._now())

    def is_over(self, asked_at: float) -> bool:
        """Whether what was granted then is granted no more."""
        return self._now() > asked_at + self._at_latest

    def sent(self, asked_at: float) -> None:
        """A call went out that was granted then."""
        if self._sharing is not None and self._now() > asked_at + self._in_time:
            self._late += 1
            if self._telling is None or self._telling.done():
                self._telling = asyncio.create_task(self._tell(self._sharing))

    async def close(self) -> None:
        """Nothing is sent any more."""
        if self._telling is not None:
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self, sharing: Sharing) -> None:
        while self._late:
            calls, self._late = self._late, 0

            async def note(permits: Permits, calls: int = calls) -> None:
                await permits.note(self._name, self._rate, calls=calls)

            try:
                await sharing.ask(note)
            except Unshared:
                return

    def _draw_alone(self, wanted: int) -> Draw:
        grant = self.own.take(self._now(), wanted)
        return Draw(grant.granted, grant.wait, math.inf)


class Turns(Served[float]):
    """Calls that wait for the rate, and for the end of a pause. A turn says when it was asked
    for."""

    def __init__(self, drawing: Drawing | None, pause: Pause) -> None:
        super().__init__()
        self._drawing, self._pause = drawing, pause
        self._free_at = 0.0  # until then nothing is granted
        self._coming = 0  # calls that wait, or have their turn and have not gone on yet

    async def come(self, deadline: float) -> Callable[[], None] | None:
        """Wait until one more call may go; what to call when it is sent, if anybody must know."""
        drawing = self._drawing
        if not self._coming and not self._pause.left and (not drawing or drawing.goes_alone()):
            return None
        left = self._free_at - self._loop.time()
        if left > 0 and self._free_at >= deadline:
            raise Overdue(left)
        self._coming += 1
        try:
            asked_at = await self.wait(deadline)
            if drawing is None:
                return None
            for _ in range(TRIES - 1):
                if not drawing.is_over(asked_at):
                    break
                asked_at = await self.wait(deadline, first=True)
        finally:
            self._coming -= 1
        return None if asked_at == math.inf else partial(drawing.sent, asked_at)

    async def _serve(self) -> None:
        paused = self._pause.left
        if paused:
            await self._rest(paused)
            return
        wanted = len(self._waiting)
        if self._drawing is None:
            self._let_pass(wanted, math.inf)
            return
        drawn = await self._drawing.draw(wanted)
        self._let_pass(drawn.granted, drawn.asked_at)
        if drawn.wait:
            await self._rest(drawn.wait)

    async def _rest(self, seconds: float) -> None:
        """Let nobody pass for a while, and keep nobody who has no time for that."""
        self._drop_overdue(seconds)
        self._free_at = self._loop.time() + seconds
        await asyncio.sleep(seconds)
