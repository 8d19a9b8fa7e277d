"""Sharing: the journal for the Connectors of a process, and whether it can be had.

Calls must not depend on the journal. One that does not answer within 3 s is away: from then on
nobody asks, everybody counts for itself and has tokens of its own, until a look now and then finds
that it is back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from isthmus_runtime import logs
from isthmus_runtime.journal.access import Access
from isthmus_runtime.journal.journal import Journal, JournalError
from isthmus_runtime.journal.permits import Permits

T = TypeVar("T")

ANSWER_SECONDS: Final = 3.0
"""A database that is gone says so at once; one that is busy should not count as away."""
LOOK_SECONDS: Final = 1.0


class Unshared(Exception):
    """The journal cannot be asked now, or nobody shares it."""


class Sharing:
    """Of one process, whose name there is `owner`."""

    def __init__(self, access: Access) -> None:
        self.owner = access.owner
        self._access = access
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        """Whether the journal does not answer."""
        return self._looking is not None

    async def ask(self, do: Callable[[Permits], Awaitable[T]]) -> T:
        """Do something with the permits; `Unshared` where that cannot be."""
        return await self.use(lambda journal: do(_permits(journal)))

    async def use(self, do: Callable[[Journal], Awaitable[T]]) -> T:
        """Do something with a journal that others use, too; `Unshared` where that cannot be."""
        if self.is_away:
            raise Unshared
        try:
            return await self._asked(do)
        except (JournalError, TimeoutError) as error:
            if self._looking is None:
                detail = str(error) or "the journal did not answer in time"
                logs.warning("limits and tokens are of this process alone", detail=detail)
                self._looking = asyncio.create_task(self._look())
            raise Unshared from error

    async def until_open(self) -> None:
        """Wait until there is something to ask."""
        await self._access.until_open()

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _asked(self, do: Callable[[Journal], Awaitable[T]]) -> T:
        journal = self._access()
        if journal.permits is None:
            raise Unshared
        async with asyncio.timeout(ANSWER_SECONDS):
            return await do(journal)

    async def _look(self) -> None:
        while True:
            if self._access.is_open:
                await asyncio.sleep(LOOK_SECONDS)
            await self._access.until_open()
            try:
                await self._asked(lambda journal: _permits(journal).paused(""))
            except (JournalError, TimeoutError):
                continue
            except Unshared:  # it is open now, and nobody else's
                break
            else:
                logs.info("limits and tokens are shared again")
                break
        self._looking = None


def _permits(journal: Journal) -> Permits:
    if journal.permits is None:
        raise Unshared
    return journal.permits
