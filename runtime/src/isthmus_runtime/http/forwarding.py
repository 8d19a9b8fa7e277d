"""Forwarding: requests without TLS through a proxy, which is told the whole address of each."""

from collections.abc import Callable, Sequence

from isthmus_runtime.http import dialling, messages, origins, streams
from isthmus_runtime.http.client import Client


class Forwarded:
    """Sends to one origin by way of a client of the proxy; it fulfils `transport.Transport`."""

    def __init__(
        self, origin: origins.Origin, proxy: Client, authorization: dialling.Authorization
    ) -> None:
        self._before = f"http://{origin.authority}"
        self._host = (b"host", origin.authority.encode())
        self._proxy = proxy
        self._authorization = authorization

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
        """Send a request with its absolute address (RFC 9112, 3.2.2)."""
        path = target if isinstance(target, str) else target.decode("latin-1")
        own = [] if messages.header(headers, b"host") else [self._host]
        if proof := self._authorization():
            own.append((b"proxy-authorization", proof))
        return await self._proxy.send(
            method,
            self._before + path,
            [*own, *headers],
            body,
            deadline=deadline,
            max_response_bytes=max_response_bytes,
            repeatable=repeatable,
            sent=sent,
            into=into,
        )
