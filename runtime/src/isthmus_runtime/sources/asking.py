"""Asking: how a poll asks for what it reads, and how often where that may help."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from isthmus_api.delivery import Delivery, DeliveryBackoff, DeliveryRetry
from isthmus_api.plan import RoutePlan
from isthmus_api.poll import PollSource
from isthmus_api.step import Step
from isthmus_runtime import logs, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.connectors import backoff
from isthmus_runtime.connectors.connector import Call
from isthmus_runtime.delivery import policy
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Upstream
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.sources.pages import Page, Place
from isthmus_runtime.steps import call
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.call import System, Write

Accept = Callable[[Sequence[Draft], Any], Awaitable[None]]
"""Takes records, and how far they were read, however long that takes."""

_Got = TypeVar("_Got")


class Taking(Protocol):
    """Takes the pages of one run."""

    async def take(self, place: Place, watermark: Any, accept: Accept) -> Page:
        """Have the records of a page accepted, and tell what it says of the next one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """By what call of which system, within what time, how often."""

    route: str
    system: System
    write: Write
    variables: dict[str, Any]
    timeout: float
    attempts: int
    backoff: backoff.Backoff
    max_pages: int

    def request(self, place: Place, watermark: Any) -> tuple[Call, float]:
        """The call for a page, and until when its answer must have come."""
        deadline = asyncio.get_running_loop().time() + self.timeout
        x = Exchange(
            Body(b""),
            variables={**self.variables, "watermark": watermark, "cursor": place.cursor},
            deadline=deadline,
            trace=tracing.of([]),
        )
        request = self.write(x)
        return request._replace(target=place.of(request.target)), deadline

    async def repeated(self, ask: Callable[[], Awaitable[_Got]]) -> _Got:
        """What asking gives, which is done as often as it may help."""
        attempt = 1
        while True:
            try:
                return await ask()
            except Fault as fault:
                if attempt >= self.attempts or not policy.is_passing(fault):
                    raise
                asked = fault.retry_after if isinstance(fault, Upstream) else None
                wait = backoff.wait(attempt, self.backoff, retry_after=asked)
                logs.info(
                    "a page is asked for again",
                    route=self.route,
                    reason=fault.reason,
                    attempt=attempt,
                    waitSeconds=round(wait, 3),
                )
            await asyncio.sleep(wait)
            attempt += 1


def of(
    plan: RoutePlan,
    spec: PollSource,
    system: System,
    binder: Binder,
    variables: dict[str, Any],
) -> Asking:
    """How the poll of a Route asks."""
    retry = (plan.delivery or Delivery()).retry or DeliveryRetry()
    return Asking(
        route=f"{plan.namespace}/{plan.name}",
        system=system,
        write=call.writer(Step(call=spec.call), binder, system),
        variables=variables,
        timeout=spec.timeout.seconds if spec.timeout else system.timeout,
        attempts=retry.attempts,
        backoff=retry.backoff or DeliveryBackoff(),
        max_pages=spec.pagination.max_pages if spec.pagination else 1,
    )
