"""A Route, compiled: takes requests and answers them."""

import asyncio
import time
from typing import TYPE_CHECKING

from isthmus_api.plan import RoutePlan
from isthmus_runtime.body import Body
from isthmus_runtime.connectors.connector import Connector
from isthmus_runtime.endpoint import Endpoint
from isthmus_runtime.exchange import Exchange, request_variable
from isthmus_runtime.http.messages import Request, Response, header
from isthmus_runtime.shared_tables import NO_TABLES, SharedTables
from isthmus_runtime.steps import respond
from isthmus_runtime.steps.chain import Compiler
from isthmus_runtime.tracing import Trace

if TYPE_CHECKING:
    from isthmus_runtime.stores import Stores


class Route(Endpoint):
    """One loaded plan. `stores` are there for one that remembers or looks up."""

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
        super().__init__(plan, method=http.method, path=http.path, max_body=http.max_body.bytes)
        compiler = Compiler(plan, connectors, stores=stores, tables=tables)
        self._timeout = http.timeout.seconds
        self._run = compiler.route()
        self._request_fields = compiler.binder.request_fields
        self._route_variable = {"name": plan.name, "namespace": plan.namespace}
        self._now = asyncio.get_running_loop().time

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What callers reach of it."""
        return (self,)

    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Run the steps on a request; fails with a `Fault`."""
        x = Exchange(
            Body(request.body, content_type=header(request.head.headers, b"content-type") or b""),
            variables=self._variables(request, params, trace),
            deadline=self._deadline(request),
            trace=trace,
        )
        waiting = self._run(x)
        if waiting is not None:
            await waiting
        if not x.ended:
            return respond.answer(x.body, status=200)
        return x.response or Response(204)

    def _variables(
        self, request: Request, params: dict[str, str], trace: Trace
    ) -> dict[str, object]:
        return {
            "request": request_variable(request.head, params, self._request_fields),
            "route": self._route_variable,
            "env": self.plan.env,
            "message": {"id": trace.correlation_id},
        }

    def _deadline(self, request: Request) -> float:
        """The Route's own time, or less where the caller will not wait that long."""
        now = self._now()
        given = header(request.head.headers, b"x-request-deadline")
        if given is None or not given.isdigit() or len(given) > 15:
            return now + self._timeout
        return now + min(self._timeout, int(given) / 1000 - time.time())
