"""Journey: what the steps of one attempt got and gave.

Steps and calls are noted while they run, as references to what is there anyway; `transcript` makes
text of them. What runs is found through the task's context, so steps know nothing of it, and those
of an http Route are not touched.
"""

import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from isthmus_runtime.body import Body
from isthmus_runtime.connectors.connector import Call
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Upstream
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.steps.call import System

MAX_STEPS: Final = 200
MAX_CALLS: Final = 50


@dataclass(slots=True)
class CallRecord:
    """One call of a step; `path` is as it was sent, `reason` is why no good answer came."""

    connector: str
    method: str
    path: str
    seconds: float = 0.0
    answer: Response | None = None
    reason: str = ""


@dataclass(slots=True)
class StepRecord:
    """One run of a step. A step with `into` kept the body and bound a value."""

    step: str
    input: Body
    into: str | None = None
    seconds: float = 0.0
    output: Body | None = None
    calls: list[CallRecord] = field(default_factory=list)
    omitted_calls: int = 0
    failure: Fault | None = None
    handled: dict[str, Any] | None = None


class Journey:
    """The steps of one attempt, in the order in which they began, those of branches included."""

    def __init__(self) -> None:
        self.steps: list[StepRecord] = []
        self.omitted_steps = 0

    def is_without_calls(self, is_none: Callable[[str], bool]) -> bool:
        """Whether no call was made, apart from those whose failure says that they are none."""
        return not self.omitted_steps and all(
            not step.omitted_calls and all(is_none(call.reason) for call in step.calls)
            for step in self.steps
        )

    def begin(self, step: str, x: Exchange, *, into: str | None) -> StepRecord:
        """Note that a step begins. Once there are too many, what is noted of it is lost."""
        record = StepRecord(step, x.body, into)
        if len(self.steps) < MAX_STEPS:
            self.steps.append(record)
        else:
            self.omitted_steps += 1
        return record


_JOURNEY: ContextVar[Journey | None] = ContextVar("journey", default=None)
_STEP: ContextVar[StepRecord | None] = ContextVar("step", default=None)


def begin() -> Journey:
    """The journey of what this task, and those it starts, run from here on."""
    journey = Journey()
    _JOURNEY.set(journey)
    return journey


class Noting:
    """Around one run of a step, which is noted on the journey under way."""

    __slots__ = ("_before", "_record", "_started", "_token", "_x")

    def __init__(self, step: str, into: str | None, x: Exchange) -> None:
        journey = _JOURNEY.get() or Journey()
        self._x = x
        self._record = journey.begin(step, x, into=into)
        self._before = x.variables.get("failure")

    def __enter__(self) -> None:
        self._token = _STEP.set(self._record)
        self._started = time.perf_counter()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        record, x = self._record, self._x
        record.seconds = time.perf_counter() - self._started
        _STEP.reset(self._token)
        if isinstance(error, Fault):
            record.failure = error
        if error is not None:
            return
        handled = x.variables.get("failure")
        if handled is not self._before:
            record.handled = handled
        if record.into is None:
            record.output = x.body
        elif record.into in x.variables:
            record.output = Body.of(x.variables[record.into], x.large)


class NotedSystem:
    """A Connector whose calls are noted on the step that makes them."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.name = system.name
        self.timeout = system.timeout
        self.headers: tuple[Header, ...] = system.headers
        self.answer = system.answer
        self.idempotency_header = system.idempotency_header

    def send(self, call: Call, deadline: float) -> Coroutine[Any, Any, Response]:
        """Make a call."""
        step = _STEP.get()
        if step is None:
            return self._system.send(call, deadline)
        return self._noted(step, call, deadline)

    async def _noted(self, step: StepRecord, call: Call, deadline: float) -> Response:
        record = CallRecord(self.name, call.method, call.target)
        if len(step.calls) < MAX_CALLS:
            step.calls.append(record)
        else:
            step.omitted_calls += 1
        started = time.perf_counter()
        try:
            record.answer = await self._system.send(call, deadline)
        except Fault as fault:
            record.reason = fault.reason
            record.answer = fault.answer if isinstance(fault, Upstream) else None
            raise
        finally:
            record.seconds = time.perf_counter() - started
        return record.answer
