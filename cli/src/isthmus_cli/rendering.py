"""Rendering: a Route of a folder as the objects that the operator makes of it. Pure.

The functions are the operator's own; what is added is what a folder does not know: the namespace of
objects that name none, and the Route's uid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from isthmus_api.model import Model
from isthmus_api.plan import plan
from isthmus_api.problems import Problem, errors
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_operator import desired
from isthmus_operator.desired import Context, Manifest


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of one Route, or what keeps it from having any."""

    manifests: tuple[Manifest, ...] = ()
    problems: tuple[Problem, ...] = ()


def render(
    route: Resource[RouteSpec], resources: Resources, *, context: Context, uid: str | None
) -> Rendered:
    """What the operator makes of a Route. Without a `uid` what depends on it is left out."""
    planned = plan(route, resources)
    problems = list(errors(planned.problems))
    if planned.plan:
        problems += desired.check(route, planned.plan, context)
    if planned.plan is None or problems:
        return Rendered(problems=tuple(problems))
    made = desired.children(route, planned.plan, uid=uid or "", context=context)
    return Rendered(made if uid else tuple(map(_without_uid, made)))


def placed(resources: Resources, namespace: str) -> Resources:
    """The same objects, with those that name no namespace in this one, as kubectl applies them."""
    return Resources.of(_at(each, namespace) for each in resources.by_key.values())


def choose(
    routes: Iterable[Resource[RouteSpec]], names: Sequence[str]
) -> tuple[list[Resource[RouteSpec]], list[str]]:
    """The Routes of these names (all when there are none), and the names that no Route has."""
    found = list(routes)
    if not names:
        return found, []
    known = {each.key.name for each in found}
    chosen = [each for each in found if each.key.name in names]
    return chosen, [name for name in names if name not in known]


def _at(resource: Resource[Model], namespace: str) -> Resource[Model]:
    if "namespace" in resource.metadata.model_fields_set:
        return resource
    return replace(
        resource,
        key=replace(resource.key, namespace=namespace),
        metadata=resource.metadata.model_copy(update={"namespace": namespace}),
    )


def _without_uid(manifest: Manifest) -> Manifest:
    """Without the owner's uid, and without the hash over a manifest that has it."""
    metadata = manifest["metadata"]
    (owner,) = metadata["ownerReferences"]
    annotations = {
        key: value
        for key, value in metadata["annotations"].items()
        if key != desired.DESIRED_ANNOTATION
    }
    kept = {key: value for key, value in owner.items() if key != "uid"}
    changed = {key: value for key, value in metadata.items() if key != "annotations"}
    changed |= {"annotations": annotations} if annotations else {}
    return manifest | {"metadata": changed | {"ownerReferences": [kept]}}
