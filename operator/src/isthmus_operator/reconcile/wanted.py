"""What the children of a Route are to be, given what there is of it in the cluster. Pure."""

from dataclasses import replace

from isthmus_api.plan import RoutePlan
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_operator import desired
from isthmus_operator.desired import Context, Manifest
from isthmus_operator.kube import kinds
from isthmus_operator.live import Child
from isthmus_operator.reconcile import family, scaling
from isthmus_operator.reconcile.world import World


def children(
    route: Resource[RouteSpec], plan: RoutePlan, *, uid: str, world: World
) -> tuple[Manifest, ...] | None:
    """The objects that run a Route; no autoscaler beside one of somebody else.

    None where nothing tells where its journal is: then the children stay as they are.
    """
    deployment = family.deployment(route.key, world)
    context = _with_journal(world.context, plan, deployment)
    if context is None:
        return None
    kept = scaling.kept(route.spec, deployment)
    made = desired.children(route, plan, uid=uid, context=context, kept=kept)
    rival = scaling.rival(route.spec, world.autoscalers.of(route.key))
    return tuple(each for each in made if not rival or each["kind"] != kinds.AUTOSCALERS.kind)


def _with_journal(context: Context, plan: RoutePlan, deployment: Child | None) -> Context | None:
    """What the children depend on; pods keep their journal when none is configured any more."""
    if context.journal or not plan.needs_journal:
        return context
    kept = deployment.journal if deployment else None
    return replace(context, journal=kept) if kept else None
