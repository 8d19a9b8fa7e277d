"""The runtime: loads plans, serves them on two ports, replaces them, and drains.

Used by the pod's entry point and by `isthmus run`.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from isthmus_api.plan import RoutePlan
from isthmus_api.plan.routeplan import PLAN_VERSION
from isthmus_runtime import logs, metrics
from isthmus_runtime.admin import Admin
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.http.limits import ServerLimits
from isthmus_runtime.http.messages import Head
from isthmus_runtime.http.server import Server
from isthmus_runtime.route import Route
from isthmus_runtime.secrets import Secrets
from isthmus_runtime.table import Table
from isthmus_runtime.traffic import Traffic

_LAST_CALLS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a process listens, how it leaves, how much it takes on; times in seconds."""

    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int = 9090
    linger_seconds: float = 0.0
    drain_seconds: float = 20.0
    max_in_flight: int = 2000
    limits: ServerLimits = field(default_factory=ServerLimits)


class Runtime:
    """One process that serves Routes."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._registry = Registry(secrets)
        self._routes: dict[tuple[str, str], Route] = {}
        self._leaving: set[Route] = set()
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
        table = Table(routes.values())
        replaced = [route for key, route in self._routes.items() if routes.get(key) is not route]
        self._routes = routes
        self._traffic.table = table
        self._leaving.update(replaced)
        if replaced:
            farewell = asyncio.create_task(self._let_go(replaced))
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)

    async def start(self) -> tuple[int, int]:
        """Listen; the traffic port and the admin port, as bound."""
        traffic, admin = self._servers
        settings = self._settings
        admin_port = await admin.start(settings.admin_host, settings.admin_port)
        try:
            return await traffic.start(settings.host, settings.port), admin_port
        except OSError:
            await admin.drain(0)
            raise

    async def drain(self) -> None:
        """Be ready no more, linger, let requests under way finish, then close everything."""
        self._draining = True
        traffic, admin = self._servers
        settings = self._settings
        aborted = await traffic.drain(settings.drain_seconds, linger=settings.linger_seconds)
        if aborted:
            logs.warning("requests were cut off by the drain", count=aborted)
        await admin.drain(0)
        # No request is left. What still runs are calls for caches, of use to nobody any more.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_CALLS):
                await asyncio.gather(*self._farewells)
                await self._registry.keep(())

    @property
    def in_flight(self) -> int:
        """How many requests are not answered yet."""
        return self._servers[0].in_flight

    def is_ready(self) -> bool:
        """Whether Routes are served and no drain has begun."""
        return bool(self._routes) and not self._draining

    def status(self) -> dict[str, Any]:
        """What this process serves."""
        return {
            "version": version("isthmus-runtime"),
            "planVersion": PLAN_VERSION,
            "ready": self.is_ready(),
            "routes": [
                {
                    "namespace": route.plan.namespace,
                    "name": route.plan.name,
                    "method": route.method,
                    "path": route.path,
                    "planHash": route.plan.hash,
                }
                for route in self._traffic.table.routes
            ],
        }

    def _route(self, plan: RoutePlan) -> Route:
        present = self._routes.get((plan.namespace, plan.name))
        if present is not None and present.plan.hash == plan.hash:
            return present
        return Route(plan, self._registry.of(plan))

    async def _let_go(self, replaced: list[Route]) -> None:
        """Close what only these Routes used, once the requests on them are through."""
        for route in replaced:
            await route.quiet()
        self._leaving.difference_update(replaced)
        users = (*self._routes.values(), *self._leaving)
        await self._registry.keep([route.plan for route in users])


def _log_error(error: Exception, head: Head | None) -> None:
    path = head.path if head else ""
    logs.error("a request failed unforeseen", error, path=path)
