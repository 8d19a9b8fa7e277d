"""PostgreSQL's errors as the journal's: one place that says which of them trying again may help."""

from typing import Final

import asyncpg

from isthmus_runtime.journal.journal import JournalError, Unavailable
from isthmus_runtime.journal.postgres.address import Address

_PASSING: Final = {
    "08": "the connection was lost",
    "25": "it takes no writes; it may be a standby",
    "40": "it gave up a transaction in favour of another",
    "53": "it has no room: disk, memory or connections",
    "55": "a lock was not free in time",
    "57": "it is stopping, starting, or cancelled the statement",
    "58": "its disk failed",
}
"""By class of SQLSTATE."""

AGAIN: Final = {"40001", "40P01"}
"""Serialization failure and deadlock: nothing was written, and the next try finds it sorted out."""


_OF_CONNECTIONS: Final = (
    OSError,
    asyncpg.InterfaceError,
    # The server said goodbye while nothing was under way, and the end was not seen yet.
    asyncpg.InternalClientError,
)


def is_lost(error: BaseException) -> bool:
    """Whether this is the end of a connection rather than of a statement."""
    if isinstance(error, asyncpg.PostgresError):
        return state(error)[:2] == "08" or state(error) in {"57P01", "57P02", "57P03"}
    return isinstance(error, _OF_CONNECTIONS) and not isinstance(error, asyncpg.DataError)


def state(error: BaseException) -> str:
    """The SQLSTATE, or nothing."""
    return str(getattr(error, "sqlstate", None) or "")


def is_passing(error: BaseException) -> bool:
    """Whether it would have hit any other request, too."""
    return isinstance(error, Unavailable) or is_lost(error) or state(error)[:2] in _PASSING


def translated(error: BaseException, address: Address) -> JournalError:
    """What to tell; the words are ours, as a server's may quote values."""
    if isinstance(error, TimeoutError):
        return Unavailable(f"the journal {address}: it did not answer in time")
    code = state(error)
    if code[:2] in _PASSING:
        return Unavailable(f"the journal {address}: {_PASSING[code[:2]]} ({code})")
    if is_lost(error):
        return Unavailable(f"the journal {address}: the connection was lost")
    said = str(error).partition("\n")[0][:200]
    return JournalError(f"the journal {address}: {said} ({code or type(error).__name__})")


def refused(error: BaseException, address: Address) -> JournalError:
    """What to tell when there is no connection, at the start: some of it a person must mend."""
    code = state(error)
    if code[:2] == "28":
        return JournalError(
            f"the journal {address}: the database refuses this user or password; look at the "
            "Secret that holds the address"
        )
    if code == "3D000":
        return JournalError(f"the journal {address}: there is no such database; create it")
    if code:
        return translated(error, address)
    return Unavailable(f"the journal {address}: it cannot be reached")
