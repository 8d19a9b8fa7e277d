"""chain: a list of steps as one function, and what every step has around its verb.

Around each verb: its duration and errors are counted, `into` and the body take its result, and
`onError` takes over when it fails.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, cast

from isthmus_api import json_text
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan
from isthmus_api.step import Call, OnError, Step
from isthmus_runtime import metrics
from isthmus_runtime.body import Body, not_encodable
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, from_expression
from isthmus_runtime.shared_tables import NO_TABLES, SharedTables
from isthmus_runtime.steps import call, flow, respond, translate, validate
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Plain, Run, Verb, waits

if TYPE_CHECKING:
    from isthmus_runtime.stores import Stores

_FAILURES = (Fault, ExpressionError, json_text.JsonTextError)

Noting = Callable[[str, str | None, Exchange], AbstractContextManager[None]]
"""What else is around a step: it is given the step's name, its `into` and the message."""


class _Step:
    """A verb, and what is around it."""

    __slots__ = ("_handler", "_labels", "into", "name", "observe", "verb")

    def __init__(
        self, verb: Verb, *, into: str | None, labels: tuple[str, ...], handler: Plain | None
    ) -> None:
        self.verb = verb
        self.name = labels[2]
        self.into = into
        self.observe = metrics.STEP_SECONDS.labels(*labels).observe
        self._labels = labels
        self._handler = handler

    def settle(self, x: Exchange, result: Body | None) -> None:
        """Take the verb's result where the step wants it."""
        if result is None:
            return
        if self.into:
            x.bind(self.into, result)
        else:
            x.take(result)

    def rescue(self, x: Exchange, error: Exception) -> None:
        """Let `onError` take over, or fail with the fault that this error is."""
        labels, handler = self._labels, self._handler
        fault = _fault(error, x)
        fault.step = fault.step or labels[2]
        metrics.STEP_ERRORS.labels(*labels, fault.reason, str(bool(handler)).lower()).inc()
        if handler is None:
            if fault is error:
                raise error
            raise fault from error
        x.variables["failure"] = fault.variables()
        self.settle(x, handler(x))


class Compiler:
    """Compiles the steps of one plan. Branches are compiled once, and before the steps that name
    them; the planner has made sure that they form no cycle."""

    def __init__(
        self,
        plan: RoutePlan,
        connectors: Mapping[str, call.System],
        *,
        noting: Noting | None = None,
        stores: "Stores | None" = None,  # not imported: most Routes keep nothing, and start sooner
        tables: SharedTables = NO_TABLES,
    ) -> None:
        self.binder = Binder()
        self._mappings = tables.filled(plan)
        self._plan = plan
        self._connectors = connectors
        self._noting = noting
        self._stores = stores
        self._writers: dict[str, str] = {}
        self._branches: dict[str, Run] = {}

    def route(self) -> Run:
        """The Route's own steps."""
        run = self._steps(self._plan.steps, "")
        if self._stores and self._plan.source.http:
            return self._stores.written_before_the_answer(run)
        return run

    def _steps(self, steps: tuple[Step, ...], prefix: str) -> Run:
        found = [self._step(step, f"{prefix}{i}") for i, step in enumerate(steps)]
        return _noted(found, self._noting) if self._noting else _chain(found)

    def _step(self, step: Step, position: str) -> _Step:
        name = step.name or f"{step.verb}-{position}"
        labels = (self._plan.namespace, self._plan.name, name)
        handler = self._on_error(step.on_error) if step.on_error else None
        return _Step(self._verb(step, labels), into=step.into, labels=labels, handler=handler)

    def _verb(self, step: Step, labels: tuple[str, ...]) -> Verb:
        branches = _Branches(self._branch)
        match step:
            case Step(call=spec) if spec:
                system = self._connectors[spec.connector]
                mark = self._mark(spec, labels[2])
                return call.compile(step, self.binder, system, labels, mark=mark)
            case Step(map=spec) if spec:
                return translate.compile_map(spec, self.binder, self._plan, labels, self._mappings)
            case Step(filter=condition) if condition:
                return flow.compile_filter(condition, self.binder)
            case Step(choice=spec) if spec:
                return flow.compile_choice(spec, self.binder, branches)
            case Step(split=spec) if spec:
                return flow.compile_split(spec, self.binder, branches)
            case Step(aggregate=spec) if spec:
                return translate.compile_aggregate(spec, self.binder)
            case Step(scatter=spec) if spec:
                return flow.compile_scatter(spec, branches)
            case Step(validate_=spec) if spec:
                return validate.compile(spec)
            case Step(remember=spec) if spec and self._stores:
                return self._stores.remembering(spec, self.binder)
            case Step(lookup=spec) if spec and self._stores:
                return self._stores.looking_up(spec, self.binder)
            case Step(respond=spec) if spec:
                return respond.compile(spec, self.binder)
            case _:
                raise TypeError(f"no step has the verb {step.verb}")

    def _mark(self, spec: Call, step: str) -> str:
        """What tells calls that one message makes to one system apart; the first needs nothing, so
        a step that is added after it leaves its keys as they are."""
        if spec.method not in call.WRITING:
            return ""
        first = self._writers.setdefault(spec.connector, step)
        return "" if first == step else f"-{step}"

    def _branch(self, name: str) -> Run:
        if name not in self._branches:
            self._branches[name] = self._steps(self._plan.branches[name], f"{name}-")
        return self._branches[name]

    def _on_error(self, spec: OnError) -> Plain:
        if spec.respond is not None:
            return respond.compile(spec.respond, self.binder)
        return self.binder.tree(spec.use).body


class _Branches(dict[str, Run]):
    """Branches by name, compiled when they are first named."""

    def __init__(self, compile: Callable[[str], Run]) -> None:
        super().__init__()
        self._compile = compile

    def __missing__(self, name: str) -> Run:
        return self._compile(name)


def _chain(steps: list[_Step]) -> Run:
    return _waiting(steps) if any(waits(step.verb) for step in steps) else _plain(steps)


def _waiting(steps: list[_Step]) -> Run:
    async def chain(x: Exchange) -> None:
        started = time.perf_counter()
        for step in steps:
            try:
                result = step.verb(x)
                if result is not None and not isinstance(result, Body):
                    result = await result
                step.settle(x, result)
            except _FAILURES as error:
                step.rescue(x, error)
            finally:
                ended = time.perf_counter()
                step.observe(ended - started)
                started = ended
            if x.ended:
                return

    return chain


def _plain(steps: list[_Step]) -> Run:
    verbs = [(step, cast(Plain, step.verb)) for step in steps]

    def chain(x: Exchange) -> None:
        started = time.perf_counter()
        for step, verb in verbs:
            try:
                step.settle(x, verb(x))
            except _FAILURES as error:
                step.rescue(x, error)
            finally:
                ended = time.perf_counter()
                step.observe(ended - started)
                started = ended
            if x.ended:
                return

    return chain


def _noted(steps: list[_Step], noting: Noting) -> Run:
    """A chain for who wants to know what its steps did."""
    runs = [(step, _chain([step])) for step in steps]

    async def chain(x: Exchange) -> None:
        for step, run in runs:
            with noting(step.name, step.into, x):
                waiting = run(x)
                if waiting is not None:
                    await waiting
            if x.ended:
                return

    return chain


def _fault(error: Exception, x: Exchange) -> Fault:
    match error:
        case Fault():
            return error
        case ExpressionError():
            return from_expression(error)
        case json_text.NotEncodable():
            return not_encodable(error)
        case _:
            return x.body.not_json(str(error))
