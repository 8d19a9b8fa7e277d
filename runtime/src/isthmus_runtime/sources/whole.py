"""Whole: pages that are read when all of them is there, as an expression needs them."""

from typing import Any

from isthmus_runtime.answers import Read
from isthmus_runtime.http.messages import Response
from isthmus_runtime.sources.asking import Accept, Asking
from isthmus_runtime.sources.pages import Page, Place
from isthmus_runtime.sources.records import Records


class Whole:
    """Takes the pages of one run."""

    def __init__(self, asking: Asking, read: Read, records: Records, *, run: int) -> None:
        self._asking = asking
        self._read = read
        self._records = records
        self._run = run

    async def take(self, place: Place, watermark: Any, accept: Accept) -> Page:
        """The records are accepted when all of them were read."""

        async def ask() -> tuple[str, Response]:
            request, deadline = self._asking.request(place, watermark)
            return request.target, await self._asking.system.send(request, deadline)

        target, answer = await self._asking.repeated(ask)
        found = self._records.read(target, answer, self._read(answer), run=self._run)
        await accept(found.drafts, found.mark)
        return found.page
