"""The operator: watches feed the queue, workers reconcile, and everything is looked at again.

    kopf (edge) ──▶ Declarations ──▶ Queue ──▶ workers ──▶ reconcile.{route,mapping,connector}
    informers  ──▶ Children     ──┘

It runs for as long as this process leads. It holds no state of its own: what is in memory was read
from the API server, so ending it at any moment loses nothing.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from isthmus_api.resources import CONNECTOR, MAPPING, ROUTE, Key
from isthmus_operator import edge
from isthmus_operator.children import Children
from isthmus_operator.declared import Declarations, key_of
from isthmus_operator.desired import Context
from isthmus_operator.kube import Access, ApiError, Client, Resource, kinds
from isthmus_operator.queue import Queue
from isthmus_operator.reconcile import connector, mapping, route
from isthmus_operator.reconcile.report import Reporter, Tell
from isthmus_operator.reconcile.world import World
from isthmus_operator.verdicts import Verdicts

RESYNC_SECONDS: Final = 600.0
"""How often everything is listed and reconciled again, give or take a tenth."""

Reconcile = Callable[[Key, World], Awaitable[float | None]]
"""Returns after how many seconds the object wants another look, if it does."""

_RECONCILE: Final[Mapping[str, Reconcile]] = {
    CONNECTOR.name: connector.reconcile,
    MAPPING.name: mapping.reconcile,
    ROUTE.name: route.reconcile,
}
_log = logging.getLogger(__name__)


class Operator:
    """Everything that one leading process does."""

    def __init__(
        self,
        access: Access,
        client: Client,
        *,
        namespaces: Collection[str],
        context: Context,
        workers: int,
        tell: Tell,
    ) -> None:
        """No namespaces mean all of them."""
        self._access = access
        self._client = client
        self._namespaces = namespaces
        self._workers = workers
        self.queue: Queue[Key] = Queue()
        self.declared = Declarations(self.queue.add)
        self.children = Children(client, namespaces=[*namespaces] or [None], wake=self.queue.add)
        self.synced = asyncio.Event()
        """Set once everything that there is was read."""
        self._world = World(
            client=client,
            declared=self.declared,
            children=self.children,
            verdicts=Verdicts(),
            reporter=Reporter(client, self.declared, tell=tell, now=_now),
            settings=context,
            wake=self.queue.add,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. An error ends the process; its successor starts afresh."""
        async with asyncio.TaskGroup() as tasks:
            watches = [tasks.create_task(each.run()) for each in self.children.informers()]
            await self.children.ready()
            await self._list()
            self.synced.set()
            watches.append(tasks.create_task(self._resync()))
            workers = [tasks.create_task(self._work()) for _ in range(self._workers)]
            await edge.watch(self._access, self.declared, namespaces=self._namespaces, stop=stop)
            await self.queue.close()
            for task in (*watches, *workers):
                task.cancel()

    async def _work(self) -> None:
        while True:
            await self._reconcile(await self.queue.get())

    async def _reconcile(self, key: Key) -> None:
        try:
            again_in = await _RECONCILE[key.kind](key, self._world)
        except ApiError as error:
            delay = self.queue.retry(key, at_least=error.after)
            _log.warning("retried", extra={"reason": error.reason, "delay_seconds": delay})
        except Exception:
            delay = self.queue.retry(key)
            _log.exception("failed", extra={"delay_seconds": delay})
        else:
            self.queue.done(key, again_in=again_in)

    async def _resync(self) -> None:
        """Look at everything again now and then: heals what no event told of."""
        while True:
            await asyncio.sleep(RESYNC_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311 - no secret
            try:
                await self._list()
            except ApiError as error:
                _log.warning("resync failed", extra={"reason": error.reason})
                continue
            for key in list(self.declared):
                self.queue.add(key)

    async def _list(self) -> None:
        for resource in kinds.OURS.values():
            for namespace in self._namespaces or (None,):
                await self._list_one(resource, namespace)

    async def _list_one(self, resource: Resource, namespace: str | None) -> None:
        seen: set[Key] = set()
        since = 0
        async for chunk, version in self._client.list(resource, namespace):
            for found in chunk:
                self.declared.take(found)
            seen.update(map(key_of, chunk))
            since = int(version)
            await asyncio.sleep(0)  # others get their turn between two chunks
        self.declared.sweep(resource.kind, namespace, seen=seen, since=since)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
