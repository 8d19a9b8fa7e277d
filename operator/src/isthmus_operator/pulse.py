"""The pulse: how late the event loop is.

One timer beats a few times a second. What comes between is a handler that did not give way: while
it lasts nothing is watched, renewed or answered.
"""

import asyncio
from typing import Final

BEAT_SECONDS: Final = 0.25


class Pulse:
    """Belongs to one event loop; beats while `run` does."""

    def __init__(self, *, beat: float = BEAT_SECONDS) -> None:
        self._beat = beat
        self._due = asyncio.get_running_loop().time() + beat
        self._longest = 0.0

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._due = loop.time() + self._beat
            await asyncio.sleep(self._beat)
            self._longest = max(self._longest, self.late())

    def late(self) -> float:
        """Seconds for which a beat is overdue now; 0 when none is."""
        return max(0.0, asyncio.get_running_loop().time() - self._due)

    def longest(self) -> float:
        """The longest that a beat was late since this was asked last, in seconds."""
        longest, self._longest = max(self._longest, self.late()), 0.0
        return longest
