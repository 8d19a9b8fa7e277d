"""The controllers that a bare API server lacks, as far as Routes need them.

The Deployment controller, with pods that are up at once, and the garbage collector.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from operating import Cluster

from isthmus_operator.kube import ApiError, NotFound, kinds

PAUSE_SECONDS = 0.2
_KINDS = [kind for kind in kinds.CHILDREN if kind != "HTTPRoute"]


@contextlib.asynccontextmanager
async def controllers(cluster: Cluster) -> AsyncIterator[None]:
    """Both controllers, at work in a namespace for as long as the block lasts."""

    async def work() -> None:
        while True:
            # An object may go, or the API server, between two requests; the next round sees.
            with contextlib.suppress(ApiError):
                await roll_out(cluster)
                await collect(cluster)
            await asyncio.sleep(PAUSE_SECONDS)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def roll_out(cluster: Cluster) -> None:
    """Have all pods of all Deployments up."""
    for deployment in await cluster.all("Deployment"):
        generation, wanted = deployment["metadata"]["generation"], deployment["spec"]["replicas"]
        if deployment.get("status", {}).get("observedGeneration") != generation:
            counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
            status = {"observedGeneration": generation} | dict.fromkeys(counts, wanted)
            with contextlib.suppress(NotFound):
                await cluster.play("Deployment", deployment["metadata"]["name"], status)


async def collect(cluster: Cluster) -> None:
    """Delete what belongs to Routes that are gone."""
    for orphan in await orphans(cluster):
        metadata = orphan["metadata"]
        await cluster.client.delete(
            kinds.CHILDREN[orphan["kind"]],
            cluster.namespace,
            metadata["name"],
            uid=metadata["uid"],
        )


async def orphans(cluster: Cluster) -> list[dict[str, Any]]:
    """Everything whose owner is gone."""
    owned = [each for kind in _KINDS for each in await cluster.all(kind)]
    # The owners are read last: one that is not among them now was there before.
    alive = {each["metadata"]["uid"] for each in await cluster.all("Route")}
    return [each for each in owned if _owners(each) and not _owners(each) & alive]


def _owners(found: dict[str, Any]) -> set[str]:
    return {each["uid"] for each in found["metadata"].get("ownerReferences", ())}
