"""The trials on a plane: all Routes at once, one that changes, a restart, and doing nothing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import statistics
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import orjson
from control_plane import ControlPlane

import processes
from isthmus_operator.kube import Access, Client, Resource, kinds
from scale import bare, fleet, subject
from scale.plane import plane

PATIENCE: Final = 900.0  # seconds until a trial has failed
SETTLED_SECONDS: Final = 3.0  # so long without a reconcile, everything is at rest
_KINDS: Final = tuple(
    each for each in (*kinds.OURS.values(), *kinds.CHILDREN.values()) if each != kinds.HTTP_ROUTES
)
Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Bare:
    """The API server alone."""

    routes: int
    seconds: float
    server_cpu: float

    @property
    def rate(self) -> float:
        """Routes per second."""
        return self.routes / self.seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Applied:
    """All Routes at once, with an operator."""

    routes: int
    from_first: float
    """Seconds from the first apply until all are reconciled, and from the last."""
    from_last: float
    writes: float
    """Of the operator, Events left out."""
    by_kind: dict[str, float]
    events: float
    reconciles: float
    operator_cpu: float
    server_cpu: float
    rss: int
    peak: int
    stall: float

    @property
    def rate(self) -> float:
        """Routes per second."""
        return self.routes / self.from_first


@dataclasses.dataclass(frozen=True, slots=True)
class Later:
    """What came after all Routes were there."""

    changes: list[float]
    """Seconds from a Route's change until its Deployment's template is another."""
    idle_seconds: float
    idle_writes: float
    idle_cpu: float
    quiet: float
    """Seconds from starting the operator again until all was looked at."""
    restart_writes: float
    restart_changed: int
    """Objects whose resourceVersion is another than before the restart and the idle time."""
    restart_stall: float
    rss: int


def without_operator(count: int) -> Bare:
    """Send the operator's writes with a bare client."""
    known = bare.shared()
    writes = [bare.prepare(number, known) for number in range(count)]
    with plane() as server:
        before = _server_cpu(server)
        seconds = asyncio.run(bare.send(Access.of_kubeconfig(server.kubeconfig), writes))
        return Bare(count, seconds, _server_cpu(server) - before)


def with_operator(count: int, *, port: int) -> Applied:
    """Apply all Routes at once to a plane that an operator serves."""
    with plane() as server, subject.operator(server, port=port) as operator:
        return asyncio.run(_applied(server, operator, count))


def after(count: int, *, changes: int, idle: float, port: int, say: Say) -> tuple[Applied, Later]:
    """Apply all Routes, then change one after the other, do nothing, and start anew."""
    with plane() as server:
        with subject.operator(server, port=port) as operator:
            applied = asyncio.run(_applied(server, operator, count))
            say(f"{count} Routes in {applied.from_first:.1f} s; now one of them changes")
            seconds = asyncio.run(_changes(server, changes, count))
            at_rest = asyncio.run(_at_rest(operator))
            versions = asyncio.run(_versions(server))
            say(f"doing nothing for {idle:.0f} s")
            cpu = subject.cpu(operator.process.pid)
            time.sleep(idle)
            idle_cpu = subject.cpu(operator.process.pid) - cpu
            idle_writes = operator.look().total - at_rest.total
        say("starting the operator again")
        with subject.operator(server, port=port) as operator:
            quiet, sight = asyncio.run(_quiet(operator, count + 2 * fleet.SHARED))
            changed = asyncio.run(_versions(server)) ^ versions
            rss, _ = subject.memory(operator.process.pid)
    return applied, Later(
        changes=seconds,
        idle_seconds=idle,
        idle_writes=idle_writes,
        idle_cpu=idle_cpu,
        quiet=quiet,
        restart_writes=sight.total,
        restart_changed=len(changed),
        restart_stall=sight.stall,
        rss=rss,
    )


async def _applied(server: ControlPlane, operator: subject.Operator, count: int) -> Applied:
    pid = operator.process.pid
    async with fleet.writer(Access.of_kubeconfig(server.kubeconfig), manager="user") as client:
        await client.apply_all(fleet.shared())
        start = await _at_rest(operator)
        cpu, server_cpu = subject.cpu(pid), _server_cpu(server)
        reconciled = asyncio.create_task(_reconciled(operator, count))
        first = time.perf_counter()
        await client.apply_all(map(fleet.route, range(count)))
        last = time.perf_counter()
        ended, stall = await reconciled
    used = subject.cpu(pid) - cpu, _server_cpu(server) - server_cpu
    rss, peak = subject.memory(pid)
    await _verify(server, count)
    sight = await _at_rest(operator)
    kinds_ = {kind: n - start.writes.get((v, kind), 0.0) for (v, kind), n in sight.writes.items()}
    return Applied(
        routes=count,
        from_first=ended - first,
        from_last=ended - last,
        writes=sight.total - start.total,
        by_kind=kinds_,
        events=sight.events - start.events,
        reconciles=sight.reconciles - start.reconciles,
        operator_cpu=used[0],
        server_cpu=used[1],
        rss=rss,
        peak=peak,
        stall=stall,
    )


async def _reconciled(operator: subject.Operator, count: int) -> tuple[float, float]:
    """When all Routes had their status and nothing waited, and the longest stall until then."""
    stall, deadline = 0.0, time.monotonic() + PATIENCE
    while True:
        sight = await asyncio.to_thread(operator.look)
        stall = max(stall, sight.stall)
        if sight.waiting == 0 and sight.writes.get(("patch", "Route/status"), 0.0) >= count:
            return time.perf_counter(), stall
        _go_on(operator, deadline)
        await asyncio.sleep(subject.POLL_SECONDS)


async def _at_rest(operator: subject.Operator) -> subject.Sight:
    """What it says once nothing was reconciled for a while."""
    before, since, deadline = await asyncio.to_thread(operator.look), time.monotonic(), 0.0
    deadline = since + PATIENCE
    while time.monotonic() - since < SETTLED_SECONDS:
        await asyncio.sleep(subject.POLL_SECONDS)
        now = await asyncio.to_thread(operator.look)
        if (now.reconciles, now.events) != (before.reconciles, before.events):
            since = time.monotonic()
        before = now
        _go_on(operator, deadline)
    return before


async def _quiet(operator: subject.Operator, objects: int) -> tuple[float, subject.Sight]:
    """For how many seconds it ran until it had looked at all, and what it says at rest."""
    deadline, ended, stall = time.monotonic() + PATIENCE, 0.0, 0.0
    while not ended:
        sight = await asyncio.to_thread(operator.look)
        stall = max(stall, sight.stall)
        if sight.waiting == 0 and sight.reconciles >= objects:
            ended = time.perf_counter() - operator.started
        _go_on(operator, deadline)
        await asyncio.sleep(subject.POLL_SECONDS)
    return ended, dataclasses.replace(await _at_rest(operator), stall=stall)


def _go_on(operator: subject.Operator, deadline: float) -> None:
    operator.check()
    if time.monotonic() > deadline:
        raise processes.StartError(f"the operator was not done in {PATIENCE:.0f} s")


async def _changes(server: ControlPlane, changes: int, count: int) -> list[float]:
    access = Access.of_kubeconfig(server.kubeconfig)
    async with Client(access) as client, fleet.writer(access, manager="user") as writer:
        found = []
        for number in range(changes):
            changed = fleet.route(number * (count // changes))
            changed["spec"]["env"] = {"country": "BE"}
            found.append(await _change(client, writer, changed))
            await asyncio.sleep(0.2)
        return found


async def _change(client: Client, writer: fleet.Writer, changed: dict[str, Any]) -> float:
    name = changed["metadata"]["name"]
    place = kinds.DEPLOYMENTS, fleet.NAMESPACE
    selector = f"isthmus.dev/route={name}"
    [(found, since)] = [each async for each in client.list(*place, selector=selector)]
    [before] = found
    events = client.watch(*place, since=since, selector=selector)
    async with contextlib.aclosing(events), asyncio.timeout(PATIENCE):
        seen = asyncio.create_task(_another_template(events, before))
        began = time.perf_counter()
        await writer.apply(fleet.path(changed), orjson.dumps(changed))
        await seen
        return time.perf_counter() - began


async def _another_template(
    events: AsyncIterator[tuple[str, dict[str, Any]]], before: dict[str, Any]
) -> None:
    async for kind, found in events:
        if kind == "MODIFIED" and found["spec"]["template"] != before["spec"]["template"]:
            return


async def _verify(server: ControlPlane, count: int) -> None:
    """Raise unless every Route has a status of its generation, and a Deployment."""
    async with Client(Access.of_kubeconfig(server.kubeconfig)) as client:
        routes = [
            found["metadata"]["name"]
            async for found in _all(client, kinds.ROUTES)
            if found["status"].get("observedGeneration") == found["metadata"]["generation"]
        ]
        made = [found["metadata"]["name"] async for found in _all(client, kinds.DEPLOYMENTS)]
    if not len(routes) == count or sorted(routes) != sorted(made):
        raise processes.StartError(f"{len(routes)} statuses and {len(made)} Deployments: {count}")


async def _versions(server: ControlPlane) -> set[tuple[str, str, str]]:
    """Kind, name and resourceVersion of everything that the operator has a hand in."""
    async with Client(Access.of_kubeconfig(server.kubeconfig)) as client:
        return {
            (resource.kind, found["metadata"]["name"], found["metadata"]["resourceVersion"])
            for resource in _KINDS
            async for found in _all(client, resource)
        }


async def _all(client: Client, resource: Resource) -> AsyncIterator[dict[str, Any]]:
    async for chunk, _ in client.list(resource, fleet.NAMESPACE):
        for found in chunk:
            yield found


def _server_cpu(server: ControlPlane) -> float:
    return subject.cpu(*(each.pid for each in server.processes))


def median(values: list[float]) -> float:
    """The median; 0 of nothing."""
    return statistics.median(values) if values else 0.0
