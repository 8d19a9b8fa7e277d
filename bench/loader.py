"""A small HTTP/1.1 load generator on one thread, run as a process of its own.

    python bench/loader.py --port 18080 --target /search --connections 32 --seconds 5 --rate 1000

With `--rate` the load is open: requests fall due as strangers arrive (a Poisson process of fixed
seed, so that every engine gets the same arrivals), and a latency counts from the moment when the
request *fell due*, not from when a connection was free to send it. Without, it is closed: each
connection asks again as soon as it has its answer. The result is one line of JSON.

wrk is the faster closed loader where it is installed; this one knows constant rates.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import math
import random
import select
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

now = time.perf_counter


@dataclasses.dataclass(slots=True)
class Tally:
    """What came back."""

    latencies: list[float] = dataclasses.field(default_factory=list)
    size: int = 0  # bytes of all answers
    errors: int = 0
    late: int = 0  # fell due, and had no answer when the time was up

    def summary(self, seconds: float) -> dict[str, float]:
        ordered = sorted(self.latencies)
        answered = len(ordered) - self.late
        return {
            "requests": answered,
            "seconds": seconds,
            "p50": percentile(ordered, 0.50),
            "p99": percentile(ordered, 0.99),
            "errors": self.errors,
            "late": self.late,
            "mean_size": self.size / max(1, answered),
        }


class Connection:
    """One keep-alive connection with at most one request on its way."""

    __slots__ = ("buffer", "due", "size", "sock")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.size = 0
        self.buffer = b""

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.sock.sendall(request)

    def receive(self) -> int | None:
        """Read what is there; the status once the answer is whole, None before that."""
        chunk = self.sock.recv(65536)
        if not chunk:
            raise ConnectionError("closed by the server")
        self.buffer = self.buffer + chunk if self.buffer else chunk
        end = answer_end(self.buffer)
        if end is None:
            return None
        status, self.size = int(self.buffer[9:12]), end
        self.buffer = self.buffer[end:]
        return status


def answer_end(data: bytes) -> int | None:
    """Find where the first answer in data ends, or None while it is not whole."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return None
    headers = data[:head].lower()
    at = headers.find(b"content-length:")
    if at >= 0:
        stop = headers.find(b"\r\n", at)
        length = int(headers[at + 15 : stop if stop >= 0 else head])
        return head + 4 + length if len(data) >= head + 4 + length else None
    end = data.find(b"\r\n0\r\n\r\n", head)
    return end + 7 if end >= 0 else None


def percentile(ordered: list[float], share: float) -> float:
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def arrivals(rate: float | None, start: float) -> Iterator[float]:
    """Give the times at which requests fall due; at once and always, for a closed load."""
    if rate is None:
        while True:
            yield 0.0
    chance = random.Random(1)  # noqa: S311 - a repeatable schedule, no secret
    due = start
    while True:
        due += chance.expovariate(rate)
        yield due


class Load:
    """Keeps the connections busy until the time is up."""

    def __init__(self, connections: list[Connection], request: bytes) -> None:
        self.idle = list(connections)
        self.busy: dict[int, Connection] = {}
        self.request = request
        self.tally = Tally()
        self.poll = select.epoll()
        for connection in connections:
            self.poll.register(connection.sock.fileno(), select.EPOLLIN)

    def run(self, *, seconds: float, rate: float | None) -> Tally:
        start = now()
        end = start + seconds
        schedule = arrivals(rate, start)
        due = next(schedule)
        while (moment := now()) < end:
            while self.idle and due <= moment:
                self._send(due or moment)
                due = next(schedule)
            self._receive(min(due, end) - moment if self.idle else end - moment)
        self._count_late(due, schedule, end)
        return self.tally

    def _send(self, due: float) -> None:
        connection = self.idle.pop()
        connection.send(self.request, due)
        self.busy[connection.sock.fileno()] = connection

    def _receive(self, patience: float) -> None:
        # epoll alone rounds its patience up to a millisecond: too coarse for arrivals.
        select.select([self.poll], [], [], max(0.0, patience))
        for descriptor, _ in self.poll.poll(0):
            connection = self.busy[descriptor]
            status = connection.receive()
            if status is None:
                continue
            self.tally.latencies.append(now() - connection.due)
            self.tally.size += connection.size
            self.tally.errors += status != 200
            self.idle.append(self.busy.pop(descriptor))

    def _count_late(self, due: float, schedule: Iterator[float], end: float) -> None:
        """Charge unanswered requests with the time they have waited, or overload would look fast.

        A closed load has no such requests: its schedule follows the answers.
        """
        if not due:
            return
        waiting = [connection.due for connection in self.busy.values()]
        while due < end:
            waiting.append(due)
            due = next(schedule)
        self.tally.late = len(waiting)
        self.tally.latencies.extend(end - moment for moment in waiting)


def compose(method: str, target: str, body: bytes) -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def main() -> None:
    parser = argparse.ArgumentParser(description="Load one HTTP endpoint on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--method", default="GET")
    parser.add_argument("--target", required=True)
    parser.add_argument("--body", type=Path)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, help="requests per second; without: closed load")
    options = parser.parse_args()

    body = options.body.read_bytes() if options.body else b""
    connections = [Connection(options.port) for _ in range(options.connections)]
    load = Load(connections, compose(options.method, options.target, body))
    gc.disable()
    tally = load.run(seconds=options.seconds, rate=options.rate)
    json.dump(tally.summary(options.seconds), sys.stdout)
    print()


if __name__ == "__main__":
    main()
