"""The writer: one thread that writes, and one transaction for all that waits.

What is handed in while a transaction is being written and synced goes into the next one, so many
callers share one sync. Work that fails by itself (a broken draft) is done again apart, so that the
others do not notice. Claims alone need no sync: what a power cut takes back is claimed again.
"""

import asyncio
import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from isthmus_runtime.journal.entries import Draft, Settlement
from isthmus_runtime.journal.journal import Unavailable
from isthmus_runtime.journal.sqlite import accepting, errors, file, settling
from isthmus_runtime.journal.sqlite.clock import Clock
from isthmus_runtime.journal.sqlite.pen import Pen

T = TypeVar("T")

MOST_JOBS: Final = 1024
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of bodies in one transaction, unless a single call has more."""
_VERSION: Final = "PRAGMA data_version"
"""Changes when another connection commits."""
LOOK_SECONDS: Final = 0.5
"""How often the file is asked whether another process wrote to it."""


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """Work for the writer: a call to accept, a settlement, or anything else that writes."""

    future: asyncio.Future[T]
    drafts: Sequence[Draft] | None = None
    settlement: Settlement | None = None
    do: Callable[[Pen], T] | None = None
    durable: bool = True
    size: int = 0


@dataclass(frozen=True, slots=True)
class Effects:
    """What a transaction changed for others in this process."""

    woken: frozenset[str]
    backlog: Counter[str]
    """By how much it grew."""
    counted: dict[str, int]
    """What it is, where somebody asked."""


Ended = tuple[Job[Any], Any, Exception | None]


class Writer:
    """Writes jobs, in its own thread, until it is closed."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        changed: Callable[[Effects], None],
        strange: Callable[[], None],
    ) -> None:
        self._path, self._clock = path, clock
        self._changed, self._strange = changed, strange
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job[Any]] = deque()
        self._ready = threading.Event()
        self._closed = False
        self._serial: dict[str, bool] = {}
        self._db = file.connect(path, clock.now)
        self._next_sequence = accepting.first_free(self._db)
        [self._numbered] = self._db.execute(_VERSION).fetchone()
        self._synced = True
        [self._version] = self._db.execute(_VERSION).fetchone()
        self._looked_at = 0.0
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        """Hand in work; its future ends when it is written."""
        if self._closed:
            raise Unavailable(f"the journal {self._path} is closed")
        self._jobs.append(job)
        if not self._ready.is_set():
            self._ready.set()
        return job.future

    async def close(self) -> None:
        """Write what was handed in, and end."""
        self._closed = True
        self._ready.set()
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            while True:
                self._ready.wait(LOOK_SECONDS)
                self._ready.clear()
                while jobs := self._next():
                    self._write(jobs)
                    self._look()
                self._look()
                if self._closed and not self._jobs:
                    return
        finally:
            self._db.close()

    def _next(self) -> list[Job[Any]]:
        """What waits, as far as one transaction should hold it."""
        jobs: list[Job[Any]] = []
        size = 0
        while self._jobs and len(jobs) < MOST_JOBS and size < MOST_BYTES:
            job = self._jobs.popleft()
            size += job.size
            jobs.append(job)
        return jobs

    def _write(self, jobs: Sequence[Job[Any]], *, careful: bool = False) -> None:
        try:
            ended, effects = self._transact(jobs, careful)
        except Exception as error:
            if not careful and not _is_passing(error):
                for job in jobs:
                    self._write([job], careful=True)
                return
            self._tell([(job, None, self._told(error)) for job in jobs], None)
        else:
            self._tell(ended, effects)

    def _told(self, error: Exception) -> Exception:
        if not isinstance(error, sqlite3.Error):
            return error
        told = errors.translated(error, str(self._path))
        told.__cause__ = error
        return told

    def _transact(self, jobs: Sequence[Job[Any]], careful: bool) -> tuple[list[Ended], Effects]:
        """One transaction for all jobs; what was accepted comes first, and can be claimed."""
        accepts = [job for job in jobs if job.drafts is not None]
        settlements = [job for job in jobs if job.settlement is not None]
        ended: list[Ended] = []
        self._sync(any(job.durable for job in jobs))
        with file.transaction(self._db):
            self._number()
            pen = Pen(self._db, self._clock.now(), self._next_sequence, dict(self._serial), careful)
            if accepts:
                counts = accepting.accept(pen, [job.drafts or () for job in accepts])
                ended += [(job, count, None) for job, count in zip(accepts, counts, strict=True)]
                pen.woken.update(d.route for job in accepts for d in job.drafts or ())
            if settlements:
                held = settling.settle(pen, [j.settlement for j in settlements if j.settlement])
                ended += [(job, held, None) for job, held in zip(settlements, held, strict=True)]
            ended += [(job, job.do(pen), None) for job in jobs if job.do is not None]
            counted = pen.count()
        self._next_sequence, self._serial = pen.next_sequence, pen.serial
        return ended, Effects(frozenset(pen.woken), pen.backlog, counted)

    def _number(self) -> None:
        """Where another process wrote, it may have taken the next numbers."""
        [version] = self._db.execute(_VERSION).fetchone()
        if version != self._numbered:
            self._numbered = version
            self._next_sequence = accepting.first_free(self._db)

    def _sync(self, wanted: bool) -> None:
        if wanted is not self._synced:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._synced = wanted

    def _look(self) -> None:
        """Notice what another process wrote, such as a replay."""
        now = self._clock.now()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        try:
            [version] = self._db.execute(_VERSION).fetchone()
        except sqlite3.Error:  # the next transaction tells
            return
        if version != self._version:
            self._version = version
            self._call(self._strange)

    def _tell(self, ended: Sequence[Ended], effects: Effects | None) -> None:
        self._call(lambda: self._resolve(ended, effects))

    def _call(self, do: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(do)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._closed = True

    def _resolve(self, ended: Sequence[Ended], effects: Effects | None) -> None:
        if effects:
            self._changed(effects)
        for job, result, error in ended:
            if job.future.done():  # cancelled
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)


def _is_passing(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and errors.is_passing(error)
