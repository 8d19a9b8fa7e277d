"""Contracts: a map step whose Mapping holds messages to its schemas.

An input that does not fit is the sender's mistake (422), a result that does not fit is our own
(500); neither is tried again. With `warn` both are counted and logged, and the message goes on.
"""

from collections.abc import Callable
from typing import Literal

from isthmus_api.mapping import JsonSchema
from isthmus_api.plan import PlannedMapping
from isthmus_runtime import logs, metrics
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Broken, Fault, Rejected
from isthmus_runtime.steps.schema import Misfits, Schema, told
from isthmus_runtime.steps.verb import Plain

Side = Literal["input", "output"]
_Check = Callable[[Body, Exchange], None]


def around(
    verb: Callable[[Exchange], Body], mapping: PlannedMapping, name: str, labels: tuple[str, ...]
) -> Plain:
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


def _check(
    written: JsonSchema | None, side: Side, mapping: str, labels: tuple[str, ...]
) -> _Check | None:
    if written is None:
        return None
    schema, rejects = Schema(written.schema_), written.on_mismatch == "reject"
    count = metrics.SCHEMA_MISMATCHES.labels(*labels, side, written.on_mismatch or "").inc

    def check(body: Body, x: Exchange) -> None:
        misfits = schema.misfits(body)
        if not misfits:
            return
        count()
        if rejects:
            raise _fault(side, mapping, misfits)
        namespace, route, step = labels
        logs.warning(
            "a message does not fit a schema",
            route=f"{namespace}/{route}",
            step=step,
            mapping=mapping,
            side=side,
            misfits=told(misfits),
            correlationId=x.trace.correlation_id,
        )

    return check


def _fault(side: Side, mapping: str, misfits: Misfits) -> Fault:
    if side == "input":
        return Rejected(
            "SchemaMismatch",
            f"the body does not fit input.schema of the Mapping '{mapping}' at {told(misfits)}",
            422,
            extra={"errors": misfits},
        )
    return Broken(
        "ResultMismatch",
        f"the result does not fit output.schema of the Mapping '{mapping}' at {told(misfits)}",
    )
