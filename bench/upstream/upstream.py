"""The upstream without Go: the same answers from Python, on uvloop where it is installed.

Slower than `main.go`; the runner says when it had to use this one. Reads just enough HTTP/1.1 to
find the end of a request, and remembers the last search and the last prices request.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
from pathlib import Path
from typing import cast


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class Answers:
    """The ready answers, and what was asked last; shared by all connections."""

    def __init__(self, payloads: Path) -> None:
        self.search = answer((payloads / "search.json").read_bytes())
        self.prices = answer((payloads / "prices.json").read_bytes())
        self.last_search = b""
        self.last_prices = b""

    def to(self, method: bytes, target: bytes, body: bytes) -> bytes:
        match method, target.partition(b"?")[0]:
            case b"GET", b"/products/search":
                self.last_search = target
                return self.search
            case b"POST", b"/prices":
                self.last_prices = body
                return self.prices
            case ((b"GET" | b"POST"), b"/echo"):
                return answer(body)
            case b"GET", b"/last/search":
                return answer(self.last_search)
            case b"GET", b"/last/prices":
                return answer(self.last_prices)
        return answer(b"", "404 Not Found")


class Connection(asyncio.Protocol):
    """Answers one request after the other on one connection."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            stop = end + 4 + body_length(head)
            if len(self.buffer) < stop:
                return
            method, target, _ = head.split(b" ", 2)
            body, self.buffer = self.buffer[end + 4 : stop], self.buffer[stop:]
            if self.transport is not None:
                self.transport.write(self.answers.to(method, target, body))


def body_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def serve(host: str, port: int, answers: Answers) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), host, port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:18081")
    parser.add_argument("--payloads", type=Path, required=True)
    options = parser.parse_args()
    host, _, port = options.address.rpartition(":")
    with contextlib.suppress(ImportError):
        asyncio.set_event_loop_policy(importlib.import_module("uvloop").EventLoopPolicy())
    asyncio.run(serve(host, int(port), Answers(options.payloads)))


if __name__ == "__main__":
    main()
