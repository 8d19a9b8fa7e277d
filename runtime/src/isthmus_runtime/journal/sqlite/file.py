"""The file: who works on it, how it is opened, and how it gets its tables."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from isthmus_runtime.journal import schema
from isthmus_runtime.journal.journal import JournalError
from isthmus_runtime.journal.sqlite import errors

PATIENCE: Final = 10.0
"""Seconds to wait for another process to end its transaction."""


_SETTINGS: Final = (
    "synchronous = FULL",
    "cache_size = -8192",  # KiB
    "temp_store = MEMORY",
    # Pages: the log is written back every 16 MB rather than 4, so pages that many transactions
    # touch are written back less often. Measured: a quarter more settlements a second.
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
)


class WorkLock:
    """Only one process works on a file; desks may look at it, and replay, beside it.

    The lock is the kernel's, so it goes with the process, however that ends.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(f"{path}.lock", "a+b")  # noqa: SIM115 - held until released
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read(20).decode("ascii", "replace").strip() or "unknown"
            self._file.close()
            raise JournalError(
                f"the journal {path} is in use by process {holder}; end that, or give this one "
                "another file (--journal sqlite:PATH)"
            ) from error
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())
        self._file.flush()

    def release(self) -> None:
        """Let another process work."""
        self._file.close()


def lock(path: Path) -> WorkLock:
    """Be the process that works on a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return WorkLock(path)
    except OSError as error:
        raise JournalError(
            f"the journal {path} cannot be made: {error.strerror}; give another path"
        ) from error


def connect(path: Path, now: Callable[[], float]) -> sqlite3.Connection:
    """A connection that writes durably; transactions are begun and ended by hand."""
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, cached_statements=256, check_same_thread=False
    )
    connection.create_function("journal_now", 0, now)
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    return connection


def prepare(path: Path) -> None:
    """Make the file a journal of our level; safe when several processes do it at once."""
    with told(path), contextlib.closing(connect(path, time.time)) as connection:
        if schema.is_current(_version(connection)):
            return
        _keep_a_log(connection)
        with transaction(connection):
            version = _version(connection)  # again: another process may have been quicker
            if not schema.is_current(version):
                for statement in _statements(schema.script(version, "sqlite")):
                    connection.execute(statement)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """All or nothing, with the write lock from the beginning unless told otherwise."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled back already
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's errors as the journal's."""
    try:
        yield
    except sqlite3.Error as error:
        raise errors.translated(error, str(path)) from error


def newest(connection: sqlite3.Connection) -> float:
    """The latest time in the file, or near it: rows are written in the order of time."""
    [found] = connection.execute(
        "SELECT max("
        " coalesce((SELECT accepted_at FROM messages ORDER BY sequence DESC LIMIT 1), 0),"
        " coalesce((SELECT max(since) FROM queue), 0),"
        " coalesce((SELECT max(settled_at) FROM ("
        "   SELECT settled_at FROM outcomes ORDER BY sequence DESC LIMIT 1000)), 0))"
    ).fetchone()
    return float(found)


def _version(connection: sqlite3.Connection) -> schema.Version:
    try:
        return schema.Version.of(connection.execute(schema.LOOK).fetchall())
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return schema.NOTHING
        raise


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """WAL, which the file remembers. SQLite does not wait for a lock here, so we do."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _statements(text: str) -> Iterator[str]:
    statement = ""
    for line in text.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
