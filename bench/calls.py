"""What a Connector adds to a call: calls to a system on loopback, beside the bare client's.

    python bench/calls.py [--calls 20000] [--rounds 7] [--connections 32]

Prints calls a second and microseconds of CPU a call of this process, the median of interleaved
rounds, and the rate by that of the bare client. The system has a core of its own.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import uvloop

import engines
import processes
import wire
from isthmus_api.plan import RoutePlan
from isthmus_runtime import logs
from isthmus_runtime.connectors.connector import Call, Connector
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.limits import ClientLimits
from isthmus_runtime.http.messages import Response
from isthmus_runtime.http.origins import Origin
from isthmus_runtime.testing import Placeholders

PORT: Final = 18195
BARE: Final = "bare client"
AUTH: Final = {"bearer": {"token": {"secretKeyRef": {"name": "erp", "key": "token"}}}}
LIMIT: Final = {"requests": 1_000_000, "per": "1s", "concurrency": 64}
CONNECTORS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "auth": {"auth": AUTH},
    "retry": {"retry": {"attempts": 3}},
    "limit": {"rateLimit": LIMIT},
    "auth, limit, retry": {"auth": AUTH, "rateLimit": LIMIT, "retry": {"attempts": 3}},
}

Send = Callable[[], Awaitable[Response]]


@dataclass
class Measured:
    """Of each round."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


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


def senders(url: str, connections: int) -> dict[str, Send]:
    """What makes one call, by name."""
    loop = asyncio.get_running_loop()
    client = Client(Origin.of(url), limits=ClientLimits(max_connections=connections))
    headers = [(b"accept", b"application/json")]

    def bare() -> Awaitable[Response]:
        return client.send("GET", "/echo", headers, deadline=loop.time() + 10)

    made: dict[str, Send] = {BARE: bare}
    opened = Registry(Placeholders()).of(plan(url)).values()
    for name, connector in zip(CONNECTORS, opened, strict=True):
        made[name] = _through(connector, Call("GET", "/echo", headers, b"", True))
    return made


def _through(connector: Connector, call: Call) -> Send:
    now = asyncio.get_running_loop().time
    return lambda: connector.send(call, now() + 10)


async def measure(url: str, calls: int, rounds: int, connections: int) -> dict[str, Measured]:
    """All senders in turn, round by round; a first round warms up and does not count."""
    made = senders(url, connections)
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
    bare = found[BARE].rate
    for name, each in found.items():
        cpu = statistics.median(each.cpu)
        print(f"{name:<20}{each.rate:9,.0f}/s{cpu:8.1f} us{each.rate / bare - 1:+8.1%}")


if __name__ == "__main__":
    main()
