"""The engine that runs: jlens (Rust) behind `engine.Engine`.

Two facts about jlens 0.25.0 shape this module. Bindings are converted at each call (10 us for
1.5 KB), so tables are registered functions. JSON text nested deeper than 128 levels is refused
though the same document is accepted as a value, so such text takes the way over values.

The guards cost 0.6 us a call together, the timeout being the dearest; they are prepared once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final, NoReturn

import jlens

from isthmus_api import json_text
from isthmus_api.expressions import engine, jlens_accounts, timestamps, variable_path
from isthmus_api.expressions.accounts import Account

_HINTS: Final = {
    "D1011": "recurse less deeply, or write the recursion as a tail call",
    "D1012": "look for an endless loop or a pattern like (a+)+",
    "S0101": "close the string with the quote that opened it",
    "T1005": "functions are called with a dollar sign",
    "T2001": "convert it with $number(...), money with $money functions",
    "T2002": "convert it with $number(...), money with $money functions",
    "U1006": "the same input always needs as many steps: split the document or simplify",
}


class JlensEngine:
    """Compiles expressions with jlens, each under the same guards."""

    __slots__ = ("_guards",)

    def __init__(self, guards: engine.Guards = engine.GUARDS) -> None:
        self._guards = asdict(guards)

    def compile(
        self, source: str, functions: Mapping[str, engine.Function] = engine.NO_FUNCTIONS
    ) -> engine.Expression:
        try:
            compiled = _compiled(source, functions)
        except jlens.JlensError as error:
            raise _compile_error(error, source) from error
        quick = _quick(compiled, functions)
        expression = JlensExpression(compiled, quick, self._guards, functions)
        path = variable_path.parse(source)
        return variable_path.VariablePath(expression, *path) if path else expression


class JlensExpression:
    """A compiled expression with its guards.

    `quick` is the same expression, some work of the engine taken over by us. It serves until it
    first meets what it leaves to the engine.
    """

    __slots__ = ("_compiled", "_functions", "_guards", "_present", "source")

    def __init__(
        self,
        compiled: jlens.Expression,
        quick: jlens.Expression,
        guards: dict[str, Any],
        functions: Mapping[str, engine.Function],
    ) -> None:
        self.source = compiled.source
        self._compiled = compiled
        self._present = quick
        self._guards = guards
        self._functions = functions

    def evaluate(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> Any:
        guards = self._guards if timeout is None else {**self._guards, "timeout": timeout}
        try:
            return self._present.evaluate(value, variables, now=now, seed=seed, **guards)
        except timestamps.LeftToEngine:
            self._present = self._compiled
            return self.evaluate(value, variables, now=now, seed=seed, timeout=timeout)
        except Exception as error:
            self._fail(error)

    def evaluate_json(
        self,
        text: bytes,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
        try:
            result = self._present.evaluate_json(
                str(text, "utf-8"), variables, now=now, seed=seed, **self._guards
            )
        except timestamps.LeftToEngine:
            self._present = self._compiled
            return self.evaluate_json(text, variables, now=now, seed=seed)
        except Exception as error:
            if not _is_about_input(error):
                self._fail(error)
        else:
            return None if result is None else result.encode()
        # Either no JSON, which decoding tells with line and column, or nested beyond 128 levels.
        value = json_text.decode_plain(text)
        outcome = self.evaluate(value, variables, now=now, seed=seed)
        return None if outcome is None else json_text.encode(outcome)

    def reads(self) -> engine.Reads:
        reads = self._compiled.reads()
        variables = reads["bindings"].items()
        return engine.Reads(
            input=_fields(reads["input"]) if "input" in reads else None,
            variables={k: _fields(v) for k, v in variables if k not in self._functions},
            every_variable=reads.get("everyBinding", False),
        )

    def account(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> Account:
        found = self._compiled.evaluate_with_audit(
            value,
            variables,
            level="full",
            limits=jlens_accounts.LIMITS,
            now=now,
            seed=seed,
            **self._guards,
        )
        return jlens_accounts.account(self.source, found["audit"])

    def _fail(self, error: Exception) -> NoReturn:
        if isinstance(error, jlens.JlensError):
            raise _evaluation_error(error, self.source, self._functions) from error
        # jlens lets the exception of a function through and notes on it where the call stands.
        name = getattr(error, "token", None)
        about = f"${name}: " if name in self._functions else ""
        offset = _call_offset(error, self.source)
        if isinstance(error, engine.ExpressionError):  # of another Mapping: what failed stays that
            message = f"{about}{error.message}"
            raise error.but(message=message, source=self.source, offset=offset) from error
        raise engine.EvaluationFault(
            f"{about}{error}",
            code=getattr(error, "code", None) or "U1000",
            source=self.source,
            offset=offset,
        ) from error


def _compiled(source: str, functions: Mapping[str, engine.Function]) -> jlens.Expression:
    compiled = jlens.Expression(source)
    for function in _named(compiled, functions):
        _register(compiled, function, source)
    return compiled


def _quick(
    compiled: jlens.Expression, functions: Mapping[str, engine.Function]
) -> jlens.Expression:
    """The same expression with our own way to read timestamps, where it cannot be told apart."""
    source = compiled.source
    if not timestamps.are_read(source) or timestamps.NAME in functions:
        return compiled
    quick = _compiled(source, functions)
    quick.register_function(timestamps.NAME, timestamps.to_millis, timestamps.SIGNATURE)
    reads = quick.reads()
    # `$eval` wraps what a function raises, and would hide what is left to the engine.
    return compiled if reads.get("everyBinding") or reads != compiled.reads() else quick


def _named(
    compiled: jlens.Expression, functions: Mapping[str, engine.Function]
) -> Iterable[engine.Function]:
    """The functions that an expression may call: each one that is registered costs 0.25 us a call.

    `$eval` may call any.
    """
    reads = compiled.reads()
    if reads.get("everyBinding", False):
        return functions.values()
    return [function for name, function in functions.items() if name in reads["bindings"]]


def _register(compiled: jlens.Expression, function: engine.Function, source: str) -> None:
    try:
        compiled.register_function(function.name, function.callable, function.signature)
    except jlens.JlensError as error:
        raise engine.SyntaxFault(
            f"${function.name} has an invalid signature {function.signature}: {error}",
            code=error.code,
            source=source,
        ) from error


def _compile_error(error: jlens.JlensError, source: str) -> engine.ExpressionError:
    # Compiling has one guard of its own: nesting beyond 1,000 levels.
    kind = engine.GuardExceeded if error.code == "U1001" else engine.SyntaxFault
    return kind(
        str(error),
        code=error.code,
        source=source,
        offset=_offset(error, source),
        hint=_HINTS.get(error.code),
    )


def _evaluation_error(
    error: jlens.JlensError, source: str, functions: Mapping[str, engine.Function]
) -> engine.ExpressionError:
    message = f"${error.token} is no function" if error.code == "T1006" else str(error)
    hint = engine.argument_hint(error.token, error.code, functions) or _HINTS.get(error.code)
    kind = engine.evaluation_error(error.code)
    return kind(message, code=error.code, source=source, offset=_offset(error, source), hint=hint)


def _offset(error: jlens.JlensError, source: str) -> int | None:
    """Point at the operator where the error names one, else at the start of the part it is about.

    jlens gives `position` behind the token, as the reference implementation does.
    """
    if error.position is not None and error.token:
        begin = error.position - len(error.token)
        if begin >= 0 and source[begin : error.position] == error.token:
            return begin
    return error.start if error.start is not None else error.position


def _call_offset(error: Exception, source: str) -> int | None:
    """Find the `$` of the call that raised: `position` stands behind its opening bracket."""
    behind = getattr(error, "position", None)
    if not isinstance(behind, int):
        return None
    call = source.rfind(f"${getattr(error, 'token', '')}", 0, behind)
    return call if call >= 0 else behind


def _is_about_input(error: Exception) -> bool:
    """Tell whether the text was refused, rather than a function of ours raising a ValueError."""
    return isinstance(error, ValueError) and not hasattr(error, "token")


def _fields(read: Any) -> engine.Fields:
    if read is True:
        return engine.Fields(whole=True)
    return engine.Fields(fields={name: _fields(inner) for name, inner in read.items()})


ENGINE: Final = JlensEngine()
