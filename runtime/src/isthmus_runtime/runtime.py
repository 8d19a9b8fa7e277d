"""The runtime: loads plans, serves them on two ports, replaces them, and drains.

Used by the pod's entry point and by `isthmus run`.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus_api.plan import RoutePlan
from isthmus_api.plan.routeplan import PLAN_VERSION
from isthmus_runtime import logs, metrics
from isthmus_runtime.admin import Admin
from isthmus_runtime.connectors.registry import FindContract, Registry
from isthmus_runtime.endpoint import Endpoint, Guarding
from isthmus_runtime.http.limits import ServerLimits
from isthmus_runtime.http.messages import Head
from isthmus_runtime.http.server import Server
from isthmus_runtime.route import GuardedRoute, Route
from isthmus_runtime.secrets import NotedSecrets, Secrets
from isthmus_runtime.shared_tables import NO_TABLES, SharedTables
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.table import Table
from isthmus_runtime.traffic import Traffic

if TYPE_CHECKING:  # what not every Route needs is imported where one does: others start sooner
    from isthmus_runtime.callers.guard import Guards
    from isthmus_runtime.deliveries import Deliveries
    from isthmus_runtime.journal.access import Access
    from isthmus_runtime.journalled import JournalledRoute

_LAST_CALLS = 1.0
_OPENING = 5.0
_OPENING_FOR_LIMITS = 1.0


class NoJournal(Exception):
    """A Route needs a journal, and none was given; the message says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a process listens, how it leaves, how much it takes on; times in seconds.

    Messages are kept for this process until it has said nothing for `claim_seconds`.
    The address of the journal is `journal`, or the text of `journal_file`, read when it is opened.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int = 9090
    linger_seconds: float = 0.0
    drain_seconds: float = 20.0
    claim_seconds: float = 30.0
    max_in_flight: int = 2000
    journal: str = ""
    journal_file: Path | None = None
    limits: ServerLimits = field(default_factory=ServerLimits)


class Runtime:
    """One process that serves Routes."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        *,
        tables: SharedTables = NO_TABLES,
        find_contract: FindContract | None = None,
    ) -> None:
        self._settings = settings
        self._tables = tables
        self._watching: asyncio.Task[None] | None = None
        self._secrets = NotedSecrets(secrets)
        self._registry = Registry(self._secrets, find_contract=find_contract)
        self._routes: dict[tuple[str, str], Route | JournalledRoute] = {}
        self._leaving: set[Route | JournalledRoute] = set()
        self._access: Access | None = None
        self._deliveries: Deliveries | None = None
        self._guards: Guards | None = None
        self._is_started = False
        self._farewells: set[asyncio.Task[None]] = set()
        self._traffic = Traffic(Table(()), max_in_flight=settings.max_in_flight)
        self._draining = False
        self._admin = Admin(
            is_ready=self.is_ready, status=self.status, measure=self._registry.measure
        )
        self._servers = (
            Server(
                self._traffic,
                settings.limits,
                on_error=_log_error,
                on_refused=self._traffic.refused,
            ),
            Server(self._admin, settings.limits, on_error=_log_error),
        )
        metrics.BUILD_INFO.labels(version("isthmus-runtime"), str(PLAN_VERSION)).set(1)

    async def load(self, plans: Sequence[RoutePlan]) -> None:
        """Serve exactly `plans` from now on.

        Routes whose plan is the same as before are kept as they are; requests under way finish on
        the Route they started with; connectors that no Route uses are closed after that. Fails
        before anything is replaced.
        """
        routes = {(plan.namespace, plan.name): self._route(plan) for plan in plans}
        endpoints = [each for route in routes.values() for each in route.endpoints]
        table = Table([*endpoints, *_preflights(plans)])
        replaced = [route for key, route in self._routes.items() if routes.get(key) is not route]
        self._routes = routes
        self._traffic.table = table
        self._leaving.update(replaced)
        if self._access and self._is_started:
            self._access.begin()
        if self._deliveries:
            journalled = [route for route in routes.values() if not isinstance(route, Route)]
            await self._deliveries.use(journalled)
            if self._is_started:
                self._deliveries.start()
        if replaced:
            farewell = asyncio.create_task(self._let_go(replaced))
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)

    async def start(self) -> tuple[int, int]:
        """Listen; the traffic port and the admin port, as bound.

        A journal is waited for a little. It may come later: where it is needed for more than limits
        that are shared, this process is not ready until then.
        """
        traffic, admin = self._servers
        settings = self._settings
        admin_port = await admin.start(settings.admin_host, settings.admin_port)
        self._is_started = True
        if self._access:
            self._access.begin()
            if not self._deliveries:
                await self._access.opened(within=_OPENING_FOR_LIMITS)
        if self._tables.is_used:
            self._watching = asyncio.create_task(self._tables.watch())
        if self._deliveries:
            self._deliveries.start()
            await self._deliveries.opened(within=_OPENING)
        try:
            return await traffic.start(settings.host, settings.port), admin_port
        except OSError:
            await admin.drain(0)
            raise

    async def drain(self) -> None:
        """Be ready no more, linger, let what is under way finish, then close everything."""
        self._draining = True
        if self._watching:
            self._watching.cancel()
        traffic, admin = self._servers
        settings = self._settings
        leaving = asyncio.create_task(self._leave_messages())
        aborted = await traffic.drain(settings.drain_seconds, linger=settings.linger_seconds)
        if aborted:
            logs.warning("requests were cut off by the drain", count=aborted)
        await leaving
        await admin.drain(0)
        # No request is left. What still runs are calls for caches, of use to nobody any more.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_CALLS):
                await asyncio.gather(*self._farewells)
                await self._registry.keep(())
                if self._guards:
                    await self._guards.keep(())
        if self._registry.sharing:
            await self._registry.sharing.close()
        if self._access:
            await self._access.close()

    async def _leave_messages(self) -> None:
        """Claim no more messages. Those under way have the time that requests have."""
        if self._deliveries:
            await self._deliveries.drain(
                self._settings.linger_seconds + self._settings.drain_seconds
            )

    @property
    def in_flight(self) -> int:
        """How many requests are not answered, and messages not settled yet."""
        messages = self._deliveries.in_flight if self._deliveries else 0
        return self._servers[0].in_flight + messages

    def is_ready(self) -> bool:
        """Whether Routes are served where callers come, with the journal they need, and no drain
        has begun."""
        has_journal = self._deliveries is None or self._deliveries.is_ready
        is_serving = self._servers[0].is_listening and not self._draining
        return bool(self._routes) and has_journal and is_serving

    def status(self) -> dict[str, Any]:
        """What this process serves."""
        return {
            "version": version("isthmus-runtime"),
            "planVersion": PLAN_VERSION,
            "ready": self.is_ready(),
            **({"journal": self._access.status()} if self._access else {}),
            **({"circuits": circuits} if (circuits := self._registry.circuits()) else {}),
            **({"contracts": contracts} if (contracts := self._registry.contracts()) else {}),
            "routes": [
                {
                    "namespace": route.plan.namespace,
                    "name": route.plan.name,
                    "planHash": route.plan.hash,
                    **self._status_of(route),
                }
                for route in self._routes.values()
            ],
        }

    def _status_of(self, route: "Route | JournalledRoute") -> dict[str, Any]:
        if isinstance(route, Route):
            return {"method": route.method, "path": route.path}
        return self._delivering().status(route)

    def _route(self, plan: RoutePlan) -> "Route | JournalledRoute":
        present = self._routes.get((plan.namespace, plan.name))
        if present is not None and present.plan.hash == plan.hash:
            return present
        deliveries = self._delivering() if plan.needs_journal else None
        if plan.shares_with_others:
            self._share()
        connectors = self._registry.of(plan)
        if deliveries and plan.source.is_asynchronous:
            return deliveries.route(plan, connectors, self._guard)
        stores = deliveries.stores(plan.namespace) if deliveries else None
        if plan.source.is_guarded:
            return GuardedRoute(plan, connectors, stores, self._tables, guarding=self._guard)
        return Route(plan, connectors, stores, self._tables)

    def _guard(self, plan: RoutePlan, binder: Binder) -> Guarding:
        """What asks who calls; what guards share is made when a Route first wants one."""
        if self._guards is None:
            from isthmus_runtime.callers.guard import Guards

            self._guards = Guards(self._secrets)
        return self._guards.of(plan, binder)

    def _delivering(self) -> "Deliveries":
        """What needs a journal; made when it is first asked for."""
        if self._deliveries is None:
            if not self._settings.journal and self._settings.journal_file is None:
                raise NoJournal(
                    "a Route needs a journal, and none is given; set ISTHMUS_JOURNAL_FILE to a "
                    "file with its address, or ISTHMUS_JOURNAL to the address"
                )
            from isthmus_runtime.deliveries import Deliveries

            self._deliveries = Deliveries(
                self._reach(),
                self._secrets,
                claim_seconds=self._settings.claim_seconds,
                tables=self._tables,
            )
        return self._deliveries

    def _share(self) -> None:
        """Have limits counted and tokens kept in the journal, where others use it, too."""
        given = self._settings
        if self._registry.sharing or not (given.journal or given.journal_file):
            return
        from isthmus_runtime.connectors.sharing import Sharing
        from isthmus_runtime.journal import opening

        if given.journal_file or opening.is_shared(given.journal):
            self._registry.sharing = Sharing(self._reach())

    def _reach(self) -> "Access":
        """The journal of this process; made when it is first asked for, opened when it starts."""
        if self._access is None:
            from isthmus_runtime.journal import opening
            from isthmus_runtime.journal.access import Access

            self._access = Access(lambda: opening.open_when_told(self._journal_address))
        return self._access

    def _journal_address(self) -> str:
        file = self._settings.journal_file
        return file.read_text("utf-8").strip() if file else self._settings.journal

    async def _let_go(self, replaced: "list[Route | JournalledRoute]") -> None:
        """Close what only these Routes used, once the requests on them are through."""
        for route in replaced:
            await route.quiet()
        self._leaving.difference_update(replaced)
        users = (*self._routes.values(), *self._leaving)
        await self._registry.keep([route.plan for route in users])
        if self._guards:
            await self._guards.keep([route.plan for route in users])


def _preflights(plans: Sequence[RoutePlan]) -> list[Endpoint]:
    """What answers browsers that ask before they call."""
    if not any(plan.source.http and plan.source.http.cors for plan in plans):
        return []
    from isthmus_runtime.callers import cors

    return cors.preflights(plans)


def _log_error(error: Exception, head: Head | None) -> None:
    path = head.path if head else ""
    logs.error("a request failed unforeseen", error, path=path)
