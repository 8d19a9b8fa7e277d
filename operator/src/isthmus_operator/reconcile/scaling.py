"""Scaling: who sets a Route's count, and how many pods are of use. Pure.

The operator never writes `spec.replicas`, and a write through `/scale` leaves no trace of who made
it. What can be known is compared: the count that was seen last, the one of now, and the one that
the autoscaler of the Route came to. With `spec.autoscaling` the count is the Deployment's.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from isthmus_api.plan import RoutePlan
from isthmus_api.route import REPLICAS, RouteSpec
from isthmus_operator import desired
from isthmus_operator.autoscalers import Autoscaler
from isthmus_operator.conditions import Finding, Type
from isthmus_operator.kube import kinds
from isthmus_operator.live import Child
from isthmus_operator.reasons import Reason

CLIENT: Final = "client"
"""Whoever set a count and is no autoscaler that we know of."""


def kept(spec: RouteSpec, deployment: Child | None) -> int | None:
    """The count that the autoscaler of the Route left; None where it has not gone, or none was.

    It stays while the Route is paused, and after `spec.autoscaling` went until `spec.replicas` is
    another count than that of a Route that says nothing.
    """
    if deployment is None or deployment.progress is None:
        return None
    if not (spec.paused if spec.autoscaling else spec.replicas == REPLICAS):
        return None
    return deployment.progress.wanted if deployment.autoscaled else deployment.kept


def count(spec: RouteSpec, deployment: Child | None) -> int:
    """How many pods are to run while the Route is not paused."""
    if deployment and deployment.autoscaled and deployment.progress:
        return deployment.progress.wanted
    if deployment and deployment.kept is not None:
        return deployment.kept
    return spec.autoscaling.min_replicas if spec.autoscaling else spec.replicas


def rival(spec: RouteSpec, autoscalers: Iterable[Autoscaler]) -> Autoscaler | None:
    """An autoscaler of somebody else that has the same pods as that of `spec.autoscaling`.

    Kubernetes lets neither of the two scale then, so the Route's own is not made.
    """
    return next((each for each in autoscalers if spec.autoscaling and not each.ours), None)


def scaler(spec: RouteSpec, autoscalers: Iterable[Autoscaler]) -> Autoscaler | None:
    """The autoscaler that sets the Route's count: its own, or one that has the Route as target."""
    wanted = (each for each in autoscalers if (each.ours if spec.autoscaling else each.of_route))
    return next(wanted, None)


def scale(
    replicas: int,
    *,
    before: Mapping[str, Any],
    autoscaler: Autoscaler | None,
    plan: RoutePlan | None,
) -> dict[str, Any]:
    """`status.scale`, from what it was; values that are not known are left out.

    An autoscaler tells the count that it came to after it has set it, so a count counts as its own
    as soon as the two are the same. One that the operator made is the only one to set a count.
    """
    by = before.get("by")
    if before and before["replicas"] != replicas:
        by = CLIENT
    if autoscaler and (autoscaler.ours or (by and autoscaler.wants == replicas)):
        by = f"{kinds.AUTOSCALERS.kind}/{autoscaler.name}"
    found = {
        "replicas": replicas,
        "by": by,
        "autoscaler": autoscaler.name if autoscaler else None,
        "maxUsefulReplicas": desired.most_useful(plan) if plan else before.get("maxUsefulReplicas"),
    }
    return {name: value for name, value in found.items() if value is not None}


def told(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What to tell of another count; None when it is the same, or the first that was seen."""
    if not before or before["replicas"] == now["replicas"]:
        return None
    name = now.get("autoscaler")
    target = f"; {kinds.AUTOSCALERS.kind} '{name}' scales this Route" if name else ""
    return f"From {before['replicas']} to {now['replicas']} replicas{target}."


def active(
    spec: RouteSpec, plan: RoutePlan | None, autoscalers: Iterable[Autoscaler]
) -> Iterator[Finding]:
    """Whether the autoscaler of the Route scales it; nothing where none is to."""
    if spec.autoscaling is None or spec.paused or plan is None:
        return
    autoscalers = tuple(autoscalers)
    other, own = rival(spec, autoscalers), scaler(spec, autoscalers)
    if other:
        yield Finding(Type.SCALING_ACTIVE, False, Reason.AUTOSCALER_CONFLICT, _beside(other))
    elif own is None:
        message = "The HorizontalPodAutoscaler is not there yet."
        yield Finding(Type.SCALING_ACTIVE, None, Reason.AUTOSCALER_AWAITED, message)
    elif own.trouble:
        message = (
            f"{kinds.AUTOSCALERS.kind} '{own.name}' cannot scale: {own.trouble}; "
            f"see `kubectl describe hpa {own.name}`"
        )
        yield Finding(Type.SCALING_ACTIVE, False, Reason.AUTOSCALER_IDLE, message)
    else:
        message = f"{kinds.AUTOSCALERS.kind} '{own.name}' scales {_between(spec, plan)}"
        yield Finding(Type.SCALING_ACTIVE, True, Reason.AUTOSCALED, message)


def _beside(other: Autoscaler) -> str:
    target = "Route" if other.of_route else "Deployment"
    return (
        f"{kinds.AUTOSCALERS.kind} '{other.name}' has this {target} as its target, too, so none is "
        "made for spec.autoscaling; delete it, or remove spec.autoscaling"
    )


def _between(spec: RouteSpec, plan: RoutePlan) -> str:
    assert spec.autoscaling is not None  # noqa: S101 - for the type checker
    least, most = desired.bounds(spec.autoscaling, plan)
    told = f"between {least} and {most} pods."
    if most == spec.autoscaling.max_replicas:
        return told
    return f"{told} No more than {most} can work at a time: messages of a schedule come singly."
