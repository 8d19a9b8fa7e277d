"""Reading: one run of a poll, page by page, into the journal.

The records of a page are written before the next page is asked for, and not while too many messages
wait: a run of any length takes the memory of a page, and a slow target slows it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_runtime import logs, tracing
from isthmus_runtime.answers import Read
from isthmus_runtime.body import Body
from isthmus_runtime.connectors import backoff
from isthmus_runtime.delivery import policy
from isthmus_runtime.delivery.absence import Absence
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Upstream
from isthmus_runtime.http.messages import Response
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.journal.journal import Messages, Unavailable
from isthmus_runtime.sources import marks
from isthmus_runtime.sources.known import Known
from isthmus_runtime.sources.pages import Place, Walk
from isthmus_runtime.sources.records import Records
from isthmus_runtime.sources.room import Room
from isthmus_runtime.steps.call import System, Write

CHUNK: Final = 1000
"""Records that are accepted at once."""

_LOOK_AGAIN: Final = 0.25
"""Seconds between two looks at a backlog that is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How pages are asked for: by what call of which system, within what time, how often."""

    system: System
    write: Write
    read: Read
    variables: dict[str, Any]
    timeout: float
    attempts: int
    backoff: backoff.Backoff
    max_pages: int


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
        asking: Asking,
        records: Records,
        walk: Walk,
        *,
        journal: Messages,
        room: Room,
        known: Known,
        run: int,
        accepted: Callable[[int], None],
    ) -> None:
        self._route = route
        self._asking = asking
        self._records = records
        self._walk = walk
        self._journal = journal
        self._room = room
        self._known = known
        self._run = run
        self._accepted = accepted
        self._now = asyncio.get_running_loop().time
        self._away = Absence("records cannot be accepted", route=route)
        self.progress = Progress()

    async def through(self, watermark: Any) -> None:
        """Read every page; fails with a `Fault`, and then nothing more is accepted.

        The records of a page that does not lead on are accepted: they may be reached by no other.
        """
        place: Place | None = self._walk.first()
        while place is not None:
            if self.progress.pages == self._asking.max_pages:
                detail = f"there are more than {self._asking.max_pages} pages (maxPages)"
                raise Fault("TooManyPages", detail)
            place = await self._page(place, watermark)

    async def _page(self, place: Place, watermark: Any) -> Place | None:
        await self._until_room()
        target, answer = await self._answer(place, watermark)
        found = self._records.read(target, answer, self._asking.read(answer), run=self._run)
        news = self._known.news(found.drafts)
        for start in range(0, len(news), CHUNK):
            await self._until_room()
            await self._accept(news[start : start + CHUNK])
        progress = self.progress
        progress.pages += 1
        progress.records += len(found.drafts)
        progress.mark = marks.later(progress.mark, found.mark)
        return self._walk.after(found.page)

    async def _answer(self, place: Place, watermark: Any) -> tuple[str, Response]:
        """Ask for a page, as often as it may help."""
        asking = self._asking
        attempt = 1
        while True:
            try:
                return await self._ask(place, watermark)
            except Fault as fault:
                if attempt >= asking.attempts or not policy.is_passing(fault):
                    raise
                asked = fault.retry_after if isinstance(fault, Upstream) else None
                wait = backoff.wait(attempt, asking.backoff, retry_after=asked)
                logs.info(
                    "a page is asked for again",
                    route=self._route,
                    reason=fault.reason,
                    attempt=attempt,
                    waitSeconds=round(wait, 3),
                )
            await asyncio.sleep(wait)
            attempt += 1

    async def _ask(self, place: Place, watermark: Any) -> tuple[str, Response]:
        asking = self._asking
        deadline = self._now() + asking.timeout
        x = Exchange(
            Body(b""),
            variables={**asking.variables, "watermark": watermark, "cursor": place.cursor},
            deadline=deadline,
            trace=tracing.of([]),
        )
        request = asking.write(x)
        target = place.of(request.target)
        answer = await asking.system.send(request._replace(target=target), deadline)
        return target, answer

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
