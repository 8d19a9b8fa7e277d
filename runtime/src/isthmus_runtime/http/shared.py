"""What the connections of one server have in common: its application, limits, clocks and counts."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from isthmus_runtime.http.application import Application, OnError, OnRefused
from isthmus_runtime.http.limits import ServerLimits


class Member(Protocol):
    """A connection, as its server sees it."""

    due: float
    write_due: float
    old_at: float

    def sweep(self, now: float) -> None:
        """Act on the due times that have passed."""

    def close_if_idle(self) -> None:
        """Close now unless a request has begun or an answer is on its way."""

    def abort(self) -> bool:
        """Close at once; say whether that broke anything off."""


@dataclass(slots=True, kw_only=True)
class Shared:
    """Belongs to one server; its connections read it, and keep the counts true.

    While it is `leaving`, every answer is the last of its connection. While it is `draining`, it
    also takes no connection any more.
    """

    application: Application
    limits: ServerLimits
    on_error: OnError
    on_refused: OnRefused
    clock: Callable[[], float]
    loop: asyncio.AbstractEventLoop
    connections: set[Member] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    in_flight: int = 0
    refused: int = 0
    leaving: bool = False
    draining: bool = False
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    _date_second: int = -1
    _date_line: bytes = b""

    def date(self) -> bytes:
        """Return the Date line, written once per second."""
        second = int(time.time())
        if second != self._date_second:
            self._date_second = second
            self._date_line = b"date: " + formatdate(second, usegmt=True).encode() + b"\r\n"
        return self._date_line

    def note_departure(self) -> None:
        """Notice when the last connection and the last handler are gone, which ends a drain."""
        if self.draining and not self.connections and not self.tasks:
            self.quiet.set()
