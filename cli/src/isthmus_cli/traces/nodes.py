"""Nodes: what is behind a Route, each with how it stands and a few words. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus_cli.cluster import revisions, standing
from isthmus_cli.cluster.standing import Object, State
from isthmus_operator import live
from isthmus_operator.conditions import Type


@dataclass(frozen=True, slots=True)
class Node:
    """One object of the tree."""

    kind: str
    name: str
    state: State
    told: str
    role: str = ""
    """What it is to the Route above, where its kind does not say it."""
    conditions: tuple[Object, ...] = ()
    nodes: tuple["Node", ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "role": self.role,
            "state": self.state,
            "message": self.told,
            "conditions": list(self.conditions),
            "nodes": [each.plain() for each in self.nodes],
        }


@dataclass(frozen=True, slots=True)
class Family:
    """Everything that was found of a Route."""

    route: Object
    named: Sequence[Node] = ()
    """Connectors, Mappings and Routes that it names, and Routes that it feeds."""
    deployment: Object | None = None
    autoscaler: Object | None = None
    replica_sets: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    events: Sequence[Object] = field(default=())


def tree(family: Family) -> Node:
    """The tree of a Route."""
    route = family.route
    scaled_by = (autoscaler(family.autoscaler),) if family.autoscaler else ()
    nodes = (*family.named, *scaled_by, _deployment(family))
    return _declared(route, nodes=nodes)


def declared(
    kind: str,
    name: str,
    found: Object | None,
    *,
    role: str = "",
    nodes: tuple[Node, ...] = (),
) -> Node:
    """A Connector, Mapping or Route that is named, whether it is there or not."""
    if found is None:
        return Node(kind, name, State.WRONG, "is not there", role)
    return _declared(found, role=role, nodes=nodes)


def autoscaler(found: Object) -> Node:
    """What scales a Route: between which counts, what it came to, and why it cannot, if so."""
    spec, status = found["spec"], found.get("status") or {}
    told = f"between {spec.get('minReplicas', 1)} and {spec['maxReplicas']} pods"
    if "desiredReplicas" in status:
        told += f", wants {status['desiredReplicas']}"
    conditions = tuple(status.get("conditions") or ())
    wrong = [each for each in conditions if _keeps_from_scaling(each)]
    told += "".join(f"; {each.get('reason', '')}: {each.get('message', '')}" for each in wrong)
    able = {each["type"] for each in conditions if each["status"] == "True"}
    state = State.WRONG if wrong else State.OK if "ScalingActive" in able else State.PENDING
    return Node(found["kind"], found["metadata"]["name"], state, told, conditions=conditions)


def troubles(pods: Sequence[Object]) -> Iterator[str]:
    """What keeps pods from running, as the kubelet and the scheduler say it."""
    for pod in pods:
        if trouble := _trouble(pod):
            yield f"pod {pod['metadata']['name']}: {trouble}"


def _declared(found: Object, *, role: str = "", nodes: tuple[Node, ...] = ()) -> Node:
    stands = standing.of(found)
    conditions = tuple((found.get("status") or {}).get("conditions") or ())
    told = f"{stands.reason}: {stands.message}"
    drift = standing.condition(found, Type.SCHEMA_DRIFT)
    if drift and drift["status"] == "True":  # says nothing of how the object stands
        told += f"; {drift['reason']}: {drift['message']}"
    metadata = found["metadata"]
    return Node(found["kind"], metadata["name"], stands.state, told, role, conditions, nodes)


def _keeps_from_scaling(condition: Object) -> bool:
    """At 0 pods, as of a paused Route, scaling is off and nothing is wrong."""
    kind, status, reason = condition["type"], condition["status"], condition.get("reason")
    concerns = kind in ("AbleToScale", "ScalingActive")
    return concerns and status == "False" and reason != "ScalingDisabled"


def _deployment(family: Family) -> Node:
    name, found = family.route["metadata"]["name"], family.deployment
    if found is None:
        return Node("Deployment", name, State.PENDING, "is not there")
    progress = live.Child.of(found).progress or live.NO_PROGRESS
    told = f"{progress.available} of {progress.wanted} pods answer"
    wrong = progress.stuck or progress.refused
    state = State.WRONG if wrong else State.OK if progress.complete else State.PENDING
    sets = sorted(family.replica_sets, key=revisions.number, reverse=True)
    nodes = (_replica_set(each, family.pods, is_present=each is sets[0]) for each in sets)
    plan = f", plan {revisions.plan(found['spec']['template'])}"
    told = f"{told}{plan}" + (f"; {wrong}" if wrong else "")
    return Node("Deployment", name, state, told, nodes=tuple(each for each in nodes if each))


def _replica_set(found: Object, pods: Sequence[Object], *, is_present: bool) -> Node | None:
    """A ReplicaSet that has pods, or should have."""
    uid, wanted = found["metadata"]["uid"], found["spec"].get("replicas", 0)
    own = [pod for pod in pods if revisions.controller(pod) == uid]
    if not (own or wanted or is_present):
        return None
    ready = (found.get("status") or {}).get("readyReplicas", 0)
    told = f"revision {revisions.number(found)}, plan {revisions.plan(found['spec']['template'])}, "
    told += f"{ready} of {wanted} ready"
    state = State.OK if ready == wanted else State.PENDING
    nodes = tuple(map(_pod, own))
    return Node("ReplicaSet", found["metadata"]["name"], state, told, nodes=nodes)


def _pod(found: Object) -> Node:
    ready = standing.condition(found, "Ready")
    is_ready = ready is not None and ready["status"] == "True"
    trouble = _trouble(found)
    phase = (found.get("status") or {}).get("phase", "Pending")
    if "deletionTimestamp" in found["metadata"]:
        phase = "Terminating"
    state = State.WRONG if trouble else State.OK if is_ready else State.PENDING
    told = trouble or (f"{phase}, ready" if is_ready else f"{phase}, not ready")
    return Node("Pod", found["metadata"]["name"], state, told)


def _trouble(pod: Object) -> str:
    scheduled = standing.condition(pod, "PodScheduled")
    if scheduled and scheduled["status"] == "False":
        return f"{scheduled.get('reason', '')}: {scheduled.get('message', '')}"
    return live.Pod.of(pod).trouble
