"""What a Connector adds to a call: calls to a system on loopback, beside the bare client's.

    python bench/calls.py [--calls 20000] [--rounds 7] [--connections 32]

The bare client makes the same exchanges as a person would write them by hand: over sockets, with a
deadline, a bearer token that is known, and a look at the status. So do aiohttp and httpx, by which
people write them without us. A Connector reads its token from a mounted Secret, as in a pod.

Prints calls a second and microseconds of CPU a call of this process, the median of interleaved
rounds, and how much more CPU that is than the bare client's in the same round, the median again.
The system has a core of its own.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import aiohttp
import httpx
import uvloop

import engines
import processes
import wire
from isthmus_api.plan import RoutePlan
from isthmus_runtime import logs, secrets
from isthmus_runtime.connectors.connector import Call, Connector
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.limits import ClientLimits
from isthmus_runtime.http.messages import Response
from isthmus_runtime.http.origins import Origin

PORT: Final = 18195
BARE: Final = "bare client"
BEARER: Final = "a-token-of-forty-characters-for-the-system"
AUTH: Final = {"bearer": {"token": {"secretKeyRef": {"name": "erp", "key": "token"}}}}
LIMIT: Final = {"requests": 1_000_000, "per": "1s", "concurrency": 64}
CONNECTORS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "auth": {"auth": AUTH},
    "retry": {"retry": {"attempts": 3}},
    "limit": {"rateLimit": LIMIT},
    "auth, limit, retry": {"auth": AUTH, "rateLimit": LIMIT, "retry": {"attempts": 3}},
}

SECONDS: Final = 10.0
"""A call has so long."""


class Answered(Protocol):
    """What a call gives."""

    @property
    def status(self) -> int: ...


class Status(NamedTuple):
    """What a client's answer says, who calls it otherwise."""

    status: int


Send = Callable[[], Awaitable[Answered]]


@dataclass
class Measured:
    """Of each round."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def line(self, bare: "Measured") -> str:
        more = statistics.median(mine / its for mine, its in zip(self.cpu, bare.cpu, strict=True))
        rate, cpu = statistics.median(self.rates), statistics.median(self.cpu)
        return f"{rate:9,.0f}/s{cpu:8.1f} us{more - 1:+8.1%}"


def plan(url: str) -> RoutePlan:
    """A Route that has all Connectors."""
    connectors = {
        name.replace(", ", "-").replace(" ", "-"): {"http": {"baseUrl": url, **spec}}
        for name, spec in CONNECTORS.items()
    }
    steps = [{"call": {"connector": name}} for name in connectors]
    written = {"version": 1, "namespace": "default", "name": "bench", "connectors": connectors}
    source = {"http": {"path": "/"}}
    return RoutePlan.from_json(json.dumps({**written, "source": source, "steps": steps}).encode())


def mounted(folder: Path) -> secrets.Secrets:
    """The token, as the kubelet mounts a Secret: a file behind a link that it replaces."""
    key = folder / "..one" / "erp" / "token"
    key.parent.mkdir(parents=True)
    key.write_text(BEARER)
    (folder / "..data").symlink_to("..one")
    return secrets.at(folder)


def senders(url: str, connections: int, known: secrets.Secrets) -> dict[str, Send]:
    """What makes one call, by name."""
    loop = asyncio.get_running_loop()
    client = Client(Origin.of(url), limits=ClientLimits(max_connections=connections))
    headers = [(b"accept", b"application/json")]
    signed = [*headers, (b"authorization", f"Bearer {BEARER}".encode())]

    def bare() -> Awaitable[Response]:
        return client.send("GET", "/echo", signed, deadline=loop.time() + SECONDS)

    made: dict[str, Send] = {BARE: bare}
    opened = Registry(known).of(plan(url)).values()
    for name, connector in zip(CONNECTORS, opened, strict=True):
        made[name] = _through(connector, Call("GET", "/echo", headers, b"", True))
    return made


def _through(connector: Connector, call: Call) -> Send:
    now = asyncio.get_running_loop().time
    return lambda: connector.send(call, now() + SECONDS)


@contextlib.asynccontextmanager
async def libraries(url: str, connections: int) -> AsyncIterator[dict[str, Send]]:
    """The same call by the clients that people know."""
    signed = {"accept": "application/json", "authorization": f"Bearer {BEARER}"}
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            headers=signed,
            timeout=aiohttp.ClientTimeout(total=SECONDS),
        ) as session,
        httpx.AsyncClient(
            limits=httpx.Limits(max_connections=connections), headers=signed, timeout=SECONDS
        ) as client,
    ):

        async def by_aiohttp() -> Answered:
            async with session.get(f"{url}/echo") as answer:
                await answer.read()
                return answer

        async def by_httpx() -> Answered:
            return Status((await client.get(f"{url}/echo")).status_code)

        yield {"aiohttp": by_aiohttp, "httpx": by_httpx}


async def measure(url: str, calls: int, rounds: int, connections: int) -> dict[str, Measured]:
    """All senders in turn, round by round; a first round warms up and does not count."""
    with tempfile.TemporaryDirectory() as folder:
        made = senders(url, connections, mounted(Path(folder)))
        async with libraries(url, connections) as others:
            return await _rounds(made | others, calls, rounds, connections)


async def _rounds(
    made: dict[str, Send], calls: int, rounds: int, connections: int
) -> dict[str, Measured]:
    found = {name: Measured() for name in made}
    for number in range(rounds + 1):
        for name, send in made.items():
            rate, cpu = await _round(send, calls, connections)
            if number:
                found[name].rates.append(rate)
                found[name].cpu.append(cpu)
    return found


async def _round(send: Send, calls: int, connections: int) -> tuple[float, float]:
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            answer = await send()
            if answer.status != 200:
                raise SystemExit(f"answered {answer.status}")

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(connections)))
    return (
        calls / (time.perf_counter() - began),
        (time.process_time() - cpu) / calls * 1e6,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    cores = processes.Cores.of_this_machine()
    command, _ = engines.upstream(engines.cache() / "payloads", f"127.0.0.1:{PORT}")
    system = processes.start(
        command,
        cores=cores.load,
        log=engines.cache() / "logs" / "calls.log",
        port=PORT,
        ready=wire.Request("GET", "/echo", b""),
        env={"GOMAXPROCS": "1"},
    )
    try:
        with processes.pinned(cores.server), logs.captured():
            url = f"http://127.0.0.1:{PORT}"
            found = uvloop.run(measure(url, given.calls, given.rounds, given.connections))
    finally:
        processes.stop(system)
    for name, each in found.items():
        print(f"{name:<20}{each.line(found[BARE])}")


if __name__ == "__main__":
    main()
