"""A Route's process as a pod runs it, which a test may kill and start again on the same port."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from isthmus_api.plan import RoutePlan

PATIENCE = 30
_GIVEN: set[int] = set()


@dataclass
class Replica:
    """`python -m isthmus_runtime` for one plan. `log` holds what it said, over all its lives."""

    plan: Path
    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=lambda: free_port())
    admin_port: int = field(default_factory=lambda: free_port())
    lives: int = 0
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def pid(self) -> int:
        return self._alive().pid

    async def start(self) -> None:
        """Start it; it need not be ready."""
        settings = {
            "ISTHMUS_PLAN": str(self.plan),
            "ISTHMUS_HOST": "127.0.0.1",
            "ISTHMUS_PORT": str(self.port),
            "ISTHMUS_ADMIN_PORT": str(self.admin_port),
            **self.environment,
        }
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "isthmus_runtime"),
                env={**os.environ, **settings},
                stdout=log,
                stderr=log,
            )
        self.lives += 1

    async def until_ready(self) -> None:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
            while self._alive():
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.admin_url}/readyz")).is_success:
                        return
                await asyncio.sleep(0.05)

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's values that have these labels."""
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            page = (await client.get(f"{self.admin_url}/metrics")).text
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in page.splitlines() if re.match(rf"{name}[{{ ]", line)]
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if all(each in line for each in wanted)
        )

    async def route_status(self) -> dict[str, Any]:
        """What its status page tells of the Route."""
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            (found,) = (await client.get(f"{self.admin_url}/status")).json()["routes"]
        told: dict[str, Any] = found
        return told

    def memory(self) -> int:
        """The most memory that it had so far, in bytes, as the kernel counts it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kilobytes) * 1024

    async def kill(self) -> None:
        """SIGKILL, as a node does that has no memory left."""
        process = self._alive()
        process.kill()
        await process.wait()

    async def stop(self) -> int:
        """SIGTERM, as a roll-out does; its exit code."""
        process = self._alive()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            return await process.wait()

    async def end(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    def _alive(self) -> asyncio.subprocess.Process:
        process = self._process
        if process is None or process.returncode is not None:
            code = "not started" if process is None else f"ended with {process.returncode}"
            raise AssertionError(f"the Route's process is {code}; it said:\n{self.last_words()}")
        return process

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])


def free_port() -> int:
    """A port that nobody listens on now, and that nobody was given before.

    The system gives a port again as soon as it is closed.
    """
    while True:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = int(taken.getsockname()[1])
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


@contextlib.asynccontextmanager
async def replicas(
    plan: RoutePlan, *, count: int, folder: Path, environment: dict[str, str]
) -> AsyncIterator[Sequence[Replica]]:
    """Replicas of a Route, ready; all are ended in the end."""
    file = folder / f"{plan.name}.json"
    file.write_bytes(plan.to_json())
    found = [
        Replica(file, environment, folder / f"{plan.name}-{number}.log") for number in range(count)
    ]
    try:
        for replica in found:
            await replica.start()
        for replica in found:
            await replica.until_ready()
        yield found
    finally:
        for replica in found:
            await replica.end()
