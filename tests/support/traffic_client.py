"""A steady load on one URL, run in a pod of a cluster by `steady_load`; needs only Python.

    python traffic_client.py HOST PORT PATH

One half of the requests goes over connections that are kept, the other half over new ones. Nothing
is tried again, so what the server loses is seen. SIGTERM ends it: what is under way is waited for,
and the last line is a JSON object with what was `sent`, the number of `answers` by body, what was
`lost` and when, and the `longest` that an answer took, in seconds.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime

KEPT = 6
OPENERS = 6
PAUSE_SECONDS = 0.1
"""Between two requests of one of them: 120 requests a second in all, when answers are fast."""
TIMEOUT_SECONDS = 10.0
BEGUN_AFTER = 50


class Lost(Exception):
    """A request that was not answered as it should be."""


class Load:
    """What was sent, and what became of it."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._at = (host, port)
        self._request = f"GET {path} HTTP/1.1\r\nhost: {host}\r\n".encode()
        self._ending = asyncio.Event()
        self._sent = 0
        self._answers: Counter[str] = Counter()
        self._lost: list[dict[str, str]] = []
        self._longest = 0.0

    async def run(self) -> None:
        """Send until SIGTERM."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._ending.set)
        async with asyncio.TaskGroup() as group:
            for number in range(KEPT + OPENERS):
                group.create_task(self._send(keep=number < KEPT, after=number / 100))
        told = {"sent": self._sent, "answers": self._answers, "lost": self._lost}
        print(json.dumps({**told, "longest": round(self._longest, 3)}), flush=True)

    async def _send(self, *, keep: bool, after: float) -> None:
        """Send one request after another; a kept connection is given up when it is to end."""
        await asyncio.sleep(after)
        connection = Connection(*self._at)
        while not self._ending.is_set():
            begun = time.monotonic()
            self._sent += 1
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    body = await connection.ask(self._request, keep=keep)
            except (OSError, TimeoutError, EOFError, Lost) as error:
                connection.close()
                self._note_loss(f"{type(error).__name__}: {error}", "kept" if keep else "new")
            else:
                self._answers[body] += 1
                if self._answers.total() == BEGUN_AFTER:
                    print("begun", flush=True)
            took = time.monotonic() - begun
            self._longest = max(self._longest, took)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, PAUSE_SECONDS - took)):
                    await self._ending.wait()
        connection.close()

    def _note_loss(self, why: str, connection: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lost.append({"at": at, "connection": connection, "why": why})
        print(json.dumps(self._lost[-1]), flush=True)


class Connection:
    """A connection that is made when it is needed, and ends when an answer says so."""

    def __init__(self, host: str, port: int) -> None:
        self._at = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes, *, keep: bool) -> str:
        """Send a request; the body of its answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._at)
        reader, writer = self._streams
        writer.write(request + (b"\r\n" if keep else b"connection: close\r\n\r\n"))
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        if headers.get("connection") == "close" or not keep:
            self.close()
        if status.split()[1] != "200":
            raise Lost(f"{status} {body[:300]}")
        return body

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


if __name__ == "__main__":
    asyncio.run(Load(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run())
