"""The HorizontalPodAutoscaler: scales the Deployment, so that nothing of the Route is written."""

from typing import Final

from isthmus_api.autoscaling import Autoscaling
from isthmus_api.plan import RoutePlan
from isthmus_operator.desired.manifest import Manifest, Owner, child

IN_FLIGHT_METRIC: Final = "isthmus_route_in_flight_requests"
"""As the runtime's `/metrics` has it; an adapter serves it as a metric of pods."""


def manifest(owner: Owner, autoscaling: Autoscaling, plan: RoutePlan) -> Manifest:
    """The HorizontalPodAutoscaler."""
    least, most = bounds(autoscaling, plan)
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": owner.name},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": _metrics(autoscaling),
    }
    return child(owner, "autoscaling/v2", "HorizontalPodAutoscaler", {"spec": spec})


def bounds(autoscaling: Autoscaling, plan: RoutePlan) -> tuple[int, int]:
    """The least and the most pods, no more than can work at a time."""
    useful = most_useful(plan)
    most = autoscaling.max_replicas if useful is None else min(useful, autoscaling.max_replicas)
    return min(autoscaling.min_replicas, most), most


def most_useful(plan: RoutePlan) -> int | None:
    """How many pods can work at once; None when there is no bound.

    A schedule has one message under way at a time, whatever its `overlap`.
    """
    return 1 if plan.source.schedule else None


def _metrics(autoscaling: Autoscaling) -> list[Manifest]:
    metrics: list[Manifest] = []
    if autoscaling.cpu is not None:
        target = {"type": "Utilization", "averageUtilization": autoscaling.cpu}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if autoscaling.requests_in_flight is not None:
        target = {"type": "AverageValue", "averageValue": str(autoscaling.requests_in_flight)}
        metric = {"metric": {"name": IN_FLIGHT_METRIC}, "target": target}
        metrics.append({"type": "Pods", "pods": metric})
    return metrics
