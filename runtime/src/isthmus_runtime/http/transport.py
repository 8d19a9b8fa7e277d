"""The seam to upstream systems: one method, which `client.Client` fulfils and a fake can."""

from collections.abc import Callable, Sequence
from typing import Protocol

from isthmus_runtime.http import messages, streams


class Transport(Protocol):
    """Sends one request to one origin."""

    async def send(
        self,
        method: str,
        target: bytes | str,
        headers: Sequence[messages.Header] = (),
        body: bytes = b"",
        *,
        deadline: float,
        max_response_bytes: int | None = None,
        repeatable: bool = False,
        sent: Callable[[], None] | None = None,
        into: streams.Stream | None = None,
    ) -> messages.Response:
        """Return the response, or raise one of `errors`; `deadline` is the loop's time. `sent` is
        called when the request went out, each time that it did. The body of an answer of 2xx may go
        `into` a stream, and is not in the response then."""
