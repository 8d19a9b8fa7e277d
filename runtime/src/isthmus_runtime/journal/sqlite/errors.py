"""SQLite's errors as the journal's: one place that says which of them trying again may help."""

import sqlite3
from typing import Final

from isthmus_runtime.journal.journal import JournalError, Unavailable

_PASSING: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; make room, or let the journal keep less",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write",
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; look at the folder and its rights",
    sqlite3.SQLITE_READONLY: "it cannot be written; look at the file's rights",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}


def translated(error: sqlite3.Error, path: str) -> JournalError:
    """What to tell: `Unavailable` where nothing is wrong with the request itself."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _PASSING:
        return Unavailable(f"the journal {path}: {_PASSING[code]}")
    if code == sqlite3.SQLITE_NOTADB:
        return JournalError(f"{path} is no SQLite database; give the journal another file")
    if code == sqlite3.SQLITE_CORRUPT:
        return JournalError(
            f"the journal {path} is damaged ({error}); stop, keep a copy, and repair it with "
            f"`sqlite3 {path} .recover`"
        )
    return JournalError(f"the journal {path}: {error}")


def is_passing(error: sqlite3.Error) -> bool:
    """Whether it would have hit any other request, too."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING
