"""Contracts: a map step whose Mapping, or one that it calls, holds messages to its schemas.

An input that does not fit is the sender's mistake (422), a result that does not fit is our own
(500); neither is tried again. With `warn` both are counted and logged, and the message goes on. A
message counts once for each Mapping and side, however often that is called.
"""

from collections.abc import Callable

from isthmus_api.compiled_schema import told
from isthmus_api.expressions.engine import SchemaMisfit, Side
from isthmus_api.expressions.watch import Warned, Watch
from isthmus_api.mapping import JsonSchema
from isthmus_api.plan import PlannedMapping
from isthmus_runtime import faults, logs, metrics
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.steps.schema import Schema

Translate = Callable[[Exchange], Body]
_Check = Callable[[Body, Exchange], None]


def around(
    verb: Translate, mapping: PlannedMapping, name: str, labels: tuple[str, ...]
) -> Translate:
    """The verb with what its Mapping asks for around it; itself where that is nothing."""
    before = _check(mapping.input, "input", name, labels)
    after = _check(mapping.output, "output", name, labels)
    if before is None and after is None:
        return verb

    def checked(x: Exchange) -> Body:
        if before:
            before(x.body, x)
        result = verb(x)
        if after:
            after(result, x)
        return result

    return checked


def watching(verb: Translate, watch: Watch, labels: tuple[str, ...]) -> Translate:
    """The verb of a Mapping that calls others which are held to schemas."""

    def watched(x: Exchange) -> Body:
        with watch.over(lambda: x.large) as warned:
            try:
                return verb(x)
            except SchemaMisfit as misfit:
                _count(labels, misfit.mapping, misfit.side, "reject")
                raise
            finally:
                for each in warned.values():
                    _warn(each, x, labels)

    return watched


def _check(
    written: JsonSchema | None, side: Side, mapping: str, labels: tuple[str, ...]
) -> _Check | None:
    if written is None:
        return None
    schema, rejects = Schema(written.schema_), written.on_mismatch == "reject"

    def check(body: Body, x: Exchange) -> None:
        misfits = schema.misfits(body)
        if not misfits:
            return
        if rejects:
            _count(labels, mapping, side, "reject")
            raise faults.misfit(side, mapping, misfits)
        _warn(Warned(mapping, side, misfits), x, labels)

    return check


def _count(labels: tuple[str, ...], mapping: str, side: Side, policy: str) -> None:
    metrics.SCHEMA_MISMATCHES.labels(*labels, mapping, side, policy).inc()


def _warn(warned: Warned, x: Exchange, labels: tuple[str, ...]) -> None:
    _count(labels, warned.mapping, warned.side, "warn")
    namespace, route, step = labels
    logs.warning(
        "a message does not fit a schema",
        route=f"{namespace}/{route}",
        step=step,
        mapping=warned.mapping,
        side=warned.side,
        misfits=told(warned.misfits),
        times=warned.times,
        correlationId=x.trace.correlation_id,
    )
