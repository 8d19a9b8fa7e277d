"""The second opinion: jsonata2py (pure Python) behind the same interface.

Tests compare its results with those of the engine that runs; nothing else imports this module, and
the package does not depend on jsonata2py. Of the guards it knows the timeout only, and that of one
evaluation is always the same; so never feed it expressions that were not written by us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonata2py
from jsonata2py import bindings

from isthmus_api import json_text
from isthmus_api.expressions import engine
from isthmus_api.expressions.accounts import Account


class Jsonata2pyEngine:
    """Compiles expressions with jsonata2py."""

    def __init__(self, guards: engine.Guards = engine.GUARDS) -> None:
        self._guards = guards
        self._factory = jsonata2py.JsonataExpressionFactory()

    def compile(
        self, source: str, functions: Mapping[str, engine.Function] = engine.NO_FUNCTIONS
    ) -> Jsonata2pyExpression:
        try:
            compiled = self._factory.compile(source)
        except jsonata2py.JsonataError as error:
            place = getattr(error.__cause__, "position", None)
            raise engine.SyntaxFault(
                error.message, code=error.error_code or "S0201", source=source, offset=place
            ) from error
        compiled.set_timeout(int(self._guards.timeout * 1000))
        for function in functions.values():
            # Without its signature: jsonata2py lets no undefined argument pass as `x`.
            adapted = bindings.bound_function()(_adapted(function.callable))
            compiled.register_function(function.name, adapted)
        return Jsonata2pyExpression(source, compiled)


class Jsonata2pyExpression:
    """A compiled expression. It has no fixed clock and seed, and cannot tell what it reads."""

    def __init__(self, source: str, compiled: jsonata2py.CompiledExpression) -> None:
        self.source = source
        self._compiled = compiled

    def evaluate(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> Any:
        return _plain(self._result(value, variables, now, seed))

    def evaluate_json(
        self,
        text: bytes,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
        result = self._result(json_text.decode_plain(text), variables, now, seed)
        return None if result is jsonata2py.MISSING else json_text.encode(result)

    def reads(self) -> engine.Reads:
        raise NotImplementedError("jsonata2py does not tell what an expression reads")

    def account(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> Account:
        raise NotImplementedError("jsonata2py does not tell what parts gave")

    def _result(
        self, value: Any, variables: dict[str, Any] | None, now: Any, seed: int | None
    ) -> Any:
        if now is not None or seed is not None:
            raise NotImplementedError("jsonata2py has no fixed clock and seed")
        bound = jsonata2py.JsonataBindings()
        for name, variable in (variables or {}).items():
            bound.bind_value(name, variable)
        try:
            return self._compiled.evaluate(value, bound)
        except jsonata2py.JsonataEvaluationError as error:
            code = error.error_code or "U1000"
            kind = engine.evaluation_error(code)
            raise kind(error.message, code=code, source=self.source) from error


def _plain(value: Any) -> Any:
    return None if value is jsonata2py.MISSING else value


def _adapted(implementation: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        result = implementation(*map(_plain, arguments))
        return jsonata2py.MISSING if result is None else result

    return call


ENGINE = Jsonata2pyEngine()
