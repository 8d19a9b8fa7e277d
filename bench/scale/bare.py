"""The API server's own limit: the writes that the operator makes, sent by a bare client.

The bodies are made beforehand. Each Route is applied, then its children in the operator's order,
then one status; the uid that the API server gives is put into the bodies as text.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Final, cast

import orjson

from isthmus_api import manifests
from isthmus_api.plan import plan
from isthmus_api.resources import CONNECTOR, MAPPING, NOWHERE, ROUTE, Kind, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_operator import desired
from isthmus_operator.kube import Access
from scale import fleet

_UID: Final = "00000000-0000-0000-0000-000000000000"
_CONTEXT: Final = desired.Context(image="localhost/isthmus-runtime:dev")


@dataclasses.dataclass(frozen=True, slots=True)
class Writes:
    """One Route's, as path and body."""

    route: tuple[str, bytes]
    first: tuple[tuple[str, bytes], ...]
    """All children but the Deployment: side by side."""
    then: tuple[tuple[str, bytes], ...]
    """The Deployment and the status: one after the other."""

    def __len__(self) -> int:
        return 1 + len(self.first) + len(self.then)


def prepare(number: int, known: Resources) -> Writes:
    """The writes for one Route, made by the operator's own code."""
    found = fleet.route(number)
    route = cast(Resource[RouteSpec], _checked(found, ROUTE))
    planned = plan(route, known).plan
    if planned is None:
        raise RuntimeError("the fleet's Route does not plan")
    made = desired.children(route, planned, uid=_UID, context=_CONTEXT)
    bodies = [(fleet.path(each), orjson.dumps(each)) for each in made]
    status = orjson.dumps(_status(found))
    return Writes(
        route=(fleet.path(found), orjson.dumps(found)),
        first=tuple(bodies[:-1]),
        then=(bodies[-1], (fleet.path(found) + "/status", status)),
    )


def shared() -> Resources:
    """What the Routes name, as the planner wants it."""
    kinds = {kind.name: kind for kind in (CONNECTOR, MAPPING)}
    return Resources.of(_checked(each, kinds[each["kind"]]) for each in fleet.shared())


async def send(access: Access, writes: list[Writes]) -> float:
    """Send all writes; for how many seconds."""
    async with fleet.writer(access, manager="isthmus") as client:
        await client.apply_all(fleet.shared())
        began = time.perf_counter()
        await fleet.side_by_side(writes, lambda each: _one(client, each))
        return time.perf_counter() - began


async def _one(client: fleet.Writer, writes: Writes) -> None:
    where, body = writes.route
    answer = await client.apply(where, body)
    uid: bytes = orjson.loads(answer)["metadata"]["uid"].encode()

    async def apply(write: tuple[str, bytes]) -> None:
        await client.apply(write[0], write[1].replace(_UID.encode(), uid))

    await fleet.together(apply, writes.first)
    for write in writes.then:
        await apply(write)


def _checked(found: dict[str, Any], kind: Kind) -> Resource[Any]:
    checked = manifests.check(found, kind=kind, origin=NOWHERE)
    if isinstance(checked, Resource):
        return checked
    raise ValueError(f"the fleet's {kind.name} is not valid: {checked[0].message}")


def _status(found: dict[str, Any]) -> dict[str, Any]:
    """What the operator says of a Route whose pods have not come."""
    told = "0 of 1 pods run the present plan, 0 of them answer."
    said = (
        ("Ready", "Unknown", "RollingOut", told),
        ("Reconciling", "True", "RollingOut", told),
        ("ConfigValid", "True", "Valid", "The spec is valid."),
        ("ReferencesResolved", "True", "Resolved", "Everything it names is there."),
        ("WorkloadAvailable", "False", "Unavailable", "0 of 1 pods answer."),
    )
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for kind, status, reason, message in said
    ]
    name = found["metadata"]["name"]
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {"name": name, "namespace": fleet.NAMESPACE, "uid": _UID},
        "status": {
            "observedGeneration": 1,
            "conditions": conditions,
            "replicas": 0,
            "updatedReplicas": 0,
            "availableReplicas": 0,
            "selector": desired.selector(name),
            "lastAppliedGeneration": 1,
        },
    }
