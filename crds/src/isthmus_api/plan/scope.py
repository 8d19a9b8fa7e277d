"""Scope: the variables that expressions may read, place by place, and the fields some of them have.

What a step binds with `into` is not told here: it depends on the steps before.
"""

from typing import Final

from isthmus_api.route import RouteSpec
from isthmus_api.source import Source

EVERYWHERE: Final = frozenset({"route", "env"})

PARALLEL: Final = frozenset({"index"})
"""Variables of a branch that a split runs."""

FAILED: Final = frozenset({"failure"})
"""Variables of an `onError`."""

_REQUEST: Final = frozenset({"method", "path", "params", "query", "headers"})
"""The fields of `$request` that every request has."""

ANYWHERE: Final = EVERYWHERE | {"request", "message", "messages"}
"""What a Mapping may count on where a Route uses it, each in some kind of Route."""


def of_acceptance(source: Source) -> frozenset[str]:
    """Where a source makes messages of what it got."""
    return EVERYWHERE | ({"request"} if source.endpoint else set())


def of_steps(spec: RouteSpec) -> frozenset[str]:
    """In steps, before any of them binds something."""
    if is_batched(spec):
        return EVERYWHERE | {"messages"}
    return of_acceptance(spec.source) | {"message"}


def of_fields(spec: RouteSpec) -> dict[str, frozenset[str]]:
    """The fields that `$message`, each of `$messages`, and `$request` have in a Route."""
    known = {"id"}
    if spec.source.is_asynchronous:
        known |= {"identity", "attempt", "acceptedAt"}
    if spec.message:
        known |= spec.message.written().keys()
    fields = dict.fromkeys(("message", "messages"), frozenset(known))
    return fields | {"request": _REQUEST | ({"caller"} if spec.source.caller_fields else set())}


def is_batched(spec: RouteSpec) -> bool:
    """Whether steps get a list of messages."""
    return spec.delivery is not None and spec.delivery.batch is not None


def hidden_by(spec: RouteSpec) -> frozenset[str]:
    """What `into` would hide."""
    return of_steps(spec) | {"request", "message"} | PARALLEL | FAILED
