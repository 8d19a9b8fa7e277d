"""The Deployment: as many pods as the Route or its autoscaler says, replaced without a gap."""

from typing import Final

from isthmus_api.plan import RoutePlan
from isthmus_api.route import RouteSpec
from isthmus_operator.desired import journal, pod
from isthmus_operator.desired.context import Context
from isthmus_operator.desired.manifest import (
    AUTOSCALED,
    JOURNAL_ANNOTATION,
    REPLICAS_ANNOTATION,
    Manifest,
    Owner,
    child,
)

PROGRESS_SECONDS: Final = 600
"""After so long without progress the Deployment says that it is stuck."""
REVISIONS: Final = 3


def manifest(
    owner: Owner, spec: RouteSpec, plan: RoutePlan, context: Context, *, kept: int | None
) -> Manifest:
    """The Deployment; `kept` is the count that an autoscaler left."""
    autoscaled = spec.autoscaling is not None and not spec.paused
    body = {
        **({} if autoscaled else {"replicas": _count(spec, kept)}),
        "revisionHistoryLimit": REVISIONS,
        "progressDeadlineSeconds": PROGRESS_SECONDS,
        "selector": {"matchLabels": owner.match},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
        },
        "template": pod.template(owner, spec, plan, context),
    }
    used = journal.of(plan, context)
    marks = {
        JOURNAL_ANNOTATION: used,
        REPLICAS_ANNOTATION: AUTOSCALED if autoscaled else kept,
    }
    annotations = {key: str(mark) for key, mark in marks.items() if mark is not None}
    return child(owner, "apps/v1", "Deployment", {"spec": body}, annotations=annotations)


def _count(spec: RouteSpec, kept: int | None) -> int:
    if spec.paused:
        return 0
    return spec.replicas if kept is None else kept
