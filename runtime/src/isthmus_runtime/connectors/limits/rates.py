"""Rates: so many calls in a window, or out of a bucket; counted in the journal, or in this process.

All that wait in a process draw together. A grant is good for a moment only: the journal counts a
call where it was granted, and one that came much later would find others in its window. A call that
was too slow asks again, before the others. After some times it goes all the same, for machines on
which nothing is quick.
"""

import asyncio
import math
import random
from typing import Final, NamedTuple

from isthmus_runtime.connectors.limits import counts
from isthmus_runtime.connectors.limits.lines import Line
from isthmus_runtime.connectors.limits.pauses import Pause
from isthmus_runtime.connectors.limits.sharing import Sharing, Unshared
from isthmus_runtime.instruments import Number
from isthmus_runtime.journal.permits import Rate, on_the_way

DRAWN_AT_ONCE: Final = 20
"""More could not be sent while the grant is good."""
OWN_SHARE: Final = 0.6
"""Of the time that a call has on its way: the rest is the network's."""
TRIES: Final = 4
SPREAD_SECONDS: Final = 0.003
"""Processes that wait for the same moment come one after the other."""


class Draw(NamedTuple):
    """What came of asking: how many calls may go until when, and how long to wait for more."""

    granted: int
    wait: float
    good_until: float


class Drawing:
    """Where calls of one Connector are counted; `alone` tells of those that were counted here
    though the journal should have."""

    def __init__(self, name: str, rate: Rate, *, sharing: Sharing | None, alone: Number) -> None:
        self._name, self._rate = name, rate
        self._own = counts.of(rate)
        self._sharing = sharing
        self._alone = alone
        self._good_for = OWN_SHARE * on_the_way(rate.per)
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
        self._own.note(self._now(), grant.granted)
        wait = grant.wait + random.uniform(0.0, SPREAD_SECONDS)  # noqa: S311 - no secret
        return Draw(grant.granted, wait, asked_at + self._good_for)

    def _draw_alone(self, wanted: int) -> Draw:
        grant = self._own.take(self._now(), wanted)
        return Draw(grant.granted, grant.wait, math.inf)


class Turns(Line[float]):
    """Calls that wait for the rate, and for the end of a pause. A turn is good until a moment."""

    def __init__(self, drawing: Drawing | None, pause: Pause) -> None:
        super().__init__()
        self._drawing, self._pause = drawing, pause

    async def come(self, deadline: float) -> None:
        """Wait until one more call may go."""
        if self._drawing is None and not self._waiting and not self._pause.left:
            return
        for tried in range(TRIES):
            good_until = await self.wait(deadline, first=tried > 0)
            if self._loop.time() <= good_until:
                break

    async def _serve(self) -> None:
        paused = self._pause.left
        if paused:
            self._drop_overdue(paused)
            await asyncio.sleep(paused)
            return
        wanted = len(self._waiting)
        if self._drawing is None:
            self._let_pass(wanted, math.inf)
            return
        drawn = await self._drawing.draw(wanted)
        self._let_pass(drawn.granted, drawn.good_until)
        if drawn.wait:
            self._drop_overdue(drawn.wait)
            await asyncio.sleep(drawn.wait)
