"""Dialling: how a link gets its connection, straight or through a proxy's tunnel.

A host's name is asked of the resolver for each connection, so a changed address is followed by the
next one that opens.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from isthmus_runtime.http import errors, link, origins, tls

_MAX_HEAD: Final = 16 * 1024

Authorization = Callable[[], bytes | None]
"""The value of Proxy-Authorization as it is now, if there is one; may fail with a ClientError."""


class Dial(Protocol):
    """Opens connections to one origin."""

    async def __call__(self, opened: link.Link) -> None:
        """Connect a link. Fails with an OSError or one of `errors`."""
        ...


class Straight:
    """To the origin itself."""

    def __init__(self, origin: origins.Origin, secure: tls.Tls | None) -> None:
        self._origin = origin
        self._tls = secure

    async def __call__(self, opened: link.Link) -> None:
        """Connect, with TLS where the origin has it."""
        origin, secure = self._origin, self._tls
        await asyncio.get_running_loop().create_connection(
            lambda: opened,
            origin.host,
            origin.port,
            ssl=secure.context() if secure else None,
            server_hostname=(secure.server_name or origin.host) if secure else None,
        )


class Tunnel:
    """Through a proxy, which joins us to the origin and sees nothing of what follows."""

    def __init__(
        self,
        origin: origins.Origin,
        secure: tls.Tls,
        proxy: origins.Origin,
        authorization: Authorization,
    ) -> None:
        self._origin = origin
        self._tls = secure
        self._proxy = proxy
        self._authorization = authorization

    async def __call__(self, opened: link.Link) -> None:
        """Connect to the proxy, have it connect to the origin, and begin TLS with that."""
        loop = asyncio.get_running_loop()
        context = self._tls.context()
        request = self._request()
        transport, answer = await loop.create_connection(
            _ProxyAnswer, self._proxy.host, self._proxy.port
        )
        try:
            transport.write(request)
            await answer.granted
            name = self._tls.server_name or self._origin.host
            secured = await loop.start_tls(transport, opened, context, server_hostname=name)
        except BaseException:
            transport.abort()
            raise
        if secured is None or secured.is_closing():
            raise errors.ConnectFailed("the connection closed as soon as it was secure")
        opened.connection_made(secured)

    def _request(self) -> bytes:
        where = self._origin.with_port.encode()
        lines = [b"CONNECT " + where + b" HTTP/1.1", b"Host: " + where]
        if proof := self._authorization():
            lines.append(b"Proxy-Authorization: " + proof)
        return b"\r\n".join([*lines, b"", b""])


class _ProxyAnswer(asyncio.Protocol):
    """What a proxy says to CONNECT; `granted` is done once it has let us through."""

    def __init__(self) -> None:
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._head = b""

    def data_received(self, data: bytes) -> None:
        self._head += data
        head, end, _ = self._head.partition(b"\r\n\r\n")
        if end and not self.granted.done():
            self._judge(head.split(b"\r\n", 1)[0].split(b" ", 2))
        elif len(self._head) > _MAX_HEAD:
            self._refuse("the proxy's answer is too large")

    def connection_lost(self, exc: Exception | None) -> None:
        self._refuse("the proxy closed the connection")

    def _judge(self, line: list[bytes]) -> None:
        status = line[1] if len(line) > 1 and line[0].startswith(b"HTTP/1.") else b""
        if status.startswith(b"2"):
            self.granted.set_result(None)
        elif len(status) == 3 and status.isdigit():
            self._refuse(f"the proxy answered {status.decode()}")
        else:
            self._refuse("the proxy does not speak HTTP")

    def _refuse(self, why: str) -> None:
        if not self.granted.done():
            self.granted.set_exception(errors.ProxyRefused(why))
            self.granted.exception()  # whoever awaited it may be gone
