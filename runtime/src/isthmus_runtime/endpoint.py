"""Endpoint: what takes the requests of one method and path for a Route."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from isthmus_api.plan import RoutePlan
from isthmus_runtime import metrics
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.http.messages import Head, Header, Request, Response
from isthmus_runtime.instruments import Distribution, Number
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.tracing import Trace


class CalledResponse(Response):
    """An answer, and the name of who called, for our log."""

    __slots__ = ("caller",)

    def __init__(self, answer: Response, caller: str) -> None:
        super().__init__(answer.status, answer.headers, answer.body)
        self.caller = caller


class Guarding(Protocol):
    """What stands between callers and a Route."""

    def fields(self, head: Head) -> tuple[Header, ...]:
        """What every answer says beside."""

    async def answer(
        self, request: Request, x: Exchange, go: Callable[[Exchange], Awaitable[Response]]
    ) -> Response:
        """What `go` answers, once the request may pass; a `Fault` where it may not."""


MakeGuard = Callable[[RoutePlan, Binder], Guarding]
"""Makes the guard of a Route; what it reads of requests it tells the binder."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """The Route's own metrics, looked up once."""

    requests: tuple[Number, ...]
    seconds: Distribution
    in_flight: Number


class Endpoint(ABC):
    """Counts its requests, and knows when none is under way."""

    def __init__(self, plan: RoutePlan, *, method: str, path: str, max_body: int) -> None:
        self.plan = plan
        self.name = f"{plan.namespace}/{plan.name}"
        self.method = method
        self.path = path
        self.max_body = max_body
        self._counts = _counts(plan)
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def fields(self, head: Head) -> tuple[Header, ...]:
        """What every answer says beside, to whoever asks."""
        return ()

    @abstractmethod
    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Answer a request; fails with a `Fault`."""

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

    def count(self, status: int, seconds: float) -> None:
        """Count an answer that was given, and how long it took."""
        self._counts.requests[status // 100].inc()
        self._counts.seconds.observe(seconds)


def _counts(plan: RoutePlan) -> _Counts:
    labels = (plan.namespace, plan.name)
    return _Counts(
        requests=metrics.by_status(metrics.ROUTE_REQUESTS, *labels),
        seconds=metrics.ROUTE_SECONDS.labels(*labels),
        in_flight=metrics.ROUTE_IN_FLIGHT.labels(*labels),
    )
