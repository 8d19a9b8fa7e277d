"""Scaling: who set a Route's count, and how many pods are of use. Pure.

The operator never writes `spec.replicas`, and a write through `/scale` leaves no trace of who made
it. What can be known is compared: the count that was seen last, the one of now, and the one that
the autoscaler of the Route came to.
"""

from collections.abc import Mapping
from typing import Any, Final

from isthmus_api.plan import RoutePlan
from isthmus_operator.autoscalers import Autoscaler
from isthmus_operator.kube import kinds

CLIENT: Final = "client"
"""Whoever set a count and is no autoscaler that we know of."""


def scale(
    replicas: int,
    *,
    before: Mapping[str, Any],
    autoscaler: Autoscaler | None,
    plan: RoutePlan | None,
) -> dict[str, Any]:
    """`status.scale`, from what it was; values that are not known are left out.

    An autoscaler tells the count that it came to after it has set it, so a count counts as its own
    as soon as the two are the same.
    """
    by = before.get("by")
    if before and before["replicas"] != replicas:
        by = CLIENT
    if by and autoscaler and autoscaler.wants == replicas:
        by = f"{kinds.AUTOSCALERS.kind}/{autoscaler.name}"
    found = {
        "replicas": replicas,
        "by": by,
        "autoscaler": autoscaler.name if autoscaler else None,
        "maxUsefulReplicas": most_useful(plan) if plan else before.get("maxUsefulReplicas"),
    }
    return {name: value for name, value in found.items() if value is not None}


def told(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What to tell of another count; None when it is the same, or the first that was seen."""
    if not before or before["replicas"] == now["replicas"]:
        return None
    name = now.get("autoscaler")
    target = f"; {kinds.AUTOSCALERS.kind} '{name}' scales this Route" if name else ""
    return f"From {before['replicas']} to {now['replicas']} replicas{target}."


def most_useful(plan: RoutePlan) -> int | None:
    """How many pods can work at once; None when there is no bound.

    A schedule has one message under way at a time, whatever its `overlap`.
    """
    return 1 if plan.source.schedule else None
