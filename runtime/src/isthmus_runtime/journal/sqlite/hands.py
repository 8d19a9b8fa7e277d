"""The desk's hands on a SQLite file, beside the process that works on it."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from isthmus_runtime.journal.desk import Desk
from isthmus_runtime.journal.journal import JournalError
from isthmus_runtime.journal.script import Script, T
from isthmus_runtime.journal.sqlite import accepting, file
from isthmus_runtime.journal.sqlite.clock import Clock, Sources
from isthmus_runtime.journal.sqlite.pen import Pen, drive, play

PATIENCE: Final = 60.0
"""Seconds to wait for a turn beside a busy runtime."""


async def open_desk(path: Path) -> Desk:
    """A desk at a file that is there."""
    if not await asyncio.to_thread(path.is_file):
        raise JournalError(f"there is no journal at {path}; give the path of one that was used")
    await asyncio.to_thread(file.prepare, path)
    return Desk(SqliteHands(path))


class SqliteHands:
    """One connection in one thread. The runtime notices by itself what is written here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._db = file.connect(path, lambda: self._clock.now())
        with file.told(path):
            self._clock = Clock(Sources(), newest=file.newest(self._db))

    async def read(self, make: Callable[[], Script[T]]) -> T:
        """One snapshot for all of a script."""
        return await self._run(lambda: self._read(make))

    async def write(self, make: Callable[[], Script[T]]) -> T:
        """Get the write lock, for however long that takes within reason."""
        return await self._run(lambda: self._patiently(make))

    async def ring(self, routes: frozenset[str]) -> None:
        """Nobody to tell."""

    async def close(self) -> None:
        """Close the file."""
        await self._run(self._db.close)
        self._thread.shutdown()

    def _read(self, make: Callable[[], Script[T]]) -> T:
        with file.transaction(self._db, "BEGIN"):
            return drive(self._db, make())

    def _patiently(self, make: Callable[[], Script[T]]) -> T:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._write(make)
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise

    def _write(self, make: Callable[[], Script[T]]) -> T:
        """Numbers are given as they are free now: the runtime gives some, too."""
        with file.transaction(self._db, "BEGIN IMMEDIATE"):
            free = accepting.first_free(self._db)
            return play(Pen(self._db, self._clock.now(), free, {}), make())

    async def _run(self, do: Callable[[], T]) -> T:
        def told() -> T:
            with file.told(self._path):
                return do()

        return await asyncio.get_running_loop().run_in_executor(self._thread, told)
