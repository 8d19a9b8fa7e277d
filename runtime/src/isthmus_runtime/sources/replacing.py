"""Replacing: a message of a schedule is given up when the schedule fires again.

Whichever replica has the message under way finds out from the journal. It ends as skipped, with the
reason `Replaced`; what its steps did until then is done.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import orjson

from isthmus_runtime.delivery import policy
from isthmus_runtime.delivery.worker import Attempting
from isthmus_runtime.journal.entries import Message, Settlement
from isthmus_runtime.journal.journal import Journal, Unavailable

_LOOK_AGAIN: Final = 5.0


class Replacing:
    """Attempts the newest message of a schedule, and none that is older."""

    def __init__(self, attempting: Attempting, route: str, journal: Journal) -> None:
        self._attempting = attempting
        self._route = route
        self._journal = journal
        self._turn = asyncio.Lock()

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]:
        """Attempt a message until it is replaced; in this replica after the one it replaces."""
        (message,) = messages
        async with self._turn:
            if await self._is_replaced(message):
                return [_given_up(message)]
            attempting = asyncio.create_task(self._attempting.attempt(messages))
            watching = asyncio.create_task(self._until_replaced(message))
            try:
                await asyncio.wait((attempting, watching), return_when=asyncio.FIRST_COMPLETED)
                return attempting.result() if attempting.done() else [_given_up(message)]
            finally:
                attempting.cancel()
                watching.cancel()
                await asyncio.gather(attempting, watching, return_exceptions=True)

    async def _until_replaced(self, message: Message) -> None:
        woken = asyncio.Event()
        forget = self._journal.listen(self._route, woken.set)
        try:
            while not await self._is_replaced(message):
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_AGAIN):
                        await woken.wait()
                woken.clear()
        finally:
            forget()

    async def _is_replaced(self, message: Message) -> bool:
        """Whether the schedule has fired since. A journal that is away knows nothing new."""
        try:
            last = await self._journal.last_fire(self._route)
        except Unavailable:
            return False
        return last is not None and last > _scheduled(message)


def _scheduled(message: Message) -> datetime:
    moment = datetime.fromisoformat(orjson.loads(message.request)["scheduledAt"])
    return moment.astimezone(UTC)


def _given_up(message: Message) -> Settlement:
    verdict = policy.REPLACED
    return Settlement(
        message=message, state=verdict.state, reason=verdict.reason, detail=verdict.detail
    )
