"""A forward proxy on a real socket: tunnels (CONNECT) and requests with a whole address."""

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """Lets through who shows `user:password`; keeps what it was asked for."""

    credentials: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """The request lines, without their version."""
    seen: bytearray = field(default_factory=bytearray)
    """All bytes that came from the client, those inside of tunnels too."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen += head
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        shown = base64.b64encode(self.credentials.encode())
        if self.credentials and b"roxy-" + b"Authorization: Basic " + shown not in _fields(head):
            writer.write(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            ahead, back = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            where = urlsplit(target)
            ahead, back = await asyncio.open_connection(where.hostname, where.port)
            back.write(head.replace(target.encode(), target.partition(where.netloc)[2].encode(), 1))
        self._writers.append(back)
        await asyncio.gather(self._pump(reader, back, note=True), self._pump(ahead, writer))

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, note: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                if note:
                    self.seen += data
                sink.write(data)
                await sink.drain()
        sink.close()


def _fields(head: bytes) -> bytes:
    """The head with the field's name as it may be written in any case."""
    return head.replace(b"proxy-authorization", b"Proxy-Authorization")
