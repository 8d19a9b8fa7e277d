"""Counting the messages of a journal from beside it, while others work on it or nobody does."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.desk import Desk, Filter
from isthmus_runtime.journal.entries import ACTIVE, State


class Count:
    """What a journal holds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def by_state(self) -> Counter[State]:
        """How many messages are in each state; states without any are left out."""
        found: Counter[State] = Counter()
        for standing in await self._desk.count(Filter(namespace="default")):
            found[standing.state] += standing.count
        return +found

    async def waiting(self) -> int:
        """How many still have to be worked on."""
        found = await self.by_state()
        return sum(found[state] for state in ACTIVE)

    async def keys(self, state: State) -> set[str | None]:
        """The keys of all messages in a state."""
        found: set[str | None] = set()
        cursor: int | None = None
        while True:
            page = await self._desk.find(
                Filter(namespace="default", states=(state,)), cursor=cursor
            )
            found |= {line.key for line in page.lines}
            cursor = page.cursor
            if cursor is None:
                return found


@contextlib.asynccontextmanager
async def at(address: str) -> AsyncIterator[Count]:
    """Count at an address."""
    desk = await opening.desk(address)
    try:
        yield Count(desk)
    finally:
        await desk.close()
