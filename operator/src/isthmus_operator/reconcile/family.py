"""The family of a Route: its children are made, mended and cleared away here.

Every write is a server-side apply under one name, so it may be repeated. A child that is as desired
is not written. An object that somebody else made under one of our names is reported and left alone.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from isthmus_api.resources import Key
from isthmus_operator import desired
from isthmus_operator.declared import Declared
from isthmus_operator.desired import Manifest
from isthmus_operator.kube import Forbidden, NotFound, Refused, kinds
from isthmus_operator.live import Child
from isthmus_operator.reasons import Reason
from isthmus_operator.reconcile.outcome import Outcome, Stalled, Waiting
from isthmus_operator.reconcile.world import World

_LAST: Final = (kinds.DEPLOYMENTS.kind, kinds.AUTOSCALERS.kind)
"""Made after all else is there, one after the other: pods need the ConfigMap and the
ServiceAccount, and what is to be scaled is there before what scales it."""


def deployment(route: Key, world: World) -> Child | None:
    """The Route's own Deployment, where it is known to be there."""
    found = world.children.get(kinds.DEPLOYMENTS.kind, route.namespace, route.name)
    return found if found and found.owner == route.name else None


def lacks(manifests: Iterable[Manifest], world: World) -> bool:
    """Whether any of the children is not known to be there."""
    return any(
        world.children.get(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
        is None
        for each in manifests
    )


async def apply(route: Declared, manifests: Sequence[Manifest], world: World) -> Outcome | None:
    """Make all children what they should be; what stands in the way, if anything does."""
    first = [each for each in manifests if each["kind"] not in _LAST]
    refused = await _side_by_side(route, first, world)
    for kind in _LAST:
        then = [each for each in manifests if each["kind"] == kind]
        refused = refused or await _side_by_side(route, then, world)
    return refused


async def prune(route: Declared, manifests: Sequence[Manifest], world: World) -> None:
    """Delete the children that are no longer desired and that no pod needs."""
    kept = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    kept |= {(kinds.CONFIG_MAPS.kind, name) for name in _needed(route, world)}
    namespace = route.key.namespace
    for kind, name in world.children.of(route.key):
        child = world.children.get(kind, namespace, name)
        if (kind, name) not in kept and child is not None:
            await world.client.delete(kinds.CHILDREN[kind], namespace, name, uid=child.uid)
            world.children.drop(kind, namespace, name)


def _needed(route: Declared, world: World) -> Iterable[str]:
    """Plans that pods still run, or go back to while the next one has not come up."""
    key = route.key
    plans = {pod.plan for pod in world.children.pods(key)}
    runs = deployment(key, world)
    if not (runs and runs.progress and runs.progress.complete):
        plans.add(route.known_status().get("planHash", ""))
    return {desired.config_map_name(key.name, each) for each in plans if each}


async def _side_by_side(
    route: Declared, manifests: Iterable[Manifest], world: World
) -> Outcome | None:
    done = await asyncio.gather(
        *(_make(route.key, manifest, world) for manifest in manifests), return_exceptions=True
    )
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return next((each for each in done if isinstance(each, (Stalled, Waiting))), None)


async def _make(route: Key, manifest: Manifest, world: World) -> Outcome | None:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    child = world.children.get(kind, route.namespace, name) or await _look(route, manifest, world)
    if child and child.owner != route.name:
        return _taken(kind, name)
    if child and (child.fits(manifest) or world.children.settled(child, manifest)):
        return None
    try:
        found = await world.client.apply(kinds.CHILDREN[kind], manifest)
    except Refused as error:
        return Stalled(Reason.CHILD_REFUSED, f"the API server refuses the {kind} '{name}': {error}")
    except Forbidden as error:
        return Waiting(Reason.CHILD_FORBIDDEN, f"the {kind} '{name}' may not be made: {error}")
    now = world.children.put(found)
    if not now.fits(manifest):
        world.children.settle(now, manifest)
    return None


async def _look(route: Key, manifest: Manifest, world: World) -> Child | None:
    """What stands at a child's place without being known as ours."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    try:
        found = await world.client.get(kinds.CHILDREN[kind], route.namespace, name)
    except NotFound:
        return None
    return Child.of(found)


def _taken(kind: str, name: str) -> Stalled:
    return Stalled(
        Reason.NAME_CONFLICT,
        f"there is a {kind} '{name}' that this Route did not make; "
        "delete it, or give the Route another name",
    )
