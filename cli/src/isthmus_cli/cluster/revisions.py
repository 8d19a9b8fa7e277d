"""Revisions of a Route: the pod templates that its ReplicaSets keep. Pure."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_cli.cluster.standing import Object
from isthmus_operator.desired import PLAN_ANNOTATION

REVISION: Final = "deployment.kubernetes.io/revision"
CAUSE: Final = "kubernetes.io/change-cause"
RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
_CONTAINER: Final = "route"
_HASH: Final = "pod-template-hash"


@dataclass(frozen=True, slots=True)
class Revision:
    """One pod template, and what runs of it."""

    number: int
    plan: str
    image: str
    made: str
    """When there first were pods of it."""
    restarted: str
    """When `rollout restart` was asked for, where that made it; else empty."""
    cause: str
    changed: tuple[str, ...]
    """What is different from the revision before; empty for the oldest that is kept."""
    ready: int
    wanted: int
    is_current: bool

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "revision": self.number,
            "current": self.is_current,
            "plan": self.plan,
            "image": self.image,
            "made": self.made,
            "restartedAt": self.restarted or None,
            "changeCause": self.cause or None,
            "changed": list(self.changed),
            "pods": {"ready": self.ready, "wanted": self.wanted},
        }


def of(deployment: Object, replica_sets: Sequence[Object]) -> list[Revision]:
    """The revisions that are kept, the oldest first."""
    uid = deployment["metadata"]["uid"]
    own = sorted((each for each in replica_sets if controller(each) == uid), key=number)
    current = _current(deployment, own)
    before = [None, *own]
    return [_revision(each, last, current) for last, each in zip(before, own, strict=False)]


def number(found: Object) -> int:
    """The number by which `kubectl rollout history` knows a ReplicaSet or a Deployment."""
    return int(_annotations(found).get(REVISION, 0))


def plan(template: Object) -> str:
    """The hash of the plan that pods of a template run."""
    return str(_annotations(template).get(PLAN_ANNOTATION, "none"))


def controller(found: Object) -> str:
    """The uid of what an object belongs to; empty where it belongs to nothing."""
    owners = found["metadata"].get("ownerReferences") or ()
    return next((str(each["uid"]) for each in owners if each.get("controller")), "")


def _annotations(found: Object) -> dict[str, str]:
    return (found.get("metadata") or {}).get("annotations") or {}


def _current(deployment: Object, own: Sequence[Object]) -> int:
    """What the Deployment says; before its controller said it, the newest."""
    return number(deployment) or max(map(number, own), default=0)


def _revision(found: Object, before: Object | None, current: int) -> Revision:
    template, status = found["spec"]["template"], found.get("status") or {}
    return Revision(
        number=number(found),
        plan=plan(template),
        image=_image(template),
        made=found["metadata"]["creationTimestamp"],
        restarted=str(_annotations(template).get(RESTARTED, "")),
        cause=str(_annotations(found).get(CAUSE, "")),
        changed=tuple(_changed(before["spec"]["template"], template)) if before else (),
        ready=status.get("readyReplicas", 0),
        wanted=found["spec"].get("replicas", 0),
        is_current=number(found) == current,
    )


def _image(template: Object) -> str:
    each = template["spec"]["containers"]
    return next((str(one["image"]) for one in each if one["name"] == _CONTAINER), "none")


def _changed(before: Object, now: Object) -> Iterator[str]:
    if plan(before) != plan(now):
        yield "plan"
    if _image(before) != _image(now):
        yield "image"
    if _annotations(before).get(RESTARTED) != _annotations(now).get(RESTARTED):
        yield "restart"
    if _rest(before) != _rest(now):
        yield "pods"


def _rest(template: Object) -> Object:
    """What is left of a template without what has a word of its own."""
    rest = copy.deepcopy(template)
    for key in (PLAN_ANNOTATION, RESTARTED):
        _annotations(rest).pop(key, None)
    rest["metadata"].get("labels", {}).pop(_HASH, None)
    for container in (*rest["spec"]["containers"], *rest["spec"].get("initContainers", ())):
        container.pop("image", None)
    # The volume of the plan has the plan's hash in its name.
    volumes = rest["spec"].get("volumes", ())
    rest["spec"]["volumes"] = [each for each in volumes if each["name"] != "plan"]
    return rest
