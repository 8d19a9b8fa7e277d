"""Many Routes on one Connector that never rests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import changes
import manifests_text
from control_plane import ControlPlane
from operating import Cluster, eventually
from operator_process import Pod

from isthmus_api.plan import plan
from isthmus_operator.desired import PLAN_ANNOTATION

ROUTES = 500
CHANGES = 5
EVERY_SECONDS = 1.0
WITHIN = 120.0
CROWD = [
    manifests_text.route("- call: {connector: erp}", name=f"r-{number}", path=f"/{number}")
    for number in range(ROUTES)
]


def _connector(edition: int) -> str:
    return manifests_text.connector(f"http://erp.example/v{edition}")


async def test_a_connector_that_changes_every_second_under_500_routes(
    cluster: Cluster, plane: ControlPlane
) -> None:
    pod = Pod(plane, name="operator", namespace=cluster.namespace)
    crowd = "\n---\n".join([_connector(0), *CROWD])
    async with pod.running(again=False), _stays_live(pod):
        await cluster.kubectl("apply", "--server-side", "-f", "-", stdin=crowd)
        await _all_run(cluster, 0)
        before = await pod.writes()

        for edition in range(1, CHANGES + 1):
            await cluster.apply(_connector(edition))
            await asyncio.sleep(EVERY_SECONDS)  # the pace is what the test is about
        await _all_run(cluster, CHANGES)
        await _is_idle(pod)

        made = await pod.writes() - before
        at_most = ROUTES * CHANGES
        # One plan, one roll-out and one plan that goes; a status that says the same is not written.
        assert ROUTES <= made["patch", "Deployment"] <= at_most
        assert made["patch", "ConfigMap"] <= at_most
        assert made["delete", "ConfigMap"] <= at_most
        assert made["patch", "Connector/status"] <= CHANGES
        ours = {("update", "Lease"), ("create", "Event"), ("patch", "Connector/status")}
        per_route = {("patch", "Deployment"), ("patch", "ConfigMap"), ("delete", "ConfigMap")}
        assert made.keys() <= ours | per_route
        assert pod.alive


@contextlib.asynccontextmanager
async def _stays_live(pod: Pod) -> AsyncIterator[None]:
    """Its liveness probe, asked as the kubelet asks, never fails while the block lasts."""
    await pod.until_well()
    failed: list[str] = []

    async def ask() -> None:
        while True:
            if complaint := await pod.complaint():
                failed.append(complaint)
            await asyncio.sleep(EVERY_SECONDS / 2)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert failed == []


async def _all_run(cluster: Cluster, edition: int) -> None:
    """Return once every Deployment has the plan that comes of an edition of the Connector."""
    resources = changes.resources_of(cluster.namespace, [_connector(edition), *CROWD])
    planned = {each.key.name: plan(each, resources).plan for each in resources.routes()}
    wanted = {name: found.hash for name, found in planned.items() if found}
    assert len(wanted) == ROUTES

    async def look() -> int:
        await asyncio.sleep(EVERY_SECONDS / 2)  # the list is long, and the server has other work
        runs = {
            each["metadata"]["name"]: each["spec"]["template"]["metadata"]["annotations"]
            for each in await cluster.all("Deployment")
        }
        return sum(runs.get(name, {}).get(PLAN_ANNOTATION) == hash for name, hash in wanted.items())

    await eventually(look, within=WITHIN, until=lambda done: done == ROUTES)


async def _is_idle(pod: Pod) -> None:
    """Return once it has written nothing between two looks, and nothing waits."""
    seen = [await pod.writes()]

    async def look() -> bool:
        await asyncio.sleep(EVERY_SECONDS)
        seen.append(await pod.writes())
        depth = (await pod.metrics())["isthmus_operator_queue_depth"]
        return depth == 0 and _settled(seen[-1]) == _settled(seen[-2])

    await eventually(look, within=WITHIN, until=bool)


def _settled(writes: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: count for key, count in writes.items() if key[1] not in ("Lease", "Event")}
