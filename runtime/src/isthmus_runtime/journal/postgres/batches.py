"""Batches: what arrives while a statement is under way goes into the next one.

Nothing waits to be joined by others: what is called in one turn of the event loop goes at once, and
what comes while it is being written and synced shares the next. A call that fails by itself is done
again alone, so that those beside it do not notice.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from isthmus_runtime.journal.journal import Unavailable

C = TypeVar("C")
A = TypeVar("A")
C_contra = TypeVar("C_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)

MOST_CALLS: Final = 256
MOST_BYTES: Final = 8 * 1024 * 1024
"""In one batch, unless a single call has more."""


class Write(Protocol[C_contra, A_co]):
    """Writes calls; an answer for each, in their order."""

    def __call__(self, calls: Sequence[C_contra], *, careful: bool) -> Awaitable[Sequence[A_co]]:
        """`careful`: something failed before, so look before writing."""
        ...


@dataclass(slots=True, eq=False)
class _Waiting(Generic[C, A]):
    call: C
    size: int
    answer: asyncio.Future[A]


class Batches(Generic[C, A]):
    """Calls of one kind, written by at most `lanes` statements at a time."""

    def __init__(self, write: Write[C, A], *, lanes: int) -> None:
        self._write_calls = write
        self._lanes = lanes
        self._waiting: deque[_Waiting[C, A]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_starting = False

    def add(self, call: C, *, size: int) -> asyncio.Future[A]:
        """Have it written; the future ends when it is."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(call, size, answer))
        if not self._is_starting:
            self._is_starting = True
            asyncio.get_running_loop().call_soon(self._start)
        return answer

    async def rest(self) -> None:
        """Wait until nothing is under way."""
        while self._waiting or self._under_way:
            await asyncio.wait(self._under_way or {asyncio.create_task(asyncio.sleep(0))})

    def _start(self) -> None:
        self._is_starting = False
        while self._waiting and len(self._under_way) < self._lanes:
            task = asyncio.create_task(self._write(self._next()))
            self._under_way.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    def _next(self) -> list[_Waiting[C, A]]:
        batch: list[_Waiting[C, A]] = []
        size = 0
        while self._waiting and len(batch) < MOST_CALLS and size < MOST_BYTES:
            batch.append(self._waiting.popleft())
            size += batch[-1].size
        return batch

    async def _write(self, batch: Sequence[_Waiting[C, A]], *, careful: bool = False) -> None:
        try:
            answers = await self._write_calls([each.call for each in batch], careful=careful)
        except Unavailable as error:
            _fail(batch, error)
        except Exception as error:
            if careful:
                _fail(batch, error)
                return
            for each in batch:
                await self._write([each], careful=True)
        else:
            for each, answer in zip(batch, answers, strict=True):
                if not each.answer.done():  # it may have been cancelled
                    each.answer.set_result(answer)


def _fail(batch: Sequence[_Waiting[C, A]], error: Exception) -> None:
    for each in batch:
        if not each.answer.done():
            each.answer.set_exception(error)
