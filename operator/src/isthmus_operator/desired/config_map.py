"""The ConfigMap that carries the plan, named after the plan's hash and never changed.

Pods of the former plan keep theirs until they are gone, so a roll-out can go either way.
"""

from typing import Final

from isthmus_api.plan import RoutePlan
from isthmus_api.problems import Code, Problem
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_operator.desired.manifest import Manifest, Owner, child

KEY: Final = "plan.json"
MAX_PLAN_BYTES: Final = 1_000_000
"""Kubernetes takes 1 MiB of data in a ConfigMap."""


def name(route: str, plan_hash: str) -> str:
    """The name of the ConfigMap for one plan."""
    return f"{route}-{plan_hash}"


def manifest(owner: Owner, plan: RoutePlan) -> Manifest:
    """The ConfigMap."""
    body = {"immutable": True, "data": {KEY: plan.to_json().decode()}}
    return child(owner, "v1", "ConfigMap", body, name=name(owner.name, plan.hash))


def too_large(route: Resource[RouteSpec], plan: RoutePlan) -> Problem | None:
    """A problem when no ConfigMap can hold the plan."""
    size = len(plan.to_json())
    if size <= MAX_PLAN_BYTES:
        return None
    path = ("spec",)
    return Problem(
        Code.PLAN_TOO_LARGE,
        f"the plan of this Route has {size} bytes; a ConfigMap holds {MAX_PLAN_BYTES}",
        hint="put large tables of its Mappings into ConfigMaps (sharedTables), or call a "
        "Connector for what they hold",
        subject=str(route.key),
        path=path,
        location=route.origin.locate(path),
    )
