"""The journal's home in a SQLite file."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from isthmus_runtime.journal import memories, pruning, tasks, waiting
from isthmus_runtime.journal.entries import Claim, Draft, Memory, Message, Settlement
from isthmus_runtime.journal.journal import Unavailable
from isthmus_runtime.journal.listeners import Listeners
from isthmus_runtime.journal.script import Script
from isthmus_runtime.journal.scripted import Scripted
from isthmus_runtime.journal.sqlite import claiming, file
from isthmus_runtime.journal.sqlite.clock import Clock, Sources
from isthmus_runtime.journal.sqlite.pen import Pen, drive, play
from isthmus_runtime.journal.sqlite.writer import Effects, Job, Writer

T = TypeVar("T")


async def open_file(path: Path, sources: Sources | None = None) -> "SqliteJournal":
    """Be the process that works on a file; it is made, or migrated, where it must be."""
    lock = file.lock(path)
    try:
        await asyncio.to_thread(file.prepare, path)
        with file.told(path):
            return SqliteJournal(path, lock, sources or Sources())
    except BaseException:
        lock.release()
        raise


class SqliteJournal(Scripted):
    """A `Journal` in one file."""

    def __init__(self, path: Path, lock: file.WorkLock, sources: Sources) -> None:
        self._path, self._lock = path, lock
        self._reader = file.connect(path, lambda: self._clock.now())
        self._clock = Clock(sources, newest=file.newest(self._reader))
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        self._listeners = Listeners()
        self._backlog: Counter[str] = Counter()
        self._counted: set[str] = set()
        self._claimed_at: dict[str, float] = {}
        self._writer = Writer(path, self._clock, changed=self._note, strange=self._note_strange)
        _unheeded(self._writer.submit(Job(_future(), do=claiming.forget_claims)))

    async def accept(self, drafts: Sequence[Draft]) -> int:
        """Write drafts; those that were there before are left as they are."""
        size = sum(len(draft.body) for draft in drafts)
        return await self._writer.submit(Job(_future(), drafts=drafts, size=size))

    async def claim(self, wish: Claim) -> list[Message]:
        """Take due messages; a caller that went away meanwhile gives them back."""

        def do(pen: Pen) -> list[Message]:
            self._claimed_at[wish.route] = pen.now
            return claiming.claim(pen, wish)

        claimed = self._do(do, durable=False)
        try:
            return await asyncio.shield(claimed)
        except asyncio.CancelledError:
            claimed.add_done_callback(self._give_back)
            raise

    async def settle(self, settlement: Settlement) -> bool:
        """Write how an attempt ended."""
        return await self._writer.submit(
            Job(_future(), settlement=settlement, size=len(settlement.journey))
        )

    async def extend(self, messages: Sequence[Message], lease: float) -> None:
        """Keep claims."""
        await self._do(lambda pen: claiming.extend(pen, messages, lease), durable=False)

    async def release(self, messages: Sequence[Message], *, after: float = 0.0) -> None:
        """Give claims back."""
        await self._do(lambda pen: claiming.release(pen, messages, after=after), durable=False)

    async def next_due(self, route: str) -> float | None:
        """Seconds until something comes due that was not when the Route was claimed last."""
        asked = "SELECT min(due_at) FROM queue WHERE route = ? AND turn < 2 AND due_at > ?"
        since = self._claimed_at.get(route, 0.0)
        [[due_at]] = await self._read(
            lambda: self._reader.execute(asked, (route, since)).fetchall()
        )
        return None if due_at is None else max(0.0, due_at - self._clock.now())

    def listen(self, route: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Wake when messages were accepted, given back, or replayed by another process."""
        return self._listeners.add(route, wake)

    async def backlog(self, route: str) -> int:
        """Counted once; from then on it is known."""
        if route not in self._counted:
            await self._do(lambda pen: pen.uncounted.add(route), durable=False)
        return self._backlog[route]

    async def overdue(self, route: str) -> float:
        """See `waiting.overdue`."""
        return await self._read(lambda: drive(self._reader, waiting.overdue(route)))

    async def fire(self, route: str, at: datetime, drafts: Sequence[Draft]) -> bool:
        """See `tasks.fire`."""

        def do(pen: Pen) -> bool:
            pen.woken.update(draft.route for draft in drafts)
            return play(pen, tasks.fire(route, at, drafts))

        return await self._do(do)

    async def get(
        self, namespace: str, store: str, *, key: str | None = None, reference: str | None = None
    ) -> Memory | None:
        """See `memories.get`."""
        return await self._read(
            lambda: drive(
                self._reader, memories.get(namespace, store, key=key, reference=reference)
            )
        )

    @property
    def permits(self) -> None:
        """None: nobody else works on this file, so its process counts for itself."""

    async def prune(self, route: str, *, settled_for: float, at_most: int) -> int:
        """See `pruning`."""
        return await pruning.prune(
            lambda make: self._play(make, durable=False),
            route,
            settled_for=settled_for,
            at_most=at_most,
        )

    async def close(self) -> None:
        """Let what was handed in be written."""
        await self._writer.close()
        self._reading.shutdown()
        self._reader.close()
        self._lock.release()

    def _do(self, do: Callable[[Pen], T], *, durable: bool = True) -> asyncio.Future[T]:
        return self._writer.submit(Job(_future(), do=do, durable=durable))

    async def _play(self, make: Callable[[], Script[T]], *, durable: bool = True) -> T:
        """A script, in the writer; it is made there, for it may have to begin again."""
        return await self._do(lambda pen: play(pen, make()), durable=durable)

    async def _read(self, do: Callable[[], T]) -> T:
        def told() -> T:
            with file.told(self._path):
                return do()

        return await asyncio.get_running_loop().run_in_executor(self._reading, told)

    def _give_back(self, claimed: asyncio.Future[list[Message]]) -> None:
        if not claimed.cancelled() and not claimed.exception() and claimed.result():
            messages = claimed.result()
            with contextlib.suppress(Unavailable):  # closed: the claims are forgotten anyway
                _unheeded(self._do(lambda pen: claiming.release(pen, messages), durable=False))

    def _note(self, effects: Effects) -> None:
        self._backlog.update(effects.backlog)
        for route, count in effects.counted.items():
            self._backlog[route] = count
            self._counted.add(route)
        self._listeners.wake(effects.woken)

    def _note_strange(self) -> None:
        """Another process wrote: count again, and look whether there is work."""
        self._counted.clear()
        self._listeners.wake_all()


def _unheeded(job: asyncio.Future[Any]) -> None:
    """Nobody waits for it: should it fail, claims end with their lease."""
    job.add_done_callback(lambda done: done.cancelled() or done.exception())


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()
