"""The operator as a process: killed, cut off, succeeded. Whatever happens, all becomes as declared.

Its pod keeps its name, so a process that is started again goes on with the Lease of the one before.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import changes
import pytest
from aiohttp import web
from control_plane import ControlPlane
from controllers import controllers
from faulty_api import WRITES, FaultyApi, honest
from operating import Cluster, eventually
from operator_process import Pod

from isthmus_operator.kube.kinds import LEASES
from isthmus_operator.lease import DURATION_SECONDS, RETRY_SECONDS

KILLS = 50
ROUTES = 12
SHARED = 4
TAKES_OVER_WITHIN = 15.0
WITHIN = 60.0


@pytest.fixture
async def api(plane: ControlPlane) -> AsyncIterator[FaultyApi]:
    """What the operator takes for the API server."""
    async with FaultyApi(plane) as api:
        yield api


class Axe:
    """Kills a process at one of its next requests: what it is about to write is written or lost."""

    def __init__(self, pod: Pod, dice: random.Random) -> None:
        self.fallen = asyncio.Event()
        self._pod = pod
        self._any = dice.random() < 0.2
        """Whether lists, the Lease and Events count; otherwise it is what a reconcile writes."""
        self._left = dice.randint(1, 12 if self._any else 25)
        self._lost = dice.random() < 0.5

    async def __call__(self, request: web.Request) -> web.Response | None:
        if not self._pod.alive or self.fallen.is_set():
            return None  # what a process asked for that is dead by now
        if self._any or _is_reconciling(request):
            self._left -= 1
        if self._left:
            return None
        self._pod.kill()
        self.fallen.set()
        return web.Response(status=503) if self._lost else None


def _is_reconciling(request: web.Request) -> bool:
    apart = any(f"/{each}" in request.path for each in ("leases", "events"))
    return request.method in WRITES and not apart


class Declared:
    """What is declared while the operator is killed again and again."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._shared: dict[str, str] = {}
        self._routes: dict[int, str] = {}

    def left(self) -> list[str]:
        """The manifests as they are now."""
        return [*self._shared.values(), *self._routes.values()]

    async def change(self, cluster: Cluster, edition: int) -> None:
        """Roll all Routes, change some of them, delete some and make some anew."""
        going = self._dice.sample(sorted(self._routes), min(2, len(self._routes)))
        if going:
            names = [f"r-{number}" for number in going]
            await cluster.kubectl("delete", "routes", *names, "--wait=false")
        for number in going:
            del self._routes[number]
        documents = [*self._new_shared(edition), *self._new_routes(edition)]
        await cluster.kubectl("apply", "--server-side", "-f", "-", stdin="\n---\n".join(documents))

    def _new_shared(self, edition: int) -> Iterator[str]:
        for number in range(SHARED):
            self._shared[f"c-{number}"] = changes.connector(number, f"/v{edition}")
            self._shared.setdefault(f"m-{number}", changes.mapping(number))
        changed = self._dice.randrange(SHARED)
        self._shared[f"m-{changed}"] = changes.mapping(changed, more=edition)
        yield from self._shared.values()

    def _new_routes(self, edition: int) -> Iterator[str]:
        for number in self._dice.sample(range(ROUTES), ROUTES // 3):
            self._routes[number] = changes.route(number, str(edition))
            yield self._routes[number]


async def test_a_process_killed_in_the_middle_of_its_work_is_made_up_for(
    cluster: Cluster, plane: ControlPlane, api: FaultyApi
) -> None:
    dice = random.Random(50)
    declared = Declared(dice)
    pod = Pod(plane, name="operator", namespace=cluster.namespace, server=api.access.server)
    async with controllers(cluster), pod.running():
        for edition in range(KILLS):
            axe = Axe(pod, dice)
            api.answer = axe
            await declared.change(cluster, edition)
            await asyncio.wait_for(axe.fallen.wait(), WITHIN)
            await eventually(_ends(pod), until=lambda ends, least=edition: len(ends) > least)  # type: ignore[misc] # bound per edition
        api.answer = honest

        await _converges(cluster, declared.left())
        await pod.until_well()
        before = await cluster.versions()
        pod.kill()
        await _has_looked_at_all(pod, starts=KILLS + 2, objects=len(declared.left()))

        assert await cluster.versions() == before
        assert pod.ends == [-signal.SIGKILL] * (KILLS + 1)


async def _converges(cluster: Cluster, left: list[str]) -> None:
    await eventually(
        lambda: changes.amiss(cluster, left), within=WITHIN, until=lambda found: not found
    )


async def _has_looked_at_all(pod: Pod, *, starts: int, objects: int) -> None:
    """Return once a process started anew has reconciled everything there is."""

    async def look() -> tuple[int, float, float]:
        if pod.starts < starts or not pod.alive:
            return pod.starts, 0.0, 0.0
        await pod.until_well()
        seen = await pod.metrics()
        total = seen.get("isthmus_operator_reconcile_total", 0.0)
        return pod.starts, total, seen.get("isthmus_operator_queue_depth", 0.0)

    await eventually(
        look,
        within=WITHIN,
        until=lambda seen: seen[0] >= starts and seen[1] >= objects and seen[2] == 0,
    )


async def test_an_api_server_that_is_away_for_longer_than_the_lease_ends_the_process(
    cluster: Cluster, plane: ControlPlane
) -> None:
    """Another may lead by then; here there is none, and its own successor goes on."""
    pod = Pod(plane, name="operator", namespace=cluster.namespace)
    async with controllers(cluster), pod.running():
        async for number in changes.apply(cluster):
            if number == 2:
                await pod.until_well()
                await asyncio.to_thread(plane.stop_apiserver)
                await eventually(_ends(pod), within=WITHIN, until=lambda ends: bool(ends))
                plane.start_apiserver()  # ends with the thread that starts it
                await asyncio.to_thread(plane.wait_until_ready)

        await _converges(cluster, changes.LEFT)
        await pod.until_well()
        assert set(pod.ends) == {1}, pod.log()


async def test_a_standby_acts_in_time_when_the_leader_is_killed(
    cluster: Cluster, plane: ControlPlane
) -> None:
    loop = asyncio.get_running_loop()
    leader = Pod(plane, name="leader", namespace=cluster.namespace)
    standby = Pod(plane, name="standby", namespace=cluster.namespace)
    async with controllers(cluster), leader.running(again=False):
        await cluster.apply(changes.connector(0), changes.mapping(0), changes.route(0, "before"))
        await cluster.condition("Route", "r-0", status="True")
        async with standby.running(again=False):
            await standby.until_well()
            assert await _holder(cluster) == "leader"

            leader.kill()
            killed = loop.time()
            await cluster.apply(changes.route(0, "after"))
            await eventually(
                lambda: changes.amiss(cluster, _ONE),
                within=killed + TAKES_OVER_WITHIN - loop.time(),
                until=lambda found: not found,
            )

            assert await _holder(cluster) == "standby"
            assert standby.ends == []
    # What the operator waits for is well below what it promises.
    assert DURATION_SECONDS + RETRY_SECONDS < TAKES_OVER_WITHIN


_ONE = [changes.connector(0), changes.mapping(0), changes.route(0, "after")]


async def _holder(cluster: Cluster) -> str:
    found = await cluster.client.get(LEASES, cluster.namespace, "isthmus-operator")
    return str(found["spec"]["holderIdentity"])


def _ends(pod: Pod) -> Callable[[], Awaitable[list[int]]]:
    async def look() -> list[int]:
        return list(pod.ends)

    return look
