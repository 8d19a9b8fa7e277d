"""Deliveries: webhooks through HTTP, safe before their 202, and posted to an upstream.

Each contestant in turn within a round, from nothing; `bench/ends` is the sender and the upstream.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import postgres

import engines
import payloads
import processes
import shares
from journal import contestants, places, trials

CONNECTIONS: Final = 64
"""Of a replica, so that three have as much to put into one statement as one has."""
SHARE: Final = 0.15
"""Of a core: little enough that three replicas leave the database what it needs on two."""
SLACK: Final = 300
"""Seconds that a sender may take beyond its stretches: what was accepted has to arrive."""


Stretches = dict[str, dict[str, Any]]
"""What the sender says of each stretch, by its name."""


@dataclasses.dataclass(slots=True)
class Carried:
    """What was measured of one contestant; a value for each round. Rates a second, times in
    seconds."""

    name: str
    accepts: list[float] = dataclasses.field(default_factory=list)
    during: list[float] = dataclasses.field(default_factory=list)
    """Delivered while as much was accepted as was possible."""
    whole: list[float] = dataclasses.field(default_factory=list)
    """From the first 202 to the last arrival."""
    answer_p50: list[float] = dataclasses.field(default_factory=list)
    answer_p99: list[float] = dataclasses.field(default_factory=list)
    p50: list[float] = dataclasses.field(default_factory=list)
    """From 202 to arrival, at half of the rate above."""
    p99: list[float] = dataclasses.field(default_factory=list)
    cpu: list[float] = dataclasses.field(default_factory=list)
    """Of its processes, a message."""
    beside: list[float] = dataclasses.field(default_factory=list)
    """Of its database, a message."""
    ends: list[float] = dataclasses.field(default_factory=list)
    """Of sender and upstream, a message."""
    bare: list[float] = dataclasses.field(default_factory=list)
    """The same rows, inserted by nobody else."""
    bytes_each: list[float] = dataclasses.field(default_factory=list)
    rss: list[float] = dataclasses.field(default_factory=list)
    refused: int = 0
    lost: int = 0
    again: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    rounds: int
    seconds: float
    """Of each stretch."""
    explains: bool
    """Whether those run, too, that explain others: replicas with a share of a core each, and the
    peer with what it does unasked."""


def measure(plan: Plan, *, say: trials.Say, leave_out: Callable[[str], None]) -> list[Carried]:
    """All contestants that can be had; nothing without the sender."""
    try:
        ends = engines.go_build(contestants.ENDS, "ends")
    except engines.MissingError as missing:
        leave_out(f"deliveries through HTTP: {missing}")
        return []
    payloads.write(engines.cache() / "payloads")
    with contextlib.ExitStack() as stack:
        field = list(_field(stack, plan, leave_out))
        found = [Carried(each.name) for each in field]
        for number in range(plan.rounds):
            for contestant, carried in zip(field, found, strict=True):
                say(f"{contestant.name}, round {number + 1}: webhooks delivered")
                trouble = _round(contestant, carried, ends, plan.seconds)
                if trouble:
                    say(f"{contestant.name}: {trouble}")
    return found


def _field(
    stack: contextlib.ExitStack, plan: Plan, leave_out: Callable[[str], None]
) -> Iterator[contestants.Contestant]:
    folder = stack.enter_context(places.temporary())
    yield contestants.Isthmus(places.Files(folder / "journal"), 1)
    try:
        server = places.Databases(stack.enter_context(postgres.Cluster()))
        yield contestants.Isthmus(server, 1)
        yield contestants.Isthmus(server, 3)
        if plan.explains:
            with shares.group(SHARE):  # whether there are any
                yield contestants.Isthmus(server, 1, SHARE)
                yield contestants.Isthmus(server, 3, SHARE)
    except shares.NoSharesError as missing:
        leave_out(f"replicas with a share of a core each: {missing}")
    except places.Missing as missing:
        leave_out(f"deliveries with PostgreSQL: {missing}")
    try:
        yield contestants.JetStream(folder / "jetstream", synced=True)
        if plan.explains:
            yield contestants.JetStream(folder / "jetstream", synced=False)
    except engines.MissingError as missing:
        leave_out(f"jetstream: {missing}")


def _round(contestant: contestants.Contestant, carried: Carried, ends: Path, seconds: float) -> str:
    """Measure one; the first refusal that the sender tells of."""
    if isinstance(contestant, contestants.Isthmus) and contestant.is_alone:
        carried.bare.append(trials.bare(contestant.place.fresh(), orders=True))
    with contestant.running() as running:
        before, beside, around = running.cpu(), contestant.beside(), _children()
        said, trouble = _send(ends, running.targets, seconds)
        count = sum(int(stretch["accepted"]) for stretch in said.values())
        carried.cpu.append((running.cpu() - before) / count)
        carried.beside.append((contestant.beside() - beside) / count)
        carried.ends.append((_children() - around) / count)
        carried.rss.append(running.rss())
    carried.bytes_each.append(contestant.size() / count)
    _note(carried, said["closed"], said["paced"])
    carried.refused += sum(stretch["refused"] for stretch in said.values())
    carried.lost += sum(stretch["lost"] for stretch in said.values())
    carried.again += sum(stretch["again"] + stretch["strange"] for stretch in said.values())
    return trouble


def _children() -> float:
    """Seconds of processor time of children that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _note(carried: Carried, closed: dict[str, Any], paced: dict[str, Any]) -> None:
    carried.accepts.append(closed["rate"])
    carried.during.append(closed["while"])
    carried.whole.append(closed["whole"])
    carried.answer_p50.append(closed["answer_p50"])
    carried.answer_p99.append(closed["answer_p99"])
    carried.p50.append(paced["under_way_p50"])
    carried.p99.append(paced["under_way_p99"])


def _send(ends: Path, targets: Sequence[str], seconds: float) -> tuple[Stretches, str]:
    connections = CONNECTIONS * len(targets)
    command = [
        *(str(ends), "--targets", ",".join(targets), "--connections", str(connections)),
        *("--upstream", f"127.0.0.1:{contestants.UPSTREAM}", "--seconds", str(seconds)),
        *("--body", str(engines.cache() / "payloads" / "order.json")),
    ]
    with processes.pinned(processes.Cores.of_this_machine().load):
        done = subprocess.run(
            ["env", "GOMAXPROCS=1", *command],
            capture_output=True,
            text=True,
            timeout=2 * seconds + SLACK,
        )
    if done.returncode != 0:
        raise processes.StartError(f"the sender failed: {done.stderr.strip()[-300:]}")
    found: Stretches = json.loads(done.stdout)
    return found, done.stderr.partition("\n")[0]
