"""Flights: work that several callers want at once is done once, and all get its outcome."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """The work under way, by key."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    def is_under_way(self, key: Hashable) -> bool:
        """Whether joining would begin nothing."""
        return key in self._tasks

    def begin(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """The task that does `work`, begun unless it is under way.

        The work goes on when its callers go away, so it needs a deadline of its own.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._end(key, done))
        return task

    async def join(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]], *, deadline: float
    ) -> T:
        """The outcome of `work`, begun unless it is under way; `TimeoutError` at the deadline."""
        task = self.begin(key, work)
        async with asyncio.timeout_at(deadline):
            return await asyncio.shield(task)

    def _end(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # asyncio complains of one that nobody has asked for
