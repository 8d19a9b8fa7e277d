"""Trials: each in a process of its own on the server's core, on a fresh database, in turn."""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import processes
from journal import places

SUBJECT: Final = Path(__file__).with_name("subject.py")
BATCH: Final = 64
"""Rows of a bare transaction; as many as the journal has callers, so its batches are no larger."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    rounds: int
    count: int
    """Messages of a trial."""
    backlog: int
    """Messages that wait, and are drained."""


@dataclasses.dataclass(slots=True)
class Home:
    """What was measured of one home of the journal."""

    name: str
    accepts: list[float] = dataclasses.field(default_factory=list)
    p50: list[float] = dataclasses.field(default_factory=list)
    p99: list[float] = dataclasses.field(default_factory=list)
    bare: list[float] = dataclasses.field(default_factory=list)
    plain: list[float] = dataclasses.field(default_factory=list)
    delivers: list[float] = dataclasses.field(default_factory=list)
    ordered: list[float] = dataclasses.field(default_factory=list)
    three: list[float] = dataclasses.field(default_factory=list)
    """Three replicas together, a second."""
    bytes_each: float = 0.0
    drained: float = 0.0
    slower: float = 0.0
    """How much longer the last tenth of the backlog took than the first."""
    rss: float = 0.0
    used: list[float] = dataclasses.field(default_factory=list)
    """How much of a limit twelve replicas use."""
    most: list[float] = dataclasses.field(default_factory=list)
    """The fullest window, by the limit."""

    def whole(self) -> list[float]:
        """Accepted and delivered, one after the other on the same core, a second."""
        return [1 / (1 / a + 1 / d) for a, d in zip(self.accepts, self.delivers, strict=True)]


class Say(Protocol):
    """Tells what is being done."""

    def __call__(self, line: str, /) -> None: ...


def measure(plan: Plan, *, say: Say) -> Iterator[Home]:
    """Both homes, one after the other; `Missing` where PostgreSQL is."""
    return (_home(place, plan, say) for place in places.both())


def _home(place: places.Place, plan: Plan, say: Say) -> Home:
    home = Home(place.name)
    for number in range(plan.rounds):
        say(f"{place.name}, round {number + 1}: bare inserts, accepting, delivering")
        bare = ("--count", plan.count, "--batch", BATCH)
        home.bare.append(_run("bare", place.fresh(), *bare)["rate"])
        home.plain.append(_run("bare", place.fresh(), *bare, "--plain")["rate"])
        _round(home, place, plan.count)
    if plan.backlog:
        say(f"{place.name}: a backlog of {plan.backlog:,}")
        _backlog(home, place, plan.backlog)
    return home


def _round(home: Home, place: places.Place, count: int) -> None:
    address = place.fresh()
    accepted = _run("accept", address, "--count", count, "--callers", BATCH)
    home.accepts.append(accepted["rate"])
    home.p50.append(accepted["p50"])
    home.p99.append(accepted["p99"])
    home.delivers.append(_run("deliver", address)["rate"])
    home.bytes_each = place.size() / count
    home.rss = max(home.rss, accepted["rss"])
    _run("accept", address, "--count", count, "--callers", BATCH)
    home.ordered.append(_run("deliver", address, "--ordered")["rate"])
    if place.name == places.POSTGRESQL:
        _run("accept", address, "--count", count, "--callers", BATCH)
        home.three.append(_together(address, 3))
        limit = _run("limit", address)
        home.used.append(limit["used"])
        home.most.append(limit["most"])


def bare(address: str, *, orders: bool) -> float:
    """Bare inserts of a few thousand; rows a second."""
    wanted = ("--orders",) if orders else ()
    return float(_run("bare", address, "--count", 5_000, "--batch", BATCH, *wanted)["rate"])


def _backlog(home: Home, place: places.Place, count: int) -> None:
    address = place.fresh()
    _run("accept", address, "--count", count, "--callers", 4 * BATCH)
    found = _run("deliver", address)
    home.drained, home.slower = found["rate"], found["last"] / found["first"]


def _together(address: str, replicas: int) -> float:
    """Several processes at once, on all cores; what they do together until the slowest is done."""
    cores = processes.Cores.of_this_machine()
    started = [_start("deliver", address, on=cores.server | cores.load) for _ in range(replicas)]
    found = [_answer(each) for each in started]
    done = sum(float(each["done"]) for each in found)
    return done / max(float(each["done"] / each["rate"]) for each in found)


def _run(what: str, address: str, *args: object) -> dict[str, Any]:
    return _answer(_start(what, address, *args))


def _start(
    what: str, address: str, *args: object, on: frozenset[int] | None = None
) -> subprocess.Popen[bytes]:
    command: Sequence[str] = [sys.executable, str(SUBJECT), what, address, *map(str, args)]
    with processes.pinned(on or processes.Cores.of_this_machine().server):
        return subprocess.Popen(command, stdout=subprocess.PIPE)


def _answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    said, _ = process.communicate()
    if process.returncode != 0:
        raise processes.StartError(f"{' '.join(map(str, process.args))} failed")  # type: ignore[arg-type]
    found: dict[str, Any] = json.loads(said)
    return found


def median(values: Sequence[float]) -> float:
    """The middle of the rounds."""
    return statistics.median(values) if values else 0.0
