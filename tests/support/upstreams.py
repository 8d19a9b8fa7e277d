"""Systems to call, on real sockets, that misbehave as a test says.

erp = await upstream(answer({"price": 1}))              # the same to every request
erp = await upstream(answer(status=503), answer([]))    # one after the other, the last for ever
erp = await upstream(lambda arrival: ...)               # whatever the request asks for
...
assert erp.arrivals[0].target == "/prices?sku=1"
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came in; `at` is the loop's time."""

    at: float
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(slots=True)
class Wire:
    """The connection that a request came on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until_closed(self) -> None:
        """Wait until the other side goes away."""
        await self.reader.read()

    def reset(self) -> None:
        """Go away without a word: RST, not FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behave = Callable[[Wire], Awaitable[bool]]
"""What to do with one request; says whether the connection goes on."""


def head(status: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""]).encode("latin-1")


def answer(
    value: Any = None,
    *,
    status: int = 200,
    body: bytes | None = None,
    content_type: str | None = "application/json",
    headers: tuple[str, ...] = (),
    when: asyncio.Event | None = None,
    after: float = 0.0,
) -> Behave:
    """Answer properly: `value` as JSON, or `body`; once `when` is set."""
    content = json.dumps(value).encode() if body is None else body
    lines = [f"content-length: {len(content)}", *headers]
    if content_type is not None:
        lines.append(f"content-type: {content_type}")

    async def behave(wire: Wire) -> bool:
        if when is not None:
            await when.wait()
        if after:
            await asyncio.sleep(after)
        await wire.send(head(status, *lines) + content)
        return True

    return behave


def says(data: bytes) -> Behave:
    """Send just these bytes and close."""

    async def behave(wire: Wire) -> bool:
        await wire.send(data)
        return False

    return behave


def hangs(data: bytes = b"") -> Behave:
    """Send these bytes, and then nothing more."""

    async def behave(wire: Wire) -> bool:
        await wire.send(data)
        await wire.until_closed()
        return False

    return behave


def resets() -> Behave:
    """Break the connection off."""

    async def behave(wire: Wire) -> bool:
        wire.reset()
        return False

    return behave


@dataclass
class Flood:
    """Stream a body of `size` bytes; `sent` says how much of it was taken."""

    size: int
    chunked: bool
    sent: int = 0
    broken_off: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, wire: Wire) -> bool:
        piece = b'"' + b"x" * 65_533 + b'"'
        framing = "transfer-encoding: chunked" if self.chunked else f"content-length: {self.size}"
        try:
            await wire.send(head(200, framing, "content-type: application/json"))
            while self.sent < self.size:
                data = b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece
                await wire.send(data)
                self.sent += len(piece)
        finally:
            self.broken_off.set()
        return False


Choose = Callable[[Arrival], Behave]


class Upstream:
    """One system, and what it saw."""

    def __init__(self, choose: Choose, secure: ssl.SSLContext | None = None) -> None:
        self.secure = secure
        self.connections = 0
        self.arrivals: list[Arrival] = []
        self.choose = choose
        self.open = 0
        self.most_open = 0
        self.under_way = 0
        self.most_under_way = 0
        self.port = 0
        self.changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.secure else f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._accepted, "127.0.0.1", self.port, ssl=self.secure
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything; nobody listens at the port any more."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, holds: Callable[["Upstream"], bool]) -> None:
        """Wait until something is true of it."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: holds(self))

    async def _note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.open += 1
        self.connections += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._note()
            while await self._converse(Wire(reader, writer)):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            await self._note()

    async def _converse(self, wire: Wire) -> bool:
        arrival = await _arrival(wire.reader)
        self.arrivals.append(arrival)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._note()
            return await self.choose(arrival)(wire)
        finally:
            self.under_way -= 1


async def _arrival(reader: asyncio.StreamReader) -> Arrival:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = tuple(
        (name.lower(), value.strip())
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    )
    length = int(next((value for name, value in headers if name == "content-length"), "0"))
    body = await reader.readexactly(length)
    return Arrival(asyncio.get_running_loop().time(), method, target, headers, body)


def choosing(given: tuple[Behave | Choose, ...]) -> Choose:
    """One behaviour after the other, the last one for ever; or a function of the request."""
    if len(given) == 1 and getattr(given[0], "__name__", "") != "behave":
        first = given[0]
        if not isinstance(first, Flood):
            return first  # type: ignore[return-value]
    script = list(given)

    def choose(_: Arrival) -> Behave:
        return script.pop(0) if len(script) > 1 else script[0]  # type: ignore[return-value]

    return choose


class UnreachablePort:
    """A port that answers no connection request: it listens, and its queue is full."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._waiting: list[socket.socket] = []
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self._waiting.append(waiting)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        for waiting in (*self._waiting, self._listener):
            waiting.close()


def unused_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
