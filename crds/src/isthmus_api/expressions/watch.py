"""Watch: what called Mappings are held to, and what was found of it in one evaluation.

A Mapping that another one calls is held to its `input.schema` and `output.schema` as the one of a
`map` step is. With `reject` the evaluation ends in a `SchemaMisfit`. With `warn` it goes on, and
the watch remembers for each Mapping and side how many calls did not fit and where the first of them
did not: who evaluates tells it once, however many lines a message has.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from isthmus_api import json_text
from isthmus_api.compiled_schema import CompiledSchema, Misfits, told
from isthmus_api.expressions import engine
from isthmus_api.expressions.functions import Run
from isthmus_api.mapping import JsonSchema


@dataclass(slots=True)
class Warned:
    """Calls of a Mapping that did not fit its schema, in one evaluation; `misfits` of the first."""

    mapping: str
    side: engine.Side
    misfits: Misfits
    times: int = 1

    def __str__(self) -> str:
        more = f"; so did {self.times - 1} more" if self.times > 1 else ""
        return f"{described(self.mapping, self.side)} at {told(self.misfits)}{more}"


class Watch(threading.local):
    """What is known of the message that a thread evaluates, and what was warned of."""

    def __init__(self) -> None:
        self._large: Callable[[], frozenset[str]] = frozenset
        self._warned: dict[tuple[str, engine.Side], Warned] = {}

    @contextmanager
    def over(
        self, large: Callable[[], frozenset[str]]
    ) -> Iterator[dict[tuple[str, engine.Side], Warned]]:
        """Begin an evaluation, and give what it will warn of.

        `large` gives the digits of the message's large integers; they may be known only when its
        body has been decoded, so it is asked when a value is looked at.
        """
        self._large, self._warned = large, {}
        yield self._warned

    def exact(self, value: Any) -> Any:
        """A value with large integers as numbers; in evaluations they are strings of digits."""
        large = self._large()
        return json.loads(json_text.encode(value, large)) if large else value

    def warn(self, mapping: str, side: engine.Side, schema: CompiledSchema, value: Any) -> None:
        """Remember a call that did not fit."""
        known = self._warned.get((mapping, side))
        if known:
            known.times += 1
        else:
            self._warned[mapping, side] = Warned(mapping, side, schema.misfits(value))


class Check:
    """What holds the calls of a Mapping to one of its schemas."""

    __slots__ = ("_mapping", "_rejects", "_schema", "_side", "_watch")

    def __init__(self, mapping: str, side: engine.Side, written: JsonSchema, watch: Watch) -> None:
        self._mapping = mapping
        self._side = side
        self._schema = CompiledSchema(written.schema_)
        self._rejects = written.on_mismatch == "reject"
        self._watch = watch

    def __call__(self, value: Any) -> None:
        """`SchemaMisfit` where a value does not fit and that is not to be."""
        value = self._watch.exact(value)
        if self._schema.fits(value):
            return
        if not self._rejects:
            self._watch.warn(self._mapping, self._side, self._schema, value)
            return
        misfits = self._schema.misfits(value)
        raise engine.SchemaMisfit.of(
            f"{described(self._mapping, self._side)} at {told(misfits)}",
            mapping=self._mapping,
            side=self._side,
            misfits=misfits,
        )


def check(
    mapping: str, side: engine.Side, written: JsonSchema | None, watch: Watch
) -> Check | None:
    """The check of one side; none where a schema only describes."""
    return Check(mapping, side, written, watch) if written and written.on_mismatch else None


def around(run: Run, before: Check | None, after: Check | None) -> Run:
    """A called Mapping with what it asks for around it; itself where that is nothing."""
    if before is None and after is None:
        return run

    def held(value: Any, variables: dict[str, Any] | None) -> Any:
        if before:
            before(value)
        result = run(value, variables)
        if after:
            after(result)
        return result

    return held


def described(mapping: str, side: engine.Side) -> str:
    """That a call did not fit, without where."""
    what = "what it is called with" if side == "input" else "its result"
    return f"Mapping '{mapping}': {what} does not fit {side}.schema"
