"""Real sockets on both sides: a server to talk to byte by byte, and peers that misbehave."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import uvloop

from isthmus_runtime import http

Answer = Callable[[http.Request], Awaitable[http.Response]]

OK = http.Response(200, [(b"content-type", b"text/plain")], b"ok")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Scripted:
    """An application that remembers its requests and answers as a test says."""

    answer: Answer | None = None
    admission: int | http.Response = 1024 * 1024
    heads: list[http.Head] = field(default_factory=list)
    requests: list[http.Request] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    refused: list[tuple[http.Head | None, int]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None

    def admit(self, head: http.Head) -> int | http.Response:
        self.heads.append(head)
        return self.admission

    async def handle(self, request: http.Request) -> http.Response:
        self.requests.append(request)
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.answer is not None:
            return await self.answer(request)
        return OK

    def on_error(self, error: Exception, head: http.Head | None) -> None:
        self.errors.append(error)

    def on_refused(self, head: http.Head | None, answer: http.Response) -> http.Response:
        self.refused.append((head, answer.status))
        return http.Response(answer.status, [*answer.headers, (b"x-noted", b"yes")], answer.body)


@dataclass
class Wire:
    """A raw client connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def transport(self) -> asyncio.Transport:
        """That of the writer, whose type does not tell that it reads too."""
        return cast(asyncio.Transport, self.writer.transport)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        head = (await self.head()).decode("latin-1")
        first, *lines = head.split("\r\n")
        fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        length = 0 if bodiless else int(fields.get("content-length", "0"))
        async with asyncio.timeout(5):
            body = await self.reader.readexactly(length)
        return int(first.split(" ")[1]), fields, body

    async def rest(self) -> bytes:
        """Read until the other side closes."""
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read(-1)
        return b""

    def reset(self) -> None:
        """Go away without a word: RST, not FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass
class Running:
    server: http.Server
    application: Scripted
    port: int
    wires: list[Wire] = field(default_factory=list)

    async def connect(self) -> Wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        wire = Wire(reader, writer)
        self.wires.append(wire)
        return wire

    async def said(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own, and return all that comes back."""
        wire = await self.connect()
        wire.send(data)
        return await wire.rest()

    async def is_serving(self) -> bool:
        wire = await self.connect()
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        status, _, _ = await wire.answer()
        return status == 200


Serve = Callable[..., Awaitable[Running]]
Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait for what no event tells of, such as a count that a server or client keeps."""

    async def reached(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0)

    return reached


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    started: list[Running] = []

    async def start(
        answer: Answer | None = None,
        *,
        admission: int | http.Response = 1024 * 1024,
        gate: asyncio.Event | None = None,
        **limits: Any,
    ) -> Running:
        application = Scripted(answer, admission, gate=gate)
        server = http.Server(
            application,
            http.ServerLimits(**limits),
            on_error=application.on_error,
            on_refused=application.on_refused,
        )
        running = Running(server, application, await server.start("127.0.0.1", 0))
        started.append(running)
        return running

    yield start
    for running in started:
        for wire in running.wires:
            await wire.close()
        await running.server.drain(0)
        assert running.server.open_connections == 0
        assert running.server.in_flight == 0


@dataclass
class Peer:
    """An upstream that does what a test says with each connection it gets."""

    port: int
    connections: int = 0
    received: list[bytes] = field(default_factory=list)


Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]
StartPeer = Callable[[Converse], Awaitable[Peer]]


@pytest.fixture
async def peer() -> AsyncIterator[StartPeer]:
    listeners: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(converse: Converse) -> Peer:
        upstream = Peer(0)

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                tasks.add(task)
            upstream.connections += 1
            try:
                await converse(reader, writer, upstream.connections)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                    await writer.wait_closed()

        listener = await asyncio.start_server(accepted, "127.0.0.1", 0)
        listeners.append(listener)
        upstream.port = listener.sockets[0].getsockname()[1]
        return upstream

    yield start
    for listener in listeners:
        listener.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
