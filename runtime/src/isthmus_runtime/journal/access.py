"""Access: the journal of a process, opened when it can be, and the same for all who ask.

A process begins without waiting for it: whoever asks before it is open is told that it is away.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from isthmus_runtime import logs
from isthmus_runtime.journal.entries import new_uid
from isthmus_runtime.journal.journal import Journal, JournalError, Unavailable

Open = Callable[[], Awaitable[Journal]]

_FIRST: Final = 0.2
_LONGEST: Final = 5.0


class Access:
    """Opens a journal once, and closes it. `owner` is what this process is called there."""

    def __init__(self, open: Open) -> None:
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{new_uid()[-8:]}"
        self._open = open
        self._journal: Journal | None = None
        self._trouble = "it has not been opened yet"
        self._opening: asyncio.Task[None] | None = None
        self._is_open = asyncio.Event()

    def __call__(self) -> Journal:
        """The journal; `Unavailable` until it is open."""
        if self._journal is None:
            raise Unavailable(f"the journal is not open: {self._trouble}")
        return self._journal

    @property
    def is_open(self) -> bool:
        """Whether it was opened."""
        return self._journal is not None

    def status(self) -> dict[str, Any]:
        """What the status page tells of it."""
        return {"open": self.is_open, **({} if self.is_open else {"detail": self._trouble})}

    def begin(self) -> None:
        """Open it, however often that has to be tried; nothing waits for it."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open_it())

    async def open(self) -> None:
        """Open it, and wait for that."""
        self.begin()
        if self._opening is not None:
            await asyncio.shield(self._opening)

    async def opened(self, *, within: float) -> None:
        """Wait for it, but no longer than `within` seconds."""
        if self._opening is not None:
            await asyncio.wait((self._opening,), timeout=within)

    async def until_open(self) -> None:
        """Wait until it is open, if it ever is."""
        await self._is_open.wait()

    async def close(self) -> None:
        """Close it, if it was opened, and open it no more."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        journal, self._journal = self._journal, None
        self._trouble = "it is closed"
        self._is_open.clear()
        if journal is not None:
            await journal.close()

    async def _open_it(self) -> None:
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
        self._is_open.set()
