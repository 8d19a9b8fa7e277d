"""A system that watches how hard it is leaned on: it answers POST with `{}` after a moment, and
notes when each call came.

A call that is read at a moment may have come a little before, while this process was busy. So each
has an earliest moment, too: one at which the loop had looked at its sockets, and it was not there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

TICK = 0.002
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Seen:
    """When a call came: not before `earliest`, not after `latest`."""

    earliest: float
    latest: float


class RateWitness:
    """The system. `most_under_way` is how many calls it had at once."""

    def __init__(self, *, answers_after: float) -> None:
        self.seen: list[Seen] = []
        self.under_way = 0
        self.most_under_way = 0
        self.answers_after = answers_after
        self._ticks = (0.0, 0.0)
        self._ticking: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> "RateWitness":
        loop = asyncio.get_running_loop()
        self._ticking = loop.create_task(self._tick())
        self._server = await loop.create_server(lambda: _Caller(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticking:
            self._ticking.cancel()
        if self._server:
            self._server.close()

    def note(self) -> None:
        """A call came."""
        self.seen.append(Seen(self._ticks[0], asyncio.get_running_loop().time()))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._ticks = (self._ticks[1], loop.time())
            await asyncio.sleep(TICK)


class _Caller(asyncio.Protocol):
    """One connection; its calls come one after the other, each in one piece or in several."""

    def __init__(self, witness: RateWitness) -> None:
        self._witness = witness
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._data:
            self._witness.note()
            self._is_answering = True
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._data = b""
            loop = asyncio.get_running_loop()
            loop.call_later(self._witness.answers_after, self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _answer(self) -> None:
        self._end()
        if self._transport and not self._transport.is_closing():
            self._transport.write(ANSWER)

    def _end(self) -> None:
        self._witness.under_way -= self._is_answering
        self._is_answering = False


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


def most_in_a_window(seen: Sequence[Seen], per: float) -> int:
    """The most calls that surely came within a window of this length."""
    return max((_surely_within(seen, each.earliest, per) for each in seen), default=0)


def _surely_within(seen: Sequence[Seen], start: float, per: float) -> int:
    return sum(each.earliest >= start and each.latest <= start + per for each in seen)


def used(seen: Sequence[Seen], requests: int, per: float) -> float:
    """How much of a limit was used, of 1; the first window came at once and does not count."""
    return (len(seen) - requests) / requests / ((seen[-1].latest - seen[0].latest) / per)
