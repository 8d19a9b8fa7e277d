"""The hand-over of a Deployment's count to an autoscaler, and the bounds that it is held to.

Whoever is the last to name a field takes it away by naming it no more, and a Deployment without a
count gets 1. So another manager names the count first, and after that the Deployment is applied
without it: no pod goes. An autoscaler leaves a Deployment of 0 pods alone, so it is also what
brings the pods of a Route back that was paused.
Source: Kubernetes documentation, "Server-Side Apply", transferring ownership.
"""

from isthmus_api.plan import RoutePlan
from isthmus_api.resources import Key, Resource
from isthmus_api.route import RouteSpec
from isthmus_operator import desired
from isthmus_operator.desired import Manifest
from isthmus_operator.kube import kinds
from isthmus_operator.kube.client import COUNTER
from isthmus_operator.live import Child
from isthmus_operator.reconcile import family, scaling
from isthmus_operator.reconcile.world import World

Bounds = tuple[int, int] | None
"""The least and the most pods; None where somebody else's autoscaler has a say, too."""


async def settle(route: Resource[RouteSpec], plan: RoutePlan, world: World) -> None:
    """Have the Deployment's count be nobody's but the autoscaler's, and within its bounds.

    To be called before the Deployment is applied without a count, and after that for one that was
    just made. Does nothing where all is so, without autoscaling, and while the Route is paused.
    `Conflict` when the Deployment changed meanwhile: the autoscaler may have set another count.
    """
    deployment = family.deployment(route.key, world)
    if deployment is None or route.spec.autoscaling is None or route.spec.paused:
        return
    rival = scaling.rival(route.spec, world.autoscalers.of(route.key))
    bounds = None if rival else desired.bounds(route.spec.autoscaling, plan)
    count = handed_over(deployment, bounds)
    if count is not None:
        written = _count(route.key, deployment, count)
        world.children.put(await world.client.apply(kinds.DEPLOYMENTS, written, manager=COUNTER))


def handed_over(deployment: Child, bounds: Bounds) -> int | None:
    """The count to write; None where there is nothing to write."""
    live = deployment.progress.wanted if deployment.progress else 0
    before = live if deployment.kept is None else deployment.kept
    least, most = bounds or (before, before)
    count = min(max(before, least), most)
    return None if deployment.autoscaled and count == live else count


def _count(route: Key, deployment: Child, count: int) -> Manifest:
    return {
        "apiVersion": kinds.DEPLOYMENTS.api_version,
        "kind": kinds.DEPLOYMENTS.kind,
        "metadata": {
            "name": route.name,
            "namespace": route.namespace,
            "uid": deployment.uid,
            "resourceVersion": str(deployment.version),
        },
        "spec": {"replicas": count},
    }
