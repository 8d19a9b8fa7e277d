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

from isthmus_api.expressions import calls, engine, functions, jlens_engine
from isthmus_api.expressions.accounts import Account

MAX_CALLS: Final = 100_000
"""Calls of other Mappings in one evaluation. Does not depend on the load of the machine."""


class Written(Protocol):
    """A Mapping, as far as running it goes."""

    @property
    def expression(self) -> str: ...

    @property
    def tables(self) -> functions.Tables: ...


def compile(
    mapping: Written, others: Mapping[str, Written], by: engine.Engine = jlens_engine.ENGINE
) -> engine.Expression:
    """Compile a Mapping; `others` has those that it calls, and those that they call in turn."""
    if not calls.mappings(mapping.expression):
        return by.compile(mapping.expression, functions.library(mapping.tables))
    budget = _Budget(engine.GUARDS.timeout)
    return Composed(_Compiler(others, budget, by).expression(mapping), budget)


class _Compiler:
    """Compiles the Mappings that one of them leads to."""

    def __init__(self, others: Mapping[str, Written], budget: _Budget, by: engine.Engine) -> None:
        self._others = others
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
            expression = self.expression(self._others[name], trail)
            self._run[name] = functools.partial(_run, name, expression, self._budget)
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
        raise type(error)(f"in the Mapping '{name}': {error.message}", code=error.code) from error


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
