"""Access: the journal of a process, opened when it can be, and the same for all who ask.

A process begins without waiting for it: whoever asks before it is open is told that it is away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from isthmus_runtime import logs
from isthmus_runtime.journal.journal import Journal, JournalError, Unavailable

Open = Callable[[], Awaitable[Journal]]

_FIRST: Final = 0.2
_LONGEST: Final = 5.0


class Access:
    """Opens a journal once, and closes it."""

    def __init__(self, open: Open) -> None:
        self._open = open
        self._journal: Journal | None = None
        self._trouble = "it has not been opened yet"

    def __call__(self) -> Journal:
        """The journal; `Unavailable` until it is open."""
        if self._journal is None:
            raise Unavailable(f"the journal is not open: {self._trouble}")
        return self._journal

    @property
    def is_open(self) -> bool:
        """Whether it was opened."""
        return self._journal is not None

    @property
    def trouble(self) -> str:
        """Why it is not open, or nothing."""
        return "" if self.is_open else self._trouble

    async def open(self) -> None:
        """Open it, however often that has to be tried."""
        wait = _FIRST
        while self._journal is None:
            try:
                self._journal = await self._open()
            except JournalError as error:
                if str(error) != self._trouble:  # once is enough
                    logs.warning("the journal cannot be opened", detail=str(error))
                self._trouble = str(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST)

    async def close(self) -> None:
        """Close it, if it was opened."""
        journal, self._journal = self._journal, None
        self._trouble = "it is closed"
        if journal is not None:
            await journal.close()
