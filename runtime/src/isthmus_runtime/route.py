"""A Route, compiled: takes requests and answers them."""

import asyncio
import time
from dataclasses import dataclass

from isthmus_api.plan import RoutePlan
from isthmus_runtime import metrics
from isthmus_runtime.body import Body
from isthmus_runtime.connectors.connector import Connector
from isthmus_runtime.exchange import Exchange, request_variable
from isthmus_runtime.http.messages import Request, Response, header
from isthmus_runtime.instruments import Distribution, Number
from isthmus_runtime.steps import respond
from isthmus_runtime.steps.chain import Compiler
from isthmus_runtime.tracing import Trace


@dataclass(frozen=True, slots=True)
class _Counts:
    """The Route's own metrics, looked up once."""

    requests: tuple[Number, ...]
    seconds: Distribution
    in_flight: Number


class Route:
    """One loaded plan."""

    def __init__(self, plan: RoutePlan, connectors: dict[str, Connector]) -> None:
        http = plan.source.http
        if http is None:
            raise TypeError("this runtime serves http sources")
        compiler = Compiler(plan, connectors)
        self.plan = plan
        self.name = f"{plan.namespace}/{plan.name}"
        self.method = http.method
        self.path = http.path
        self.max_body = http.max_body.bytes
        self._timeout = http.timeout.seconds
        self._run = compiler.route()
        self._request_fields = compiler.binder.request_fields
        self._route_variable = {"name": plan.name, "namespace": plan.namespace}
        self._counts = _counts(plan)
        self._under_way = 0
        self._now = asyncio.get_running_loop().time
        self._quiet = asyncio.Event()
        self._quiet.set()

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

    def begin(self) -> None:
        """Count a request in."""
        if not self._under_way:
            self._quiet.clear()
        self._under_way += 1
        self._counts.in_flight.inc()

    def end(self) -> None:
        """Count a request out, whatever became of it."""
        self._under_way -= 1
        self._counts.in_flight.dec()
        if not self._under_way:
            self._quiet.set()

    async def quiet(self) -> None:
        """Wait until no request is under way."""
        await self._quiet.wait()

    def count(self, status: int, started: float) -> None:
        """Count an answer that was given."""
        self._counts.requests[status // 100].inc()
        self._counts.seconds.observe(time.perf_counter() - started)

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


def _counts(plan: RoutePlan) -> _Counts:
    labels = (plan.namespace, plan.name)
    return _Counts(
        requests=metrics.by_status(metrics.ROUTE_REQUESTS, *labels),
        seconds=metrics.ROUTE_SECONDS.labels(*labels),
        in_flight=metrics.ROUTE_IN_FLIGHT.labels(*labels),
    )
