"""Deliveries: all Routes of a process whose messages go through the journal, and that journal.

Made when a plan first needs a journal. Nothing waits for it to open but what needs it: until then a
webhook answers 503, and nothing is claimed. Who made it closes the journal.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from isthmus_api.plan import RoutePlan
from isthmus_api.retention import Retention
from isthmus_runtime import logs, metrics
from isthmus_runtime.connectors.connector import Connector
from isthmus_runtime.delivery.absence import Absence
from isthmus_runtime.endpoint import MakeGuard
from isthmus_runtime.journal.access import Access
from isthmus_runtime.journal.journal import Journal
from isthmus_runtime.journalled import JournalledRoute
from isthmus_runtime.secrets import NotedSecrets
from isthmus_runtime.shared_tables import NO_TABLES, SharedTables
from isthmus_runtime.stores import Stores


class Deliveries:
    """The Routes of a process that accept into its journal and deliver from it."""

    def __init__(
        self,
        access: Access,
        secrets: NotedSecrets,
        *,
        claim_seconds: float = 30.0,
        tables: SharedTables = NO_TABLES,
        sampled_every: float = 5.0,
        pruned_every: float = 60.0,
    ) -> None:
        self._access = access
        self._secrets = secrets
        self._claim_seconds = claim_seconds
        self._tables = tables
        self._sampled_every = sampled_every
        self._pruned_every = pruned_every
        self._routes: dict[str, JournalledRoute] = {}
        self._waiting: dict[str, tuple[int, float]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def route(
        self, plan: RoutePlan, connectors: Mapping[str, Connector], guarding: MakeGuard
    ) -> JournalledRoute:
        """A Route of this process; it does nothing yet."""
        return JournalledRoute(
            plan,
            connectors,
            access=self._access,
            secrets=self._secrets,
            owner=self._access.owner,
            guarding=guarding,
            claim_seconds=self._claim_seconds,
            tables=self._tables,
        )

    def stores(self, namespace: str) -> Stores:
        """The stores of a namespace."""
        return Stores(namespace, self._access)

    async def use(self, routes: Iterable[JournalledRoute]) -> None:
        """Accept and deliver for exactly these Routes. The sources of others stop here; what they
        have under way ends with them."""
        wanted = {route.name: route for route in routes}
        gone = [route for name, route in self._routes.items() if wanted.get(name) is not route]
        await asyncio.gather(*(route.stop_source() for route in gone))
        added = [route for name, route in wanted.items() if self._routes.get(name) is not route]
        self._routes = wanted
        if self._access.is_open:
            for route in added:
                route.start()

    def start(self) -> None:
        """Open the journal, begin to deliver, and look after it."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._begin())]

    async def opened(self, *, within: float) -> None:
        """Wait for the journal, but no longer than `within` seconds."""
        await asyncio.wait(self._tasks[:1], timeout=within)

    @property
    def is_ready(self) -> bool:
        """Whether the journal was opened."""
        return self._access.is_open

    @property
    def in_flight(self) -> int:
        """How many messages are claimed and not settled yet."""
        return sum(route.in_flight for route in self._routes.values())

    async def drain(self, grace: float) -> None:
        """Stop sources, and claim nothing more; what is under way ends within `grace` seconds, the
        rest goes back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(route.stop(grace) for route in self._routes.values()))

    def status(self, route: JournalledRoute) -> dict[str, Any]:
        """What the status page tells of a Route."""
        backlog, overdue = self._waiting.get(route.name, (None, None))
        return {**route.status(), "backlog": backlog, "overdueSeconds": overdue}

    async def _begin(self) -> None:
        await self._access.open()
        journal = self._access()
        for route in self._routes.values():
            route.start()
        self._tasks += [
            asyncio.create_task(self._sample(journal)),
            asyncio.create_task(self._prune(journal)),
        ]

    async def _sample(self, journal: Journal) -> None:
        """Know the backlogs, for metrics and the status page."""
        away = Absence("the backlog cannot be read")
        while True:
            try:
                self._waiting = {
                    name: (await journal.backlog(name), await journal.overdue(name))
                    for name in tuple(self._routes)
                }
                away.over()
            except Exception as failure:
                away.note(failure)
            metrics.MESSAGES_BACKLOG.clear()
            metrics.MESSAGES_OVERDUE_SECONDS.clear()
            for name, (backlog, overdue) in self._waiting.items():
                labels = name.split("/", 1)
                metrics.MESSAGES_BACKLOG.labels(*labels).set(backlog)
                metrics.MESSAGES_OVERDUE_SECONDS.labels(*labels).set(overdue)
            await asyncio.sleep(self._sampled_every)

    async def _prune(self, journal: Journal) -> None:
        """Forget what need not be kept any more; one replica does it."""
        away = Absence("messages cannot be forgotten")
        while True:
            await asyncio.sleep(self._pruned_every)
            try:
                for route in tuple(self._routes.values()):
                    await self._pruned(journal, route)
                away.over()
            except Exception as failure:
                away.note(failure)

    async def _pruned(self, journal: Journal, route: JournalledRoute) -> None:
        lease = 2 * self._pruned_every
        if not await journal.lead(f"prune {route.name}", self._access.owner, lease):
            return
        kept = route.plan.retention or Retention()
        count = await journal.prune(route.name, settled_for=kept.age.seconds, at_most=kept.count)
        if count:
            logs.info("messages were forgotten", route=route.name, count=count)
