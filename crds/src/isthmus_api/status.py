"""What the operator reports: conditions after kstatus, and what each kind adds to them."""

from typing import Annotated, Final, Literal

from pydantic import Field

from isthmus_api.model import Items, Model

MAX_ROUTES: Final = 20
"""Names of Routes in the status of what they use; `usedBy` counts all of them."""

UNSEEN: Final = -1
"""What `observedGeneration` is before the operator has seen an object. The API server says so: to
kstatus, by which Flux and Helm wait, an object that says nothing of itself is done."""


class Condition(Model):
    """One aspect of an object's state."""

    type: Annotated[str, Field(max_length=316)] = Field(description="Which aspect, e.g. Ready.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    observed_generation: Annotated[int, Field(ge=0)] = Field(
        description="The generation of the object that this was said of."
    )
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] = Field(
        description="When the status last changed."
    )
    reason: Annotated[
        str, Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=1024)
    ] = Field(description="Why, in one CamelCase word.")
    message: Annotated[str, Field(max_length=32768)] = Field(
        description="Why, in a sentence; where a person must act, it says what to do."
    )


Conditions = Annotated[
    Items[Condition],
    Field(
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        }
    ),
]


class Status(Model):
    """What all kinds report."""

    observed_generation: Annotated[int, Field(ge=UNSEEN)] | None = Field(
        None, description="The generation that the operator has acted on; -1 before the first."
    )
    conditions: Conditions = Field((), max_length=16, description="The state, aspect by aspect.")


class UsedStatus(Status):
    """What is known of an object that Routes use."""

    used_by: Annotated[int, Field(ge=0)] | None = Field(
        None, description="How many Routes use this object."
    )
    routes: Items[Annotated[str, Field(max_length=253, description="Name of a Route.")]] = Field(
        (), max_length=MAX_ROUTES, description="The first of these Routes, by name."
    )


class ConnectorStatus(UsedStatus):
    """What is known of a Connector."""


class MappingStatus(UsedStatus):
    """What is known of a Mapping."""


class ScaleStatus(Model):
    """What is known of who scales a Route, and how far that helps."""

    replicas: Annotated[int, Field(ge=0)] = Field(
        description="The count of pods that was seen last: that of `spec.replicas`, or the one "
        "that the autoscaler of `spec.autoscaling` came to. A pause does not change it."
    )
    by: Annotated[str, Field(max_length=300)] | None = Field(
        None,
        description="Who set it, as far as that can be known: `HorizontalPodAutoscaler/` and its "
        "name, or `client` for whoever else wrote it, such as kubectl, Git, or a scaler of its "
        "own. Left out until it is set to another count.",
    )
    autoscaler: Annotated[str, Field(max_length=253)] | None = Field(
        None,
        description="The HorizontalPodAutoscaler that scales this Route: its own, or one "
        "whose target it is.",
    )
    max_useful_replicas: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="With more pods than this the Route does no more work; left out where there is "
        "no such bound.",
    )


class RouteStatus(Status):
    """What is known of a Route."""

    replicas: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Pods that exist for this Route."
    )
    updated_replicas: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Pods that run the plan of `planHash`."
    )
    available_replicas: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Pods that answer."
    )
    selector: Annotated[str, Field(max_length=1024)] | None = Field(
        None, description="Label selector of the pods, as autoscalers want it."
    )
    scale: ScaleStatus | None = Field(None, description="Who scales it, and how far that helps.")
    plan_hash: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Hash of the plan that was applied last."
    )
    last_applied_generation: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="The generation whose plan the pods have; behind `observedGeneration` while a "
        "newer one cannot be used.",
    )
