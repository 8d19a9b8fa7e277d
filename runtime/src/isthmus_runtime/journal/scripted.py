"""What a journal does by a script that is the same in every home."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from isthmus_runtime.journal import memories, tasks
from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.journal.script import Script

T = TypeVar("T")


class Scripted(ABC):
    """A home that plays scripts; see the modules that they are from."""

    @abstractmethod
    async def _play(self, make: Callable[[], Script[T]]) -> T:
        """Run a script as a transaction; it is made anew each time it has to begin."""

    async def last_fire(self, route: str) -> datetime | None:
        """See `tasks.last_fire`."""
        return await self._play(lambda: tasks.last_fire(route))

    async def lead(self, task: str, owner: str, lease: float) -> bool:
        """See `tasks.lead`."""
        return await self._play(lambda: tasks.lead(task, owner, lease))

    async def resign(self, task: str, owner: str) -> None:
        """See `tasks.resign`."""
        await self._play(lambda: tasks.resign(task, owner))

    async def is_asked(self, task: str) -> bool:
        """See `tasks.is_asked`."""
        return await self._play(lambda: tasks.is_asked(task))

    async def watermark(self, route: str) -> str | None:
        """See `tasks.watermark`."""
        return await self._play(lambda: tasks.watermark(route))

    async def begin_run(self, route: str) -> int:
        """See `tasks.begin_run`."""
        return await self._play(lambda: tasks.begin_run(route))

    async def end_run(self, route: str, run: int, watermark: str | None) -> None:
        """See `tasks.end_run`."""
        await self._play(lambda: tasks.end_run(route, run, watermark))

    async def put(self, given: Sequence[Memory]) -> None:
        """See `memories.put`."""
        await self._play(lambda: memories.put(given))
