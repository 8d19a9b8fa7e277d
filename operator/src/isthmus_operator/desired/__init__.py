"""The desired state: from a Route and its plan to the objects that run it.

Pure: no clock, no client, no randomness. The reconciler applies what `children` gives, and
`isthmus render` prints it. Nothing of a Route's own labels and annotations is handed down, because
deployment tools would take the children for their own and prune them.

    if not (wrong := desired.check(route, plan, context)):
        for manifest in desired.children(route, plan, uid=uid, context=context):
            ...

One module each: `service_account`, `config_map`, `service`, `network_policy`, `budget`,
`deployment` (with `pod` and `amounts` in it), `autoscaler` and `exposure`; `credentials` knows what
Secrets the pods need, `journal` where they keep messages, `manifest` what all children have in
common.
"""

from isthmus_api.plan import RoutePlan
from isthmus_api.problems import Problem
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_operator.desired import (
    autoscaler,
    budget,
    config_map,
    deployment,
    exposure,
    journal,
    network_policy,
    service,
    service_account,
)
from isthmus_operator.desired.autoscaler import bounds, most_useful
from isthmus_operator.desired.config_map import KEY as PLAN_FILE
from isthmus_operator.desired.config_map import MAX_PLAN_BYTES
from isthmus_operator.desired.config_map import name as config_map_name
from isthmus_operator.desired.context import Context, Gateway, Journal
from isthmus_operator.desired.contracts import named as documents
from isthmus_operator.desired.credentials import SecretKey, secrets
from isthmus_operator.desired.manifest import (
    AUTOSCALED,
    CHILDREN_SELECTOR,
    DESIRED_ANNOTATION,
    JOURNAL_ANNOTATION,
    PLAN_ANNOTATION,
    REPLICAS_ANNOTATION,
    ROUTE_LABEL,
    Manifest,
    Owner,
    selector,
)
from isthmus_operator.desired.pod import ADMIN

__all__ = [
    "ADMIN",
    "AUTOSCALED",
    "CHILDREN_SELECTOR",
    "DESIRED_ANNOTATION",
    "JOURNAL_ANNOTATION",
    "MAX_PLAN_BYTES",
    "PLAN_ANNOTATION",
    "PLAN_FILE",
    "REPLICAS_ANNOTATION",
    "ROUTE_LABEL",
    "Context",
    "Gateway",
    "Journal",
    "Manifest",
    "SecretKey",
    "bounds",
    "check",
    "children",
    "config_map_name",
    "documents",
    "most_useful",
    "secrets",
    "selector",
]


def children(
    route: Resource[RouteSpec],
    plan: RoutePlan,
    *,
    uid: str,
    context: Context,
    kept: int | None = None,
) -> tuple[Manifest, ...]:
    """The objects that run a Route, in the order in which to apply them.

    The pods come after everything they need, and callers are let in last. A Route that nobody calls
    has no Service. `uid` is the Route's own, for the owner references; `kept` is the count that an
    autoscaler left when it went, or when the Route was paused.
    """
    owner = Owner(route.key.namespace, route.key.name, uid)
    spec = route.spec
    exposed = exposure.manifest(owner, spec.expose, plan, context)
    return (
        service_account.manifest(owner),
        config_map.manifest(owner, plan),
        *((service.manifest(owner),) if plan.source.endpoint else ()),
        network_policy.manifest(owner, plan, context),
        budget.manifest(owner),
        deployment.manifest(owner, spec, plan, context, kept=kept),
        *((autoscaler.manifest(owner, spec.autoscaling, plan),) if spec.autoscaling else ()),
        *((exposed,) if exposed else ()),
    )


def check(route: Resource[RouteSpec], plan: RoutePlan, context: Context) -> tuple[Problem, ...]:
    """What keeps a sound plan from becoming objects of this cluster."""
    found = (
        config_map.too_large(route, plan),
        exposure.not_served(route, context),
        journal.not_configured(route, plan, context),
    )
    return tuple(problem for problem in found if problem)
