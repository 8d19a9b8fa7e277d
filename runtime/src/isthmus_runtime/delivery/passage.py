"""Passage: a body once through the steps of a Route, and all that is to be known of it after."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.plan import RoutePlan
from isthmus_runtime import faults, logs, stores
from isthmus_runtime.body import Body
from isthmus_runtime.delivery import journey, policy, transcript
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Upstream
from isthmus_runtime.http.messages import header
from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.steps.chain import Compiler
from isthmus_runtime.tracing import Trace

_LAST_WORD: Final = 1.0
"""Seconds after its deadline in which a call may say itself what took too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What going through the steps came to. `x` is the message as they left it; `refusal` is the
    failure where every call was refused before it was made."""

    x: Exchange
    failure: Fault | None
    refusal: Upstream | None
    memories: tuple[Memory, ...]
    transcript: bytes

    @property
    def is_filtered(self) -> bool:
        """Whether a filter did not let the message through."""
        return self.failure is None and self.x.ended and self.x.response is None

    @property
    def result(self) -> Body:
        """What the steps ended with."""
        response = self.x.response
        if response is None:
            return self.x.body
        kind = header(response.headers, b"content-type")
        return Body(response.body, content_type=kind or b"")


class Passage:
    """The steps of one Route, compiled. `secrets` are values that nobody may see."""

    def __init__(
        self, plan: RoutePlan, compiler: Compiler, *, secrets: Callable[[], Iterable[str]]
    ) -> None:
        self._route = f"{plan.namespace}/{plan.name}"
        self._run = compiler.route()
        self._timeout = plan.delivery.timeout.seconds if plan.delivery else 30.0
        self._secrets = secrets
        self._paths = plan.privacy.mask if plan.privacy else ()

    async def through(self, body: Body, variables: Mapping[str, Any], *, trace: Trace) -> Passed:
        """Take a body through the steps. How they fail is in what is returned."""
        deadline = asyncio.get_running_loop().time() + self._timeout
        x = Exchange(body, variables=dict(variables), deadline=deadline, trace=trace)
        noted, pending = journey.begin(), stores.begin()
        failure = await self._failure(x)
        told = transcript.text(noted, body, secrets=self._secrets(), paths=self._paths)
        return Passed(
            x=x,
            failure=failure,
            refusal=_refusal(failure, noted),
            memories=pending.written,
            transcript=told,
        )

    async def _failure(self, x: Exchange) -> Fault | None:
        """Run the steps; how they failed, if they did."""
        try:
            async with asyncio.timeout_at(x.deadline + _LAST_WORD):
                waiting = self._run(x)
                if waiting is not None:
                    await waiting
        except Fault as fault:
            return fault
        except TimeoutError:
            return faults.out_of_time()
        except Exception as failure:
            logs.error(
                "a Route failed in a way we did not expect",
                failure,
                route=self._route,
                correlationId=x.trace.correlation_id,
            )
            return Fault("InternalError", "the runtime failed; its log has the correlation id")
        return None


def _refusal(failure: Fault | None, noted: journey.Journey) -> Upstream | None:
    if not isinstance(failure, Upstream) or not policy.is_refusal(failure.reason):
        return None
    return failure if noted.is_without_calls(policy.is_refusal) else None
