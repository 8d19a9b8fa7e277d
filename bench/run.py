"""Run Isthmus and its peers side by side and print the ratios.

    python bench/run.py                        everything, about twenty minutes
    python bench/run.py --quick                a look, about three minutes: not for decisions
    python bench/run.py --work map --engines isthmus,camel --json out.json
    python bench/run.py messages               none of those that follow
    python bench/run.py operator               the operator with thousands of Routes
    python bench/run.py pods --rounds 9        Routes whose pods run, on the cluster that there is
    python bench/run.py journal                what it costs to lose nothing
    python bench/run.py saves                  what a watch takes to answer a save
    python bench/run.py commands               how long the command line takes
    python bench/run.py crowd                  the same on a cluster with 5,000 Routes

One workload after the other: start every engine on the server's core, compare answers, warm up,
then load them in turn, round by round, so that a drift of the machine hits all alike. The load and
the upstream have a core of their own; everything stays on loopback. An engine that answers wrongly
is not timed.

The operator is measured in `scale`: on an API server of its own and, where a cluster runs, on that;
the journal in `journal`, on files and on a PostgreSQL of its own.

Exit code: 0 done, 1 an engine failed or answered wrongly, 2 wrong use.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

import commands
import contest
import engines
import goals
import load
import machine
import payloads
import processes
import report
import saves
import wire
import workloads
from journal import deliveries, places
from journal import findings as journal_findings
from journal import trials as journal_trials
from scale import crowd, findings, pods

OPERATOR_PORT: Final = 18190

PARTS: Final = ("messages", "operator", "pods", "journal", "saves", "commands", "crowd")
SAVES: Final = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What this run does."""

    parts: tuple[str, ...]
    works: tuple[workloads.Workload, ...]
    field: tuple[str, ...]
    rounds: int
    seconds: float
    connections: int
    quick: bool
    commands: engines.Commands
    report: Path | None
    routes: tuple[int, ...]
    idle: float
    journal: journal_trials.Plan
    deliveries: deliveries.Plan


class Bench:
    """A run: what it measured, and what it had to leave out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.terms = contest.Terms(
            cores=processes.Cores.of_this_machine(),
            payloads=engines.cache() / "payloads",
            rounds=plan.rounds,
            seconds=plan.seconds,
            connections=plan.connections,
            quick=plan.quick,
            say=say,
        )
        self.results: list[goals.Result] = []
        self.scale = findings.Findings()
        self.journal = journal_findings.Findings()
        self.rows: list[goals.Row] = []
        self.left_out: list[str] = []
        self.failed = False

    def run(self) -> None:
        if "messages" in self.plan.parts:
            self._measure_messages()
        if "operator" in self.plan.parts:
            self._measure_operator()
        if "pods" in self.plan.parts:
            self._measure_pods()
        if "journal" in self.plan.parts:
            self._measure_journal()
        if "saves" in self.plan.parts:
            self.rows += saves.measure(10 if self.plan.quick else SAVES, say=say)
        if "commands" in self.plan.parts:
            self.rows += commands.measure(2 * self.plan.rounds, say=say)
        if "crowd" in self.plan.parts:
            self.rows += crowd.measure(self.plan.routes[-1], say=say)

    def _measure_operator(self) -> None:
        rounds = 1 if self.plan.quick else 3
        self.scale = findings.measure(
            sizes=self.plan.routes, rounds=rounds, idle=self.plan.idle, port=OPERATOR_PORT, say=say
        )

    def _measure_pods(self) -> None:
        try:
            self.scale.pods = pods.measure(pods.find(), rounds=self.plan.rounds, say=say)
        except pods.NoClusterError as missing:
            self.left_out.append(f"pods: {missing}")

    def _measure_journal(self) -> None:
        try:
            for home in journal_trials.measure(self.plan.journal, say=say):
                self.journal.homes.append(home)
        except places.Missing as missing:
            self.left_out.append(f"the journal in PostgreSQL: {missing}")
        self.journal.carried = deliveries.measure(
            self.plan.deliveries, say=say, leave_out=self.left_out.append
        )
        self.failed = self.failed or any(each.lost for each in self.journal.carried)

    def _measure_messages(self) -> None:
        payloads.write(self.terms.payloads)
        self._note_conditions()
        built = list(self._build())
        with self._upstream():
            for work in self.plan.works:
                event = contest.Contest(work, self.terms)
                self.results += event.run([e for e in built if work.name in e.does])
                self.left_out += event.failures
                self.failed = self.failed or bool(event.failures)

    def _note_conditions(self) -> None:
        if not self.terms.cores.apart:
            self.left_out.append("a core of its own for the server: there is only one")
        if not load.has_wrk():
            self.left_out.append("wrk: not installed, our own slower loader ran")
        if self.plan.quick:
            self.left_out.append("most warm-up (Java: 10 s of 60 s): --quick, not for decisions")

    def _build(self) -> Iterator[engines.Engine]:
        for name in self.plan.field:
            say(f"building {name}")
            try:
                yield engines.ALL[name](self.plan.commands)
            except engines.MissingError as missing:
                self.left_out.append(f"{name}: {missing}")

    @contextlib.contextmanager
    def _upstream(self) -> Iterator[None]:
        port = workloads.UPSTREAM_PORT
        command, remark = engines.upstream(self.terms.payloads, f"127.0.0.1:{port}")
        if remark:
            self.left_out.append(remark)
        upstream = processes.start(
            command,
            cores=self.terms.cores.load,
            log=engines.cache() / "logs" / "upstream.log",
            port=port,
            ready=wire.Request("GET", "/echo", b""),
            env={"GOMAXPROCS": "1"},
        )
        try:
            yield
        finally:
            processes.stop(upstream)


def say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def parse(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; default all")
    parser.add_argument("--work", type=_names(workloads.ALL), default=tuple(workloads.ALL))
    parser.add_argument("--engines", type=_names(engines.ALL), default=engines.DEFAULT)
    parser.add_argument("--rounds", type=int, help="default 5, with --quick 2")
    parser.add_argument("--seconds", type=float, help="of each round; default 8, with --quick 2")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--quick", action="store_true", help="short warm-up and rounds")
    parser.add_argument("--json", type=Path, help="write the report as JSON, too")
    parser.add_argument("--routes", type=_sizes, help="default 1000,5000, with --quick 1000")
    parser.add_argument("--idle", type=float, help="seconds; default 60, with --quick 10")
    parser.add_argument("--count", type=int, help="messages; default 20000, with --quick 5000")
    parser.add_argument("--backlog", type=int, help="default 1000000, with --quick none")
    commands = engines.Commands()
    parser.add_argument("--isthmus", default=commands.isthmus, help="how to start isthmus")
    parser.add_argument(
        "--prototype", default=commands.prototype, help="how to start the prototype"
    )
    found = parser.parse_args(arguments)
    if not set(found.parts) <= set(PARTS):
        parser.error(f"choose parts from {', '.join(PARTS)}")
    rounds = found.rounds or (2 if found.quick else 5)
    seconds = found.seconds or (2.0 if found.quick else 8.0)
    return Plan(
        parts=tuple(found.parts) or PARTS,
        works=tuple(workloads.ALL[name] for name in found.work),
        field=found.engines,
        rounds=rounds,
        seconds=seconds,
        connections=found.connections,
        quick=found.quick,
        commands=engines.Commands(isthmus=found.isthmus, prototype=found.prototype),
        report=found.json,
        routes=found.routes or ((1000,) if found.quick else (1000, 5000)),
        idle=found.idle or (10.0 if found.quick else 60.0),
        journal=journal_trials.Plan(
            rounds=rounds,
            count=found.count or (5_000 if found.quick else 20_000),
            backlog=found.backlog if found.backlog is not None else 0 if found.quick else 1_000_000,
        ),
        deliveries=deliveries.Plan(rounds=rounds, seconds=seconds, explains=not found.quick),
    )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def _names(known: Collection[str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split(",") if name.strip())
        if not names or not set(names) <= set(known):
            raise argparse.ArgumentTypeError(f"choose from {', '.join(known)}")
        return names

    return read


def main() -> int:
    plan = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop what was started, then end
    bench = Bench(plan)
    try:
        bench.run()
    except (processes.StartError, KeyboardInterrupt) as error:
        bench.left_out.append(f"the rest: {str(error) or 'interrupted'}")
        bench.failed = True
    conditions = machine.conditions() | {"load": _loader()}
    print(
        report.text(
            bench.results, bench.left_out, bench.scale, conditions, bench.journal, bench.rows
        )
    )
    if plan.report:
        options = {"rounds": plan.rounds, "seconds": plan.seconds, "quick": plan.quick}
        found = report.document(
            bench.results,
            bench.left_out,
            options,
            bench.scale,
            conditions,
            bench.journal,
            bench.rows,
        )
        plan.report.write_text(json.dumps(found, indent=2) + "\n")
    return int(bench.failed)


def _loader() -> str:
    return "wrk" if load.has_wrk() else "bench/loader.py"


if __name__ == "__main__":
    sys.exit(main())
