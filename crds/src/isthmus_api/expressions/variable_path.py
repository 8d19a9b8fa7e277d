"""Variable paths: `$request.query.q` and its like, read without the engine.

Most expressions of a Route are of this form, and handing the variable over costs the engine more
than the look-up. Only objects are followed here, and only plain values given back. A list anywhere
goes to the engine: what JSONata makes of lists (flattening, single items) is its business.
"""

from __future__ import annotations

import re
from typing import Any, Final

from isthmus_api.expressions import engine
from isthmus_api.expressions.accounts import Account

_PATH: Final = re.compile(r"\s*\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)+)\s*", re.ASCII)
_PLAIN: Final = frozenset({str, bool, int, float, type(None)})
_KEYWORDS: Final = frozenset({"and", "or", "in", "true", "false", "null"})


def parse(source: str) -> tuple[str, tuple[str, ...]] | None:
    """Give the variable and the fields of a plain path, or nothing for any other expression."""
    found = _PATH.fullmatch(source)
    if found is None:
        return None
    fields = tuple(found[2][1:].split("."))
    return None if _KEYWORDS.intersection(fields) else (found[1], fields)


class VariablePath:
    """A plain path, with the engine's own expression for what it leaves to it."""

    __slots__ = ("_expression", "_fields", "_variable")

    def __init__(
        self, expression: engine.Expression, variable: str, fields: tuple[str, ...]
    ) -> None:
        self._expression = expression
        self._variable = variable
        self._fields = fields

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
        found: Any = variables.get(self._variable) if variables else None
        for field in self._fields:
            if type(found) is not dict:
                return self._expression.evaluate(
                    value, variables, now=now, seed=seed, timeout=timeout
                )
            found = found.get(field)
        if type(found) in _PLAIN:
            return found
        return self._expression.evaluate(value, variables, now=now, seed=seed, timeout=timeout)

    def evaluate_json(
        self,
        text: bytes,
        variables: dict[str, Any] | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
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
        return self._expression.account(value, variables, now=now, seed=seed)
