"""Opening a journal by its address: `sqlite:PATH`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.

An address that cannot be used is told without what may be a password in it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from isthmus_runtime.journal.desk import Desk
from isthmus_runtime.journal.journal import Journal, Unavailable, WrongAddress

_SQLITE: Final = "sqlite:"
_POSTGRESQL: Final = ("postgresql://", "postgres://")

FORMS: Final = "write sqlite:PATH, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


async def open(url: str) -> Journal:
    """Open the journal at an address, and give it the tables it needs.

    `Unavailable` when it cannot be reached now; `Incompatible` when a newer runtime migrated it.
    """
    if url.startswith(_SQLITE):
        from isthmus_runtime.journal.sqlite import home

        return await home.open_file(file(url))
    if url.startswith(_POSTGRESQL):
        from isthmus_runtime.journal.postgres import address
        from isthmus_runtime.journal.postgres import home as postgres

        return await postgres.open_database(address.read(url))
    raise WrongAddress(f"the journal's address is neither of SQLite nor of PostgreSQL; {FORMS}")


async def open_when_told(address: Callable[[], str]) -> Journal:
    """Open the journal whose address may be in a file that comes later."""
    try:
        found = address()
    except OSError as error:
        detail = f"the file with the journal's address cannot be read: {error.strerror}"
        raise Unavailable(detail) from error
    return await open(found)


def is_shared(url: str) -> bool:
    """Whether several processes may work on the journal at an address."""
    return not url.startswith(_SQLITE)


async def desk(url: str) -> Desk:
    """A desk at the journal of an address, beside whoever works on it."""
    if url.startswith(_SQLITE):
        from isthmus_runtime.journal.sqlite import hands

        return await hands.open_desk(file(url))
    if url.startswith(_POSTGRESQL):
        from isthmus_runtime.journal.postgres import address
        from isthmus_runtime.journal.postgres import hands as postgres

        return await postgres.open_desk(address.read(url))
    raise WrongAddress(f"the journal's address is neither of SQLite nor of PostgreSQL; {FORMS}")


def file(url: str) -> Path:
    """The path of a SQLite address; SQLAlchemy's way of writing it is understood as well."""
    path = url.removeprefix(_SQLITE)
    if path.startswith("//"):
        path = path.removeprefix("//").removeprefix("/")
    if not path or path.endswith("/") or path == ":memory:":
        raise WrongAddress("the journal's address names no file; write sqlite:PATH")
    return Path(path)
