"""Reading: one run of a poll, page by page, into the journal.

The records of a page are written before the next page is asked for, and not while too many messages
wait: a run of any length takes the memory of a page, or of a piece of it where it is streamed, and
a slow target slows it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_runtime.delivery.absence import Absence
from isthmus_runtime.faults import Fault
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.journal.journal import Messages, Unavailable
from isthmus_runtime.sources import marks
from isthmus_runtime.sources.asking import Taking
from isthmus_runtime.sources.known import Known
from isthmus_runtime.sources.pages import Place, Walk
from isthmus_runtime.sources.room import Room

CHUNK: Final = 1000
"""Records that are accepted at once."""

_LOOK_AGAIN: Final = 0.25
"""Seconds between two looks at a backlog that is full."""


@dataclass(slots=True)
class Progress:
    """How far a run has come."""

    pages: int = 0
    records: int = 0
    accepted: int = 0
    mark: Any = None


class Reading:
    """One run. `progress` may be looked at meanwhile."""

    def __init__(
        self,
        route: str,
        taking: Taking,
        walk: Walk,
        *,
        journal: Messages,
        room: Room,
        known: Known,
        max_pages: int,
        accepted: Callable[[int], None],
    ) -> None:
        self._route = route
        self._taking = taking
        self._walk = walk
        self._journal = journal
        self._room = room
        self._known = known
        self._max_pages = max_pages
        self._accepted = accepted
        self._away = Absence("records cannot be accepted", route=route)
        self.progress = Progress()

    async def through(self, watermark: Any) -> None:
        """Read every page; fails with a `Fault`, and then nothing more is accepted.

        The records of a page that does not lead on are accepted: they may be reached by no other.
        """
        place: Place | None = self._walk.first()
        while place is not None:
            if self.progress.pages == self._max_pages:
                detail = f"there are more than {self._max_pages} pages (maxPages)"
                raise Fault("TooManyPages", detail)
            place = await self._page(place, watermark)

    async def _page(self, place: Place, watermark: Any) -> Place | None:
        await self._until_room()
        page = await self._taking.take(place, watermark, self._take)
        self.progress.pages += 1
        return self._walk.after(page)

    async def _take(self, drafts: Sequence[Draft], mark: Any) -> None:
        """Accept what is news among some records, as there is room for it."""
        news = self._known.news(drafts)
        for start in range(0, len(news), CHUNK):
            await self._until_room()
            await self._accept(news[start : start + CHUNK])
        self.progress.records += len(drafts)
        self.progress.mark = marks.later(self.progress.mark, mark)

    async def _until_room(self) -> None:
        """Wait while too many messages wait."""
        while True:
            try:
                if await self._room.is_there(self._journal):
                    return
            except Unavailable as error:
                await asyncio.sleep(self._away.note(error))
            else:
                await asyncio.sleep(_LOOK_AGAIN)

    async def _accept(self, drafts: Sequence[Draft]) -> None:
        """Write some records, for as long as it takes; a journal knows what it has already."""
        while True:
            try:
                count = await self._journal.accept(drafts)
                break
            except Unavailable as error:
                await asyncio.sleep(self._away.note(error))
        self._away.over()
        self._known.note(drafts)
        self._room.take(count)
        self._accepted(count)
        self.progress.accepted += count
