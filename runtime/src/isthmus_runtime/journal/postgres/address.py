"""Addresses of databases: read strictly, so that what is shown of one is never its password."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from isthmus_runtime.journal.journal import WrongAddress

_PLACE: Final = re.compile(r"[A-Za-z0-9_.,:\[\]-]*")
_DATABASE: Final = re.compile(r"/[A-Za-z0-9_.%-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. Printing one shows no user and no password."""

    url: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown


def read(url: str) -> Address:
    """What `postgresql://…` says; `WrongAddress` has what to write, and nothing of the address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise wrong("is not an address") from None
    _, _, place = parts.netloc.rpartition("@")
    if "@" in parts.path + parts.query or parts.fragment or not _PLACE.fullmatch(place):
        raise wrong(
            "has a character in its user or password that has a meaning in addresses; write %40 "
            "for @, %2F for /, %3A for :, %23 for #, %3F for ?"
        )
    if not _DATABASE.fullmatch(parts.path):
        raise wrong("names no database")
    return Address(url=url, shown=f"postgresql://{place}{parts.path}")


def wrong(what: str) -> WrongAddress:
    """What to tell of an address: what it has, and the form that it should have."""
    return WrongAddress(
        f"the journal's address {what}; the form is postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    )
