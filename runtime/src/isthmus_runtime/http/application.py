"""What a server calls: the seam between HTTP and whatever answers it."""

from collections.abc import Callable
from typing import Protocol

from isthmus_runtime.http import messages

OnError = Callable[[Exception, messages.Head | None], None]
"""Told of an error that a client saw as a plain 500; the head is missing where it was not known."""

OnRefused = Callable[[messages.Head | None, messages.Response], messages.Response]
"""Told of an answer that the server gives by itself, such as 400 or 408; returns it as it is sent.

The head is missing where none was read whole.
"""


def as_it_is(_: messages.Head | None, answer: messages.Response) -> messages.Response:
    """An `OnRefused` that leaves the server's answers alone."""
    return answer


class Application(Protocol):
    """Answers requests, in two steps so that a body is read only where it is wanted."""

    def admit(self, head: messages.Head) -> int | messages.Response:
        """Return the largest body that is taken, in bytes, or the answer to give at once."""

    async def handle(self, request: messages.Request) -> messages.Response:
        """Return the answer. It should not raise: the client gets a 500 without detail then.

        A client that goes away does not cancel it: what was accepted is brought to its end.
        """
