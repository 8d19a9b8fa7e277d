"""The operator: watches feed the queue, workers reconcile, and everything is looked at again.

    kopf (edge) ──▶ Declarations ──▶ Queue ──▶ workers ──▶ reconcile.{route,mapping,connector}
    informers  ──▶ Children     ──┘

It runs for as long as this process leads. It holds no state of its own: what is in memory was read
from the API server, so ending it at any moment loses nothing.
"""

import asyncio
import itertools
import logging
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from isthmus_api.resources import CONNECTOR, MAPPING, ROUTE, Key
from isthmus_operator import edge, logs, metrics
from isthmus_operator.autoscalers import Autoscalers
from isthmus_operator.children import Children
from isthmus_operator.contracts import Contracts
from isthmus_operator.declared import Declarations, key_of
from isthmus_operator.desired import Context
from isthmus_operator.informer import Informer
from isthmus_operator.kube import Access, ApiError, Client, Resource, kinds
from isthmus_operator.queue import Queue
from isthmus_operator.reconcile import connector, mapping, route
from isthmus_operator.reconcile.outcome import AGAIN_SECONDS, Outcome, Stalled, Waiting
from isthmus_operator.reconcile.report import Reporter, Tell
from isthmus_operator.reconcile.world import World
from isthmus_operator.sightings import Sightings
from isthmus_operator.verdicts import Verdicts
from isthmus_operator.visits import EVERY_SECONDS, Visits

RESYNC_SECONDS: Final = 600.0
"""How often everything is listed and reconciled again, give or take a tenth."""
GRACE_SECONDS: Final = 30.0
"""How much later than a list a watch may tell the same."""
SURVEY_SECONDS: Final = 10.0

Reconcile = Callable[[Key, World], Awaitable[Outcome | None]]
"""Returns what it came to; None for an object that is gone."""

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
        visit_every: float = EVERY_SECONDS,
    ) -> None:
        """No namespaces mean all of them. `visit_every` is for tests."""
        self._access = access
        self._client = client
        self._namespaces = namespaces
        self._workers = workers
        self.queue: Queue[Key] = Queue(waited=metrics.waited)
        self.declared = Declarations(self.queue.add)
        places = (*namespaces,) or (None,)
        self.children = Children(client, namespaces=places, wake=self.queue.add)
        self.autoscalers = Autoscalers(client, namespaces=places, wake=self.queue.add)
        known = Sightings()
        self.visits = Visits(self.children.pods, known, wake=self.queue.add, every=visit_every)
        self.synced = asyncio.Event()
        """Set once everything that there is was read."""
        self.missed = 0
        """Objects that the last resync knew better than the watch, which should have told."""
        self._world = World(
            client=client,
            declared=self.declared,
            children=self.children,
            autoscalers=self.autoscalers,
            verdicts=Verdicts(),
            contracts=Contracts(client),
            sightings=known,
            reporter=Reporter(client, self.declared, tell=tell, now=_now),
            settings=context,
            wake=self.queue.add,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. An error ends the process; its successor starts afresh."""
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(each.run()) for each in self._informers()]
            if await finished(self._sync(), before=stop):
                self.synced.set()
            others = (self._resync, self._survey, self.visits.run)
            started += [tasks.create_task(each()) for each in others]
            started += [tasks.create_task(self._work()) for _ in range(self._workers)]
            await edge.watch(self._access, self.declared, namespaces=self._namespaces, stop=stop)
            await self.queue.close()
            for task in started:
                task.cancel()

    def silences(self) -> dict[str, Callable[[], float]]:
        """By kind, for how many seconds its quietest watch has said nothing."""
        by_kind: defaultdict[str, list[Informer[Any]]] = defaultdict(list)
        for informer in self._informers():
            by_kind[informer.resource.kind].append(informer)
        return {
            kind: lambda each=each: max(one.silent_for() for one in each)  # type: ignore[misc] # bound per kind
            for kind, each in by_kind.items()
        }

    def _informers(self) -> Iterator[Informer[Any]]:
        yield from self.children.informers()
        yield from self.autoscalers.informers()

    async def _sync(self) -> None:
        await self.children.ready()
        await self.autoscalers.ready()
        await self._list()

    async def _work(self) -> None:
        while True:
            key = await self.queue.get()
            with logs.about(key.kind, key.namespace, key.name):
                await self._reconcile(key)

    async def _reconcile(self, key: Key) -> None:
        began = time.perf_counter()
        result: metrics.Result = "failed"
        try:
            came_to = await _RECONCILE[key.kind](key, self._world)
        except ApiError as error:
            delay = self.queue.retry(key, at_least=error.after)
            metrics.failed(key.kind, "platform")
            _log.warning("retried", extra={"reason": error.reason, "delay_seconds": delay})
        except Exception:
            delay = self.queue.retry(key)
            metrics.failed(key.kind, "platform")
            _log.exception("failed", extra={"delay_seconds": delay})
        else:
            again_in = AGAIN_SECONDS.get(came_to.reason) if came_to else None
            self.queue.done(key, again_in=again_in)
            result = _result(came_to, again=again_in is not None)
            if result == "stalled":
                metrics.failed(key.kind, "user")
        metrics.reconciled(key.kind, result, time.perf_counter() - began)

    async def _survey(self) -> None:
        """Count what there is now and then, for the metrics."""
        while True:
            for kind in _RECONCILE:
                metrics.resources(kind, self.declared.standings(kind))
            await asyncio.sleep(SURVEY_SECONDS)

    async def _resync(self) -> None:
        """Look at everything again now and then: heals what no event told of."""
        while True:
            await asyncio.sleep(RESYNC_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311 - no secret
            try:
                self.missed = await self._list(grace=GRACE_SECONDS)
            except ApiError as error:
                _log.warning("resync failed", extra={"reason": error.reason})
                continue
            for key in list(self.declared):
                self.queue.add(key)

    async def _list(self, *, grace: float = 0.0) -> int:
        """Read everything; how much of it is news `grace` seconds after it was read."""
        places = itertools.product(kinds.OURS.values(), self._namespaces or (None,))
        return sum([await self._list_one(*place, grace) for place in places])

    async def _list_one(self, resource: Resource, namespace: str | None, grace: float) -> int:
        seen: set[Key] = set()
        since = news = 0
        async for chunk, version in self._client.list(resource, namespace):
            seen.update(map(key_of, chunk))
            since = int(version)
            newer = [found for found in chunk if self.declared.is_news(found)]
            # Between two chunks others get their turn, and the watch gets its time to tell.
            await asyncio.sleep(grace if newer else 0)
            news += sum(map(self.declared.take, newer))
        gone = self.declared.unseen(resource.kind, namespace, seen=seen, since=since)
        await asyncio.sleep(grace if gone else 0)
        return news + sum(self.declared.forget(each.key, uid=each.uid) for each in gone)


def _result(came_to: Outcome | None, *, again: bool) -> metrics.Result:
    match came_to:
        case Waiting():
            return "waiting"
        case Stalled():
            return "stalled"
        case _:
            return "again" if again else "done"


async def finished(work: Coroutine[Any, Any, None], *, before: asyncio.Event) -> bool:
    """Whether some work ended before an event came, which ends it."""
    working, coming = asyncio.create_task(work), asyncio.create_task(before.wait())
    await asyncio.wait((working, coming), return_when=asyncio.FIRST_COMPLETED)
    coming.cancel()
    if not working.done():
        working.cancel()
        return False
    await working  # an error of its own is raised here
    return True


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
