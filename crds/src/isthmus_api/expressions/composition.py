"""Composition: the expression of a Mapping that may call other Mappings.

Each Mapping is compiled once, however many call it. What one evaluation of the outermost may use is
bounded as a whole: the time that `Guards` allow, and `MAX_CALLS` calls of other Mappings. (jlens
0.25.0 tells nobody how many steps it took; every call has the guard of steps for itself.)

A call costs 3 to 4 us of CPU more than the same text written in place (jlens 0.25.0, a line of an
order), for the value goes to Python and back. An expression that calls no Mapping pays nothing.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from isthmus_api.expressions import calls, engine, functions, jlens_engine, watch
from isthmus_api.expressions.accounts import Account
from isthmus_api.mapping import JsonSchema

MAX_CALLS: Final = 100_000
"""Calls of other Mappings in one evaluation. Does not depend on the load of the machine."""


class Written(Protocol):
    """A Mapping, as far as running it goes."""

    @property
    def expression(self) -> str: ...

    @property
    def tables(self) -> functions.Tables: ...

    @property
    def input(self) -> JsonSchema | None: ...

    @property
    def output(self) -> JsonSchema | None: ...


@dataclass(frozen=True, slots=True)
class Filled:
    """A Mapping with all of its tables, those of ConfigMaps too."""

    expression: str
    tables: functions.Tables
    input: JsonSchema | None
    output: JsonSchema | None


def compile(
    mapping: Written,
    others: Mapping[str, Written],
    by: engine.Engine = jlens_engine.ENGINE,
    *,
    watched: watch.Watch | None = None,
) -> engine.Expression:
    """Compile a Mapping; `others` has those that it calls, and those that they call in turn.

    Those are held to their schemas, itself is not: who runs it knows what a misfit means there.
    `watched` is told what they warn of.
    """
    if not calls.mappings(mapping.expression):
        return by.compile(mapping.expression, functions.library(mapping.tables))
    budget = _Budget(engine.GUARDS.timeout)
    compiler = _Compiler(others, budget, by, watched or watch.Watch())
    return Composed(compiler.expression(mapping), budget)


def are_held(mapping: Written, others: Mapping[str, Written]) -> bool:
    """Whether some Mapping that it leads to is held to a schema."""
    seen: set[str] = set()
    found = [mapping]
    while found:
        for name in calls.mappings(found.pop().expression):
            if name in others and name not in seen:
                seen.add(name)
                found.append(others[name])
    sides = (side for name in seen for side in (others[name].input, others[name].output))
    return any(side and side.on_mismatch for side in sides)


class _Compiler:
    """Compiles the Mappings that one of them leads to."""

    def __init__(
        self,
        others: Mapping[str, Written],
        budget: _Budget,
        by: engine.Engine,
        watched: watch.Watch,
    ) -> None:
        self._others = others
        self._watch = watched
        self._budget = budget
        self._engine = by
        self._run: dict[str, functions.Run] = {}

    def expression(self, mapping: Written, trail: tuple[str, ...] = ()) -> engine.Expression:
        """Compile a Mapping that the Mappings of `trail` lead to."""
        runs = {
            name: self._called(name, (*trail, name))
            for name in calls.mappings(mapping.expression)
            if name in self._others
        }
        library = functions.library(mapping.tables, runs)
        return self._engine.compile(mapping.expression, library)

    def _called(self, name: str, trail: tuple[str, ...]) -> functions.Run:
        if len(trail) > calls.MAX_DEPTH:
            raise engine.SyntaxFault(
                f"more than {calls.MAX_DEPTH} Mappings call one another: {' → '.join(trail)}",
                code="S0500",
            )
        if name not in self._run:
            mapping = self._others[name]
            run = functools.partial(_run, name, self.expression(mapping, trail), self._budget)
            before = watch.check(name, "input", mapping.input, self._watch)
            after = watch.check(name, "output", mapping.output, self._watch)
            self._run[name] = watch.around(run, before, after)
        return self._run[name]


def _run(
    name: str,
    expression: engine.Expression,
    budget: _Budget,
    value: Any,
    variables: dict[str, Any] | None,
) -> Any:
    spent = budget.spend()
    try:
        return expression.evaluate(
            value, variables, now=spent.now, seed=spent.seed, timeout=spent.left()
        )
    except engine.ExpressionError as error:
        message = f"in the Mapping '{name}': {error.message}"
        raise error.but(message=message, source="", offset=None, hint=None) from error


@dataclass(slots=True)
class _Spent:
    """What is left of one evaluation."""

    deadline: float
    now: engine.Clock | None
    seed: int | None
    calls: int = 0

    def left(self) -> float:
        """Seconds until the deadline."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise engine.GuardExceeded("the Mappings together took too long", code="D1012")
        return seconds


class _Budget(threading.local):
    """What the evaluation under way in a thread may still use."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._spent: _Spent | None = None

    @contextmanager
    def opened(self, now: engine.Clock | None, seed: int | None) -> Iterator[None]:
        """Begin an evaluation of the outermost Mapping."""
        self._spent = _Spent(time.monotonic() + self._seconds, now, seed)
        try:
            yield
        finally:
            self._spent = None

    def spend(self) -> _Spent:
        """Count a call."""
        spent = self._spent
        if spent is None:
            raise RuntimeError("a Mapping was called outside of an evaluation")
        spent.calls += 1
        if spent.calls > MAX_CALLS:
            raise engine.GuardExceeded(
                f"more than {MAX_CALLS} calls of other Mappings", code="U1006"
            )
        return spent


class Composed:
    """The expression of a Mapping that calls others, within one budget."""

    __slots__ = ("_budget", "_expression")

    def __init__(self, expression: engine.Expression, budget: _Budget) -> None:
        self._expression = expression
        self._budget = budget

    @property
    def source(self) -> str:
        return self._expression.source

    def evaluate(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> Any:
        with self._budget.opened(now, seed):
            return self._expression.evaluate(value, variables, now=now, seed=seed, timeout=timeout)

    def evaluate_json(
        self,
        text: bytes,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
        with self._budget.opened(now, seed):
            return self._expression.evaluate_json(text, variables, now=now, seed=seed)

    def reads(self) -> engine.Reads:
        return self._expression.reads()

    def account(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> Account:
        with self._budget.opened(now, seed):
            return self._expression.account(value, variables, now=now, seed=seed)
