"""The goals, and what a run says about them: pure, from results to rows.

A goal is a ratio between two engines of the same run, or a plain figure of ours. The floor has to
hold; the aim is what we want.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import load
import processes

OURS: Final = "isthmus"
MB: Final = 1_000_000


@dataclasses.dataclass(slots=True)
class Result:
    """Everything measured of one engine at one workload."""

    engine: str
    work: str
    starts: list[float] = dataclasses.field(default_factory=list)
    closed: list[load.Measure] = dataclasses.field(default_factory=list)
    cpu: list[float] = dataclasses.field(default_factory=list)  # seconds a request, closed load
    memory: processes.Memory | None = None
    # Open load at 70 % of the maximum of the engine that the key names.
    paced: dict[str, list[load.Measure]] = dataclasses.field(default_factory=dict)

    @property
    def rate(self) -> float:
        return statistics.median(measure.rate for measure in self.closed)

    def cpu_per_request(self) -> float:
        return statistics.median(self.cpu)

    def p50(self) -> float:
        return statistics.median(measure.p50 for measure in self.closed)

    def p99(self) -> float:
        return statistics.median(measure.p99 for measure in self.closed)

    def paced_p99(self, pace: str) -> float | None:
        found = self.paced.get(pace)
        return statistics.median(measure.p99 for measure in found) if found else None

    def start(self) -> float:
        return statistics.median(self.starts)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One line of the verdict."""

    work: str
    what: str
    against: str
    ours: str
    theirs: str
    value: float
    unit: str
    floor: float
    aim: float
    more_is_better: bool = True

    @classmethod
    def of_seconds(
        cls, work: str, what: str, value: float, *, beside: str, floor: float, aim: float
    ) -> Row:
        """Of a time, against nobody; `beside` is what else is to be known of it."""
        return cls(work, what, "-", beside, "-", value, " s", floor, aim, more_is_better=False)

    @property
    def verdict(self) -> str:
        sign = 1 if self.more_is_better else -1
        if sign * self.value >= sign * self.aim:
            return "aim"
        return "floor" if sign * self.value >= sign * self.floor else "MISSED"


@dataclasses.dataclass(frozen=True, slots=True)
class Throughput:
    """Requests per second of ours over a peer's."""

    work: str
    peer: str
    floor: float
    aim: float


THROUGHPUT: Final = (
    Throughput("compose", "benthos", floor=1.8, aim=3.5),
    Throughput("compose", "camel", floor=0.65, aim=1.2),
    Throughput("map", "benthos", floor=1.8, aim=3.0),
    Throughput("map", "camel", floor=1.8, aim=3.0),
    Throughput("pass", "benthos", floor=0.75, aim=1.3),
)


def rows(results: Iterable[Result]) -> list[Row]:
    """Judge a run: one row for each goal that both sides were measured for."""
    found = {(result.work, result.engine): result for result in results if result.closed}
    ours = [result for result in found.values() if result.engine == OURS]
    judges: Sequence[Callable[[Result, dict[tuple[str, str], Result]], Iterator[Row]]]
    judges = (_throughput, _latency, _overhead, _memory, _start)
    return [row for judge in judges for result in ours for row in judge(result, found)]


def _throughput(ours: Result, found: dict[tuple[str, str], Result]) -> Iterator[Row]:
    for goal in THROUGHPUT:
        peer = found.get((ours.work, goal.peer))
        if goal.work != ours.work or peer is None:
            continue
        yield Row(
            work=ours.work,
            what="requests/s",
            against=peer.engine,
            ours=f"{ours.rate:,.0f}",
            theirs=f"{peer.rate:,.0f}",
            value=ours.rate / peer.rate,
            unit="x",
            floor=goal.floor,
            aim=goal.aim,
        )


def _latency(ours: Result, found: dict[tuple[str, str], Result]) -> Iterator[Row]:
    """Compare p99 at one absolute load: 70 % of our maximum, and 70 % of the peer's."""
    peer = found.get((ours.work, "benthos"))
    if peer is None:
        return
    for pace in (OURS, peer.engine):
        mine, other = ours.paced_p99(pace), peer.paced_p99(pace)
        if not mine or not other:
            continue
        yield Row(
            work=ours.work,
            what=f"p99 at 70 % of {pace}'s maximum",
            against=peer.engine,
            ours=f"{mine * 1000:.1f} ms",
            theirs=f"{other * 1000:.1f} ms{' (overloaded)' if _overloaded(peer, pace) else ''}",
            value=mine / other,
            unit="x",
            floor=1.0,
            aim=0.5,
            more_is_better=False,
        )


def _overhead(ours: Result, found: dict[tuple[str, str], Result]) -> Iterator[Row]:
    prototype = found.get((ours.work, "prototype"))
    if prototype is None:
        return
    yield Row(
        work=ours.work,
        what="time per request over the hand-written calls",
        against="prototype",
        ours=f"{ours.rate:,.0f}/s",
        theirs=f"{prototype.rate:,.0f}/s",
        value=(prototype.rate / ours.rate - 1) * 100,
        unit="%",
        floor=35,
        aim=15,
        more_is_better=False,
    )


def _memory(ours: Result, found: dict[tuple[str, str], Result]) -> Iterator[Row]:
    if ours.memory is None:
        return
    peers = {name: result for (work, name), result in found.items() if work == ours.work}
    theirs = [
        f"{name} {result.memory.rss / MB:.0f}"
        for name, result in peers.items()
        if name != OURS and result.memory is not None
    ]
    yield Row(
        work=ours.work,
        what="RSS after load",
        against="-",
        ours=f"{ours.memory.rss / MB:.0f} MB",
        theirs=", ".join(theirs) or "-",
        value=ours.memory.rss / MB,
        unit=" MB",
        floor=95,
        aim=60,
        more_is_better=False,
    )


def _start(ours: Result, _: dict[tuple[str, str], Result]) -> Iterator[Row]:
    yield Row(
        work=ours.work,
        what="start to first 200",
        against="-",
        ours=f"{ours.start():.2f} s",
        theirs="-",
        value=ours.start(),
        unit=" s",
        floor=0.8,
        aim=0.35,
        more_is_better=False,
    )


def _overloaded(result: Result, pace: str) -> bool:
    """More than one in a hundred requests had no answer when the time was up."""
    measures = result.paced[pace]
    return any(m.late > 0.01 * (m.late + m.requests) for m in measures)
