"""Sends requests to one origin over a bounded pool of HTTP/1.1 connections.

    client = Client(Origin("https", "erp.example.com", 443))
    answer = await client.send("GET", "/prices?sku=1", deadline=loop.time() + 0.3)
    ...
    await client.aclose()

What goes wrong is one of `errors`; a request whose head is not safe to send is an `UnsafeHeader`.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from isthmus_runtime.http import (
    dialling,
    errors,
    exchange,
    heads,
    limits,
    messages,
    origins,
    pool,
    streams,
    tls,
)

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY"})
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
_DEFAULTS: Final = limits.ClientLimits()


def _trusting() -> tls.Tls:
    return tls.Given()


class Client:
    """A client of one origin, on the running event loop; it fulfils `transport.Transport`."""

    def __init__(
        self,
        origin: origins.Origin,
        *,
        limits: limits.ClientLimits | None = None,
        tls: tls.Tls | None = None,
        dial: dialling.Dial | None = None,
    ) -> None:
        """`tls` is for an https origin; `dial` opens connections in another way than straight."""
        if dial is None:
            secure = (tls or _trusting()) if origin.scheme == "https" else None
            dial = dialling.Straight(origin, secure)
        self.origin: Final = origin
        self._limits = limits or _DEFAULTS
        self._loop = asyncio.get_running_loop()
        self._pool = pool.Pool(origin, self._limits, dial, self._loop)
        self._host: Final = b"host: " + origin.authority.encode() + b"\r\n"

    @property
    def open_connections(self) -> int:
        """How many connections there are, those being opened included."""
        return self._pool.open

    @property
    def idle_connections(self) -> int:
        """How many connections rest."""
        return len(self._pool.idle)

    @property
    def waiting(self) -> int:
        """How many requests have no connection yet."""
        return len(self._pool.waiting)

    @property
    def opened(self) -> int:
        """How many connections were opened in all."""
        return self._pool.opened

    @property
    def repeated(self) -> int:
        """How many requests were sent again, as the peer had closed an idle connection."""
        return self._pool.repeats

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
        """Send a request, and return the whole response, decoded.

        `deadline` is the loop's time. A reused connection that closes before the first byte of a
        response is tried once more on a new one, if the method is idempotent or the caller says
        that the request is `repeatable`. Cancelling closes the connection the request was on.
        `sent` is called whenever it was written, however long it waited for a connection. The body
        of an answer of 2xx goes `into` a stream, and the response comes without it at its end.
        """
        if self._pool.closed:
            raise errors.ClientClosed
        if deadline <= self._loop.time():
            raise errors.DeadlineExceeded("pool")
        head = heads.request(
            method.encode("latin-1", "replace"),
            target if isinstance(target, bytes) else target.encode(),
            self._host,
            headers,
            len(body) if body or method in _WITH_LENGTH else None,
        )
        begun = exchange.Exchange(
            head,
            body,
            self._loop.create_future(),
            deadline,
            self._limits.max_response_bytes if max_response_bytes is None else max_response_bytes,
            method == "HEAD",
            repeatable or method in _IDEMPOTENT,
            sent,
            into,
        )
        self._pool.submit(begun)
        try:
            return await begun.future
        except asyncio.CancelledError:
            self._pool.abandon(begun)
            raise

    async def aclose(self) -> None:
        """Close idle connections now, and the others once their requests are through."""
        await self._pool.aclose()
