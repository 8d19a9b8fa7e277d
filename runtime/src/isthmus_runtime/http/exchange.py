"""One request and the response it waits for, wherever it is: queued, connecting or on a link."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from isthmus_runtime.http import errors, messages, streams


class Carrier(Protocol):
    """A link, as far as an exchange knows of it."""

    exchange: "Exchange | None"

    def close(self) -> None:
        """Close at once, with the exchange that is on it."""


@dataclass(slots=True, eq=False)
class Exchange:
    """What a link needs to know of a request.

    `future` ends with the response or an error, or is cancelled with the task that awaits it.
    The body of a good answer goes `into` a stream where there is one.
    """

    head: bytes
    body: bytes
    future: asyncio.Future[messages.Response]
    deadline: float
    limit: int
    head_only: bool
    repeatable: bool
    sent: Callable[[], None] | None = None
    into: streams.Stream | None = None
    link: Carrier | None = None
    timer: asyncio.TimerHandle | None = None
    connecting: bool = False
    repeated: bool = False

    def fail(self, error: errors.ClientError) -> None:
        """End with an error, unless it has ended."""
        if not self.future.done():
            self.future.set_exception(error)

    def stop_timer(self) -> None:
        """Forget the deadline: it is the link's from here, or over."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
