"""Autoscaling: between which counts a Route's pods are scaled, and what for."""

from typing import Annotated, Any, Final

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.rules import Rule, at_least_one_of

MOST_REPLICAS: Final = 2_147_483_647
"""More than that Kubernetes cannot count."""


def _in_order(written: dict[str, Any]) -> bool:
    least, most = written.get("minReplicas"), written.get("maxReplicas")
    return least is None or most is None or bool(least <= most)


_IN_ORDER = Rule(
    cel="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
    message="minReplicas may not be more than maxReplicas",
    holds=_in_order,
    fields=("minReplicas", "maxReplicas"),
)


class Autoscaling(Model):
    """Between which counts the pods are scaled, and what for.

    Of two targets the one that asks for more pods counts.
    """

    rules = (at_least_one_of("cpu", "requestsInFlight"), _IN_ORDER)

    min_replicas: Annotated[int, Field(ge=1, le=MOST_REPLICAS)] = Field(
        1, description="Pods that run at least; `paused` runs none."
    )
    max_replicas: Annotated[int, Field(ge=1, le=MOST_REPLICAS)] = Field(
        description="Pods that run at most; no more than can work at a time."
    )
    cpu: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="CPU that pods are to use on average, as a percentage of `resources.requests."
        "cpu` (100m where nothing is written). The cluster needs metrics-server.",
    )
    requests_in_flight: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None,
        description="Requests under way in each pod on average, for a source that is called. The "
        "cluster needs an adapter that serves `isthmus_route_in_flight_requests` of pods.",
    )
