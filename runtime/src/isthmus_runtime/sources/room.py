"""Room: how many messages a Route may still take before its backlog is full.

The journal is asked once a second at most; what this process accepts meanwhile is added.
"""

import asyncio
from typing import Final

from isthmus_runtime.journal.journal import Messages

_FRESH: Final = 1.0


class Room:
    """The backlog of one Route, as far as this process must know it."""

    def __init__(self, route: str, bound: int) -> None:
        self._route = route
        self._bound = bound
        self._known = 0
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def is_there(self, journal: Messages) -> bool:
        """Whether a message may be accepted now."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at < _FRESH:
            return self._known < self._bound
        async with self._asking:
            if now >= self._asked_at + _FRESH:
                self._known = await journal.backlog(self._route)
                self._asked_at = asyncio.get_running_loop().time()
        return self._known < self._bound

    def take(self, count: int) -> None:
        """So many messages were accepted."""
        self._known += count
