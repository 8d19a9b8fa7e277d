"""Route: one flow, from a source through steps to an answer or to a delivery."""

from typing import Annotated, Any, Final

from pydantic import Field

from isthmus_api.autoscaling import MOST_REPLICAS, Autoscaling
from isthmus_api.delivery import Delivery
from isthmus_api.exposure import Expose
from isthmus_api.message import Message
from isthmus_api.model import Items, Model, Variable
from isthmus_api.privacy import Privacy
from isthmus_api.retention import Retention
from isthmus_api.route_case import RouteTest
from isthmus_api.rules import Rule
from isthmus_api.source import Source
from isthmus_api.step import BranchName, Step
from isthmus_api.workload import PodResources, PodTemplate

REPLICAS: Final = 1
"""Pods of a Route that does not say how many; the API server writes it in then."""


def _has_requests(written: dict[str, Any]) -> bool:
    autoscaling, source = written.get("autoscaling"), written["source"]
    counted = autoscaling is not None and autoscaling.requests_in_flight is not None
    return not counted or source.http is not None or source.webhook is not None


_ONE_COUNT = Rule(
    cel=f"!has(self.autoscaling) || !has(self.replicas) || self.replicas == {REPLICAS}",
    message="autoscaling sets the count: leave replicas out",
    holds=lambda written: (
        "autoscaling" not in written or written.get("replicas", REPLICAS) == REPLICAS
    ),
    fields=("autoscaling", "replicas"),
)
_IS_CALLED = Rule(
    cel="!has(self.autoscaling) || !has(self.autoscaling.requestsInFlight) || "
    "has(self.source.http) || has(self.source.webhook)",
    message="autoscaling.requestsInFlight belongs to source.http or source.webhook only",
    holds=_has_requests,
    fields=("autoscaling", "source"),
)


class RouteSpec(Model):
    """What a Route declares."""

    rules = (_ONE_COUNT, _IS_CALLED)

    source: Source = Field(description="Where messages come from.")
    message: Message | None = Field(
        None, description="What tells one message from another; not for an http source."
    )
    env: dict[Variable, Annotated[str, Field(max_length=4096, description="A value.")]] = Field(
        {},
        max_length=64,
        description="Values that differ from stage to stage, read as `$env.name`. Never secrets.",
    )
    steps: Items[Step] = Field(min_length=1, max_length=64, description="The steps, in order.")
    branches: dict[
        BranchName,
        Annotated[
            Items[Step],
            Field(min_length=1, max_length=64, description="The steps of the branch, in order."),
        ],
    ] = Field({}, max_length=32, description="Lists of steps that choice, split and scatter name.")
    delivery: Delivery | None = Field(
        None,
        description="How messages of the journal go through the steps; not for an http source.",
    )
    retention: Retention | None = Field(
        None,
        description="How long messages that are done with are kept; not for an http source.",
    )
    privacy: Privacy | None = Field(
        None, description="What nobody gets to see who looks at messages."
    )
    replicas: Annotated[int, Field(ge=0, le=MOST_REPLICAS)] = Field(
        REPLICAS, description="Pods that run the Route. `kubectl scale` and autoscalers set it."
    )
    autoscaling: Autoscaling | None = Field(
        None,
        description="Have the operator scale the pods with an autoscaler that it makes; `replicas` "
        "is not read then.",
    )
    paused: bool = Field(
        False,
        description="Run no pods, whatever `replicas` says; `replicas` is kept for later.",
    )
    resources: PodResources | None = Field(None, description="CPU and memory of each pod.")
    pod_template: PodTemplate | None = Field(
        None, description="What pods have beside what the operator gives them."
    )
    expose: Expose | None = Field(
        None, description="Let callers outside the cluster in; left out, only the Service is there."
    )
    tests: Items[RouteTest] = Field(
        (), max_length=100, description="Cases that `isthmus test` runs."
    )
