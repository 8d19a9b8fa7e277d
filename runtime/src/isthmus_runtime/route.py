"""A Route, compiled: takes requests and answers them."""

import asyncio
import time
from typing import TYPE_CHECKING

from isthmus_api.plan import RoutePlan
from isthmus_runtime.body import Body
from isthmus_runtime.connectors.connector import Connector
from isthmus_runtime.endpoint import Endpoint, MakeGuard
from isthmus_runtime.exchange import SENT_FIELDS, Exchange, request_variable
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Header, Request, Response, header
from isthmus_runtime.shared_tables import NO_TABLES, SharedTables
from isthmus_runtime.steps import respond
from isthmus_runtime.steps.chain import Compiler
from isthmus_runtime.tracing import Trace

if TYPE_CHECKING:
    from isthmus_runtime.stores import Stores


class Route(Endpoint):
    """One loaded plan that anybody may call. `stores` are there for one that remembers or looks
    up."""

    def __init__(
        self,
        plan: RoutePlan,
        connectors: dict[str, Connector],
        stores: "Stores | None" = None,
        tables: SharedTables = NO_TABLES,
    ) -> None:
        http = plan.source.http
        if http is None:
            raise TypeError("this runtime serves http sources")
        if plan.source.is_guarded and not isinstance(self, GuardedRoute):
            raise TypeError("this Route needs its guard")
        super().__init__(plan, method=http.method, path=http.path, max_body=http.max_body.bytes)
        compiler = Compiler(plan, connectors, stores=stores, tables=tables)
        self._timeout = http.timeout.seconds
        self._run = compiler.route()
        self._binder = compiler.binder
        self._request_fields = compiler.binder.request_fields & SENT_FIELDS
        self._route_variable = {"name": plan.name, "namespace": plan.namespace}
        self._now = asyncio.get_running_loop().time

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What callers reach of it."""
        return (self,)

    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Run the steps on a request; fails with a `Fault`."""
        x = self._exchange(request, params, trace)
        waiting = self._run(x)
        if waiting is not None:
            await waiting
        return x.response or Response(204) if x.ended else respond.answer(x.body, status=200)

    def _exchange(self, request: Request, params: dict[str, str], trace: Trace) -> Exchange:
        return Exchange(
            Body(request.body, content_type=header(request.head.headers, b"content-type") or b""),
            variables={
                "request": request_variable(request.head, params, self._request_fields),
                "route": self._route_variable,
                "env": self.plan.env,
                "message": {"id": trace.correlation_id},
            },
            deadline=self._deadline(request),
            trace=trace,
        )

    def _deadline(self, request: Request) -> float:
        """The Route's own time, or less where the caller will not wait that long."""
        now = self._now()
        given = header(request.head.headers, b"x-request-deadline")
        if given is None or not given.isdigit() or len(given) > 15:
            return now + self._timeout
        return now + min(self._timeout, int(given) / 1000 - time.time())


class GuardedRoute(Route):
    """A Route that has a guard. It is a class of its own, so that others pay nothing for it."""

    def __init__(
        self,
        plan: RoutePlan,
        connectors: dict[str, Connector],
        stores: "Stores | None" = None,
        tables: SharedTables = NO_TABLES,
        *,
        guarding: MakeGuard,
    ) -> None:
        super().__init__(plan, connectors, stores, tables)
        self._guard = guarding(plan, self._binder)
        self._request_fields = self._binder.request_fields & SENT_FIELDS  # with what it reads

    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Run the steps on a request that may pass; fails with a `Fault`."""
        fields = self.fields(request.head)
        try:
            x = self._exchange(request, params, trace)
            answer = await self._guard.answer(request, x, self._answered)
        except Fault as fault:
            fault.headers = (*fault.headers, *fields)
            raise
        answer.headers += fields
        return answer

    def fields(self, head: Head) -> tuple[Header, ...]:
        """What every answer says to pages of other origins."""
        return self._guard.fields(head)

    async def _answered(self, x: Exchange) -> Response:
        waiting = self._run(x)
        if waiting is not None:
            await waiting
        return x.response or Response(204) if x.ended else respond.answer(x.body, status=200)
