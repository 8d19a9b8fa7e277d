"""Findings of a run: figures as lines of a table, and rows with floor and aim."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Final

from goals import MB, Row
from scale import pods, trials

WORK: Final = "operator"
CHANGES: Final = 20
MANY: Final = 5000
"""From so many Routes on, one round has to do."""


@dataclasses.dataclass(slots=True)
class Findings:
    """Everything of one run."""

    bare: list[trials.Bare] = dataclasses.field(default_factory=list)
    applied: list[trials.Applied] = dataclasses.field(default_factory=list)
    later: dict[int, trials.Later] = dataclasses.field(default_factory=dict)
    """By the number of Routes."""
    pods: pods.Pods | None = None

    def figures(self) -> list[list[str]]:
        """What was measured, in the order it was."""
        return [["operator", "figure", "value"], *map(list, self._figures())]

    def rows(self) -> list[Row]:
        """Goals of what was measured."""
        return [*self._limits(), *self._afterwards(), *self._with_pods()]

    def _figures(self) -> Iterator[tuple[str, str, str]]:
        for bare in self.bare:
            yield f"{bare.routes:,}", "bare client", f"{bare.seconds:.1f} s"
            yield "", "CPU a Route of API server and etcd", _ms(bare.server_cpu, bare.routes)
        for one in self.applied:
            count = one.routes
            kinds = ", ".join(f"{kind} {n:,.0f}" for kind, n in sorted(one.by_kind.items()))
            yield f"{count:,}", "all reconciled, from the first apply", f"{one.from_first:.1f} s"
            yield "", "the same, from the last apply", f"{one.from_last:.1f} s"
            yield "", "writes a Route, Events left out", f"{one.writes / count:.2f}"
            yield "", "writes by kind", kinds
            yield "", "reconciles a Route", f"{one.reconciles / count:.2f}"
            yield "", "CPU a Route of the operator", _ms(one.operator_cpu, count)
            yield "", "CPU a Route of API server and etcd", _ms(one.server_cpu, count)
            yield "", "RSS, and at most", f"{one.rss / MB:.0f} MB, {one.peak / MB:.0f} MB"
            yield "", "longest stall of the event loop", f"{one.stall:.3f} s"
        for count, later in self.later.items():
            yield f"{count:,}", "restart: all looked at", f"{later.quiet:.1f} s"
            yield "", "restart: longest stall", f"{later.restart_stall:.3f} s"
            yield "", "restart: RSS", f"{later.rss / MB:.0f} MB"
            yield "", f"idle for {later.idle_seconds:.0f} s: CPU", f"{later.idle_cpu:.2f} s"
        if self.pods:
            yield "pods", "kubectl apply of a Route to Ready", f"{self.pods.ready:.2f} s"
            yield "", "the same of a bare Deployment", f"{self.pods.bare_ready:.2f} s"

    def _limits(self) -> Iterator[Row]:
        for count in sorted({one.routes for one in self.applied}):
            ours = trials.median([one.rate for one in self.applied if one.routes == count])
            theirs = trials.median([one.rate for one in self.bare if one.routes == count])
            if theirs:
                yield Row(
                    work=WORK,
                    what=f"{count:,} Routes at once",
                    against="bare client",
                    ours=f"{ours:.0f}/s",
                    theirs=f"{theirs:.0f}/s",
                    value=100 * ours / theirs,
                    unit="%",
                    floor=50,
                    aim=80,
                )
        if self.applied:
            largest = max(self.applied, key=lambda one: one.routes)
            many = f"{largest.routes:,} Routes"
            yield _plain(f"RSS with {many}", largest.rss / MB, " MB", floor=350, aim=200)
            yield _plain(f"longest stall, {many}", largest.stall, " s", floor=0.5, aim=0.1)

    def _afterwards(self) -> Iterator[Row]:
        for count, later in self.later.items():
            seconds = trials.median(later.changes)
            yield _plain(f"one Route of {count:,} changed", seconds, " s", floor=1, aim=0.2)
            idle = f"writes in {later.idle_seconds:.0f} s of idleness"
            yield _plain(idle, later.idle_writes, "", floor=0, aim=0)
            yield _plain("writes after a restart", later.restart_writes, "", floor=0, aim=0)
            rss = later.rss / MB
            yield _plain(f"RSS after a restart, {count:,} Routes", rss, " MB", floor=350, aim=200)
            others = later.restart_changed
            yield _plain("objects changed, idle and restart", others, "", floor=0, aim=0)

    def _with_pods(self) -> Iterator[Row]:
        if self.pods:
            yield Row(
                work=WORK,
                what="kubectl scale 1 -> 3 to Ready",
                against="a Deployment",
                ours=f"{self.pods.scaled:.2f} s",
                theirs=f"{self.pods.bare_scaled:.2f} s",
                value=self.pods.scaled / self.pods.bare_scaled,
                unit="x",
                floor=1.5,
                aim=1.1,
                more_is_better=False,
            )


def measure(
    *, sizes: Iterable[int], rounds: int, idle: float, port: int, say: trials.Say
) -> Findings:
    """Measure each size beside the bare client, in turn; the largest goes on to the rest."""
    found, counts = Findings(), sorted(sizes)
    for count in counts:
        for each in range(rounds if count < MANY else 1):
            say(f"{count} Routes, round {each + 1}: bare client")
            found.bare.append(trials.without_operator(count))
            say(f"{count} Routes, round {each + 1}: operator")
            if count == counts[-1] and each == 0:
                applied, later = trials.after(count, changes=CHANGES, idle=idle, port=port, say=say)
                found.later[count] = later
            else:
                applied = trials.with_operator(count, port=port)
            found.applied.append(applied)
    return found


def _plain(what: str, value: float, unit: str, *, floor: float, aim: float) -> Row:
    ours = f"{value:.3g}{unit}"
    return Row(WORK, what, "-", ours, "-", value, unit, floor, aim, more_is_better=False)


def _ms(seconds: float, count: int) -> str:
    return f"{1000 * seconds / count:.1f} ms"
