"""Pauses: no calls for a while, for the system said so to one of them.

A pause is kept in the journal, where there is one to share, and all replicas hear of it. Who has
begun since, or was deaf, learns of it when it looks.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from isthmus_runtime import logs
from isthmus_runtime.connectors.sharing import LOOK_SECONDS, Sharing, Unshared
from isthmus_runtime.instruments import Number
from isthmus_runtime.journal.permits import Permits, pausing

_SAME: Final = 0.5
"""Seconds by which two answers may tell of the same moment."""


class Pause:
    """Of one Connector: `most` seconds at once. `learnt` counts what was told to this process."""

    def __init__(self, name: str, *, most: float, sharing: Sharing | None, learnt: Number) -> None:
        self._name, self._most = name, most
        self._sharing = sharing
        self._learnt = learnt
        self.until = 0.0
        """On the loop's clock; before that no call may go."""
        self._loop = asyncio.get_running_loop()
        self._stop_listening: Callable[[], None] | None = None
        self._woken = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        self._following = self._loop.create_task(self._follow(sharing)) if sharing else None

    @property
    def left(self) -> float:
        """For how many seconds no call may go."""
        return max(0.0, self.until - self._loop.time())

    def begin(self, seconds: float) -> None:
        """The system asked for it; tell the others, where that is news."""
        seconds = min(seconds, self._most)
        until = self._loop.time() + seconds
        if until <= self.until + _SAME and self.left:
            return
        self.until = until
        self._learnt.inc()
        logs.info("calls are held back", connector=self._name, seconds=round(seconds, 3))
        if self._sharing:
            task = self._loop.create_task(self._tell(self._sharing, seconds))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Listen no more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, *self._telling, return_exceptions=True)
        if self._stop_listening is not None:
            self._stop_listening()

    async def _tell(self, sharing: Sharing, seconds: float) -> None:
        try:
            await sharing.ask(lambda permits: permits.pause(self._name, seconds))
        except Unshared:
            return  # the others will be told by the system, as we were

    async def _follow(self, sharing: Sharing) -> None:
        """Know what others were told, as long as there are others."""
        await sharing.until_open()
        while True:
            self._woken.clear()
            try:
                left = await sharing.ask(self._look)
            except Unshared:
                if not sharing.is_away:
                    return
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if left:
                self.until = max(self.until, self._loop.time() + min(left, self._most))
            await self._woken.wait()

    async def _look(self, permits: Permits) -> float:
        if self._stop_listening is None:
            self._stop_listening = permits.listen(pausing(self._name), self._woken.set)
        return await permits.paused(self._name)
