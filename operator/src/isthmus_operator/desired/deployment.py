"""The Deployment: as many pods as the Route says, replaced without a gap."""

from typing import Final

from isthmus_api.plan import RoutePlan
from isthmus_api.route import RouteSpec
from isthmus_operator.desired import journal, pod
from isthmus_operator.desired.context import Context
from isthmus_operator.desired.manifest import JOURNAL_ANNOTATION, Manifest, Owner, child

PROGRESS_SECONDS: Final = 600
"""After so long without progress the Deployment says that it is stuck."""
REVISIONS: Final = 3


def manifest(owner: Owner, spec: RouteSpec, plan: RoutePlan, context: Context) -> Manifest:
    """The Deployment."""
    body = {
        "replicas": 0 if spec.paused else spec.replicas,
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
    annotations = {JOURNAL_ANNOTATION: str(used)} if used else {}
    return child(owner, "apps/v1", "Deployment", {"spec": body}, annotations=annotations)
