"""Every version of some objects that an API server stored, in the order it stored them.

async with History(cluster, "Route", "Deployment").kept() as history:
    ...
    await history.caught_up()
    history.of("Route", "it")

A read by anyone at any moment shows one of these versions, so what holds for all of them holds for
every read. Kubernetes lets clients compare resourceVersions from 1.35 on; those of different kinds
are of one count as long as they are in one etcd, as here.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from operating import Cluster, eventually

from isthmus_operator.kube import Resource, kinds

Object = dict[str, Any]
_RESOURCES = kinds.OURS | kinds.CHILDREN


class History:
    """Versions of all objects of some kinds in a namespace."""

    def __init__(self, cluster: Cluster, *of: str) -> None:
        self._cluster = cluster
        self._resources = {kind: _RESOURCES[kind] for kind in of}
        self._versions: list[Object] = []

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator["History"]:
        """What is stored is noted for as long as the block lasts."""
        keeping = [
            asyncio.create_task(self._keep(each, await self._since(each)))
            for each in self._resources.values()
        ]
        try:
            yield self
        finally:
            for each in keeping:
                each.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    def of(self, kind: str, name: str) -> list[Object]:
        """The versions of one object."""
        found = (each for each in self._versions if _names(each) == (kind, name))
        return sorted(found, key=version)

    async def caught_up(self) -> None:
        """Return once all that is stored by now is noted."""

        async def look() -> set[tuple[str, int]]:
            stored = {
                (found["metadata"]["name"], version(found))
                for kind in self._resources
                for found in await self._cluster.all(kind)
            }
            return stored - {(each["metadata"]["name"], version(each)) for each in self._versions}

        await eventually(look, until=lambda missing: not missing)

    async def _since(self, resource: Resource) -> str:
        """Note what there is; the version to watch from."""
        found = [
            each async for each in self._cluster.client.list(resource, self._cluster.namespace)
        ]
        self._versions += [each for chunk, _ in found for each in chunk]
        return found[-1][1]

    async def _keep(self, resource: Resource, since: str) -> None:
        while True:
            events = self._cluster.client.watch(resource, self._cluster.namespace, since=since)
            async with contextlib.aclosing(events):
                async for kind, found in events:
                    since = found["metadata"]["resourceVersion"]
                    if kind in ("ADDED", "MODIFIED"):
                        self._versions.append(found)


def version(found: Object) -> int:
    """When it was stored, in the API server's own count."""
    return int(found["metadata"]["resourceVersion"])


def _names(found: Object) -> tuple[str, str]:
    return found["kind"], found["metadata"]["name"]
