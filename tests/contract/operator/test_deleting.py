"""Deleting never waits for the operator, and what was deleted without it stays deleted."""

import changes
from controllers import collect, orphans, roll_out
from operating import Cluster, eventually

from isthmus_operator.kube import kinds

KINDS = [kind for kind in (*kinds.OURS, *kinds.CHILDREN) if kind != "HTTPRoute"]


async def _all_ready(cluster: Cluster) -> None:
    async def look() -> list[str]:
        await roll_out(cluster)
        await collect(cluster)
        return await changes.amiss(cluster)

    await eventually(look, within=60.0, until=lambda found: not found)


async def test_no_object_waits_for_the_operator(cluster: Cluster) -> None:
    async with cluster.operator():
        async for _ in changes.apply(cluster):
            pass
        await _all_ready(cluster)
        there = [each for kind in KINDS for each in await cluster.all(kind)]

    assert [each["metadata"]["name"] for each in there if "finalizers" in each["metadata"]] == []
    assert [
        owner
        for each in there
        for owner in each["metadata"].get("ownerReferences", ())
        if owner.get("blockOwnerDeletion")
    ] == []

    await cluster.kubectl("delete", "routes,connectors,mappings", "--all", "--timeout=10s")

    assert [each for kind in kinds.OURS for each in await cluster.all(kind)] == []


async def test_what_was_deleted_without_the_operator_is_not_made_again(cluster: Cluster) -> None:
    async with cluster.operator():
        async for _ in changes.apply(cluster):
            pass
        await _all_ready(cluster)
    await cluster.kubectl("delete", "routes", "r-0", "r-1")
    assert await orphans(cluster)

    async with cluster.operator() as operator:
        await operator.queue.idle()
        await collect(cluster)
        assert await orphans(cluster) == []
        # The others are looked at once more after all the deletes have been told.
        await cluster.kubectl("delete", "connector", "c-1")
        await cluster.condition("Route", "r-9", status="False", reason="ConnectorNotFound")
        await operator.queue.idle()

        owners = {
            each["metadata"]["ownerReferences"][0]["name"]
            for kind in kinds.CHILDREN
            if kind != "HTTPRoute"
            for each in await cluster.all(kind)
        }
        assert owners == {f"r-{number}" for number in (2, 4, 5, 6, 7, 8, 9, 10)}
