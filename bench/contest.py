"""One workload, every engine: start, compare, warm up, load in turn, weigh.

All engines of a workload run at the same time and are loaded one after the other, round by round,
so that a drift of the machine hits all alike. One that fails, or answers anything but the right
thing, is stopped, reported, and has no figures.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import engines
import goals
import load
import processes
import workloads

FIRST_PORT: Final = 18100  # engine n listens on FIRST_PORT + n, its admin port is 50 above
CALIBRATION: Final = 0.3  # seconds of one calm connection, to learn the size of a right answer
TOLERANCE: Final = 0.01  # by how much the mean answer under load may differ from that size
PACE: Final = 0.7  # share of the maximum at which latencies are taken
PACED_ROUNDS: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every contest of a run."""

    cores: processes.Cores
    payloads: Path
    rounds: int
    seconds: float
    connections: int
    quick: bool
    say: Callable[[str], None]


@dataclasses.dataclass(slots=True)
class Contender:
    """One running engine, and what was measured of it."""

    engine: engines.Engine
    process: processes.Process
    result: goals.Result
    right_size: float = 0.0  # bytes of an undisturbed answer
    out: bool = False

    @property
    def name(self) -> str:
        return self.engine.name


class Contest:
    """The contest of one workload. Use it once."""

    def __init__(self, work: workloads.Workload, terms: Terms) -> None:
        self.work = work
        self.terms = terms
        self.contenders: list[Contender] = []
        self.failures: list[str] = []

    def run(self, field: Sequence[engines.Engine]) -> list[goals.Result]:
        """Measure every engine of the field. All of them are stopped in the end."""
        try:
            for index, engine in enumerate(field):
                self._enter(engine, index)
            for number in range(self.terms.rounds):
                self._each(functools.partial(self._round, number=number))
            self._each(self._weigh)
            if self.work.composes:
                self._paced_rounds()
            self._each(self._compare)
        finally:
            for contender in self.contenders:
                processes.stop(contender.process)
        return [contender.result for contender in self.contenders if not contender.out]

    def _each(self, do: Callable[[Contender], None]) -> None:
        for contender in self.contenders:
            if contender.out:
                continue
            try:
                do(contender)
            except workloads.WrongAnswerError as error:
                self._drop(contender, str(error))
            except load.LoadError as error:
                self._drop(contender, f"{error}; its log ends: {contender.process.last_words()}")

    def _enter(self, engine: engines.Engine, index: int) -> None:
        """Start an engine; compare and warm up at once, while the others are idle."""
        self._say(f"{engine.name} starts and warms up")
        result = goals.Result(engine.name, self.work.name)
        try:
            process = self._start(engine, index, result)
        except processes.StartError as error:
            self._fail(engine.name, str(error))
            return
        newcomer = Contender(engine, process, result)
        self.contenders.append(newcomer)
        self._each(lambda contender: self._prepare(contender) if contender is newcomer else None)

    def _start(self, engine: engines.Engine, index: int, result: goals.Result) -> processes.Process:
        """Start it several times to time the start, and keep the last."""
        ports = engines.Ports(FIRST_PORT + index, FIRST_PORT + 50 + index)
        starts = 1 if self.terms.quick else engine.starts
        while True:
            process = processes.start(
                engine.command(self.work, ports),
                cores=self.terms.cores.server,
                log=engines.cache() / "logs" / f"{engine.name}-{self.work.name}.log",
                port=ports.traffic,
                ready=self.work.request(),
                env=engine.env(ports),
            )
            result.starts.append(process.first_answer)
            if len(result.starts) >= starts:
                return process
            processes.stop(process)

    def _prepare(self, contender: Contender) -> None:
        self._compare(contender)
        engine = contender.engine
        seconds = engine.quick_warm_up if self.terms.quick else engine.warm_up
        load.closed(self._target(contender), seconds=seconds)
        calm = dataclasses.replace(self._target(contender), connections=1)
        contender.right_size = load.calm(calm, seconds=CALIBRATION).answer_size

    def _compare(self, contender: Contender) -> None:
        workloads.compare(self.work, port=contender.process.port)

    def _round(self, contender: Contender, *, number: int) -> None:
        before = contender.process.cpu()
        measure = load.closed(self._target(contender), seconds=self.terms.seconds)
        spent = contender.process.cpu() - before
        self._judge(contender, measure)
        contender.result.closed.append(measure)
        contender.result.cpu.append(spent / max(1, measure.requests))
        self._say(f"round {number + 1} {contender.name} {measure.rate:,.0f}/s")

    def _judge(self, contender: Contender, measure: load.Measure) -> None:
        """Refuse figures of failed or degraded answers: a fall-back is quick, and not the work."""
        if measure.errors:
            raise load.LoadError(f"{measure.errors} errors under load")
        if abs(measure.answer_size / contender.right_size - 1) > TOLERANCE:
            sizes = f"{measure.answer_size:.0f} bytes for {contender.right_size:.0f}"
            raise load.LoadError(f"answers changed under load: {sizes} on average")

    def _weigh(self, contender: Contender) -> None:
        contender.result.memory = contender.process.memory()

    def _paced_rounds(self) -> None:
        """Take latencies at 70 % of each engine's maximum, and of ours and theirs crosswise."""
        paces = {c.name: PACE * c.result.rate for c in self.contenders if not c.out}
        for _ in range(min(PACED_ROUNDS, self.terms.rounds)):
            self._each(lambda contender: self._paced(contender, paces))

    def _paced(self, contender: Contender, paces: dict[str, float]) -> None:
        for owner, rate in paces.items():
            if owner != contender.name and goals.OURS not in (owner, contender.name):
                continue
            measure = load.opened(self._target(contender), seconds=self.terms.seconds, rate=rate)
            contender.result.paced.setdefault(owner, []).append(measure)
            p99 = f"p99 {measure.p99 * 1000:.2f} ms"
            self._say(f"{contender.name} at {rate:,.0f}/s (70 % of {owner}): {p99}")

    def _drop(self, contender: Contender, why: str) -> None:
        contender.out = True
        processes.stop(contender.process)
        self._fail(contender.name, why)

    def _fail(self, name: str, why: str) -> None:
        self._say(f"{name} is out: {why}")
        self.failures.append(f"{name} at {self.work.name}: {why}")

    def _say(self, line: str) -> None:
        self.terms.say(f"{self.work.name}: {line}")

    def _target(self, contender: Contender) -> load.Target:
        return load.Target(
            work=self.work,
            port=contender.process.port,
            payloads=self.terms.payloads,
            cores=self.terms.cores.load,
            connections=self.terms.connections,
        )
