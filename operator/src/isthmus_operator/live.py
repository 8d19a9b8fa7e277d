"""What runs: the children of Routes and their pods, as the cluster has them.

A child is remembered as the text that a comparison with the desired state needs. What changes all
the time without meaning anything to us (resourceVersion, managedFields) is not part of it, so it
wakes nobody. Of a pod only what is wrong with it is remembered.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from isthmus_api.model import GROUP
from isthmus_api.resources import ROUTE
from isthmus_operator import drift
from isthmus_operator.desired import (
    ADMIN,
    AUTOSCALED,
    JOURNAL_ANNOTATION,
    PLAN_ANNOTATION,
    REPLICAS_ANNOTATION,
    ROUTE_LABEL,
    Journal,
)
from isthmus_operator.kept import packed

_OWNER: Final = (GROUP, ROUTE.name)
_NOT_KEPT: Final = frozenset({"status", "data"})
"""Our ConfigMaps are immutable and named after what they hold, so their data needs no look."""
_PASSING: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink"}
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a Deployment has come."""

    seen: bool
    """Whether its controller has acted on its present spec."""
    wanted: int
    replicas: int
    updated: int
    available: int
    stuck: str
    """Why its controller gave up, in its own words; empty while it has not."""
    refused: str
    """Why a pod could not be made, e.g. for a quota; empty while they can."""

    @property
    def complete(self) -> bool:
        """All pods run the present template and answer."""
        return self.seen and self.replicas == self.updated == self.available == self.wanted


NO_PROGRESS: Final = Progress(
    seen=False, wanted=0, replicas=0, updated=0, available=0, stuck="", refused=""
)
"""Of a Deployment that is not there."""


@dataclass(frozen=True, slots=True)
class Child:
    """One object that we made, or that stands where we would make one."""

    uid: str
    owner: str
    """The Route's name; empty when no Route made it."""
    body: bytes = field(repr=False)
    plan: str
    """The hash of the plan that a Deployment's pods run."""
    journal: Journal | None
    """The journal that a Deployment's pods were given."""
    progress: Progress | None
    autoscaled: bool
    """Whether the count of a Deployment is an autoscaler's."""
    kept: int | None
    """The count of a Deployment that an autoscaler left; None where none did."""
    version: int = field(compare=False)

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Child":
        """From an object as the API server gives it."""
        metadata = found["metadata"]
        body = {name: value for name, value in found.items() if name not in _NOT_KEPT}
        body["metadata"] = {k: v for k, v in metadata.items() if k not in _PASSING}
        counted = str((metadata.get("annotations") or {}).get(REPLICAS_ANNOTATION, ""))
        return cls(
            uid=metadata["uid"],
            owner=owner(metadata),
            body=packed(body),
            plan=_plan(found),
            journal=_journal(metadata),
            progress=_progress(found) if found.get("kind") == "Deployment" else None,
            autoscaled=counted == AUTOSCALED,
            kept=int(counted) if counted.isdecimal() else None,
            version=int(metadata["resourceVersion"]),
        )

    def fits(self, manifest: dict[str, Any]) -> bool:
        """Whether this is what a manifest asks for."""
        kept = {name: value for name, value in manifest.items() if name not in _NOT_KEPT}
        return drift.fits(kept, orjson.loads(self.body))


def owner(metadata: dict[str, Any]) -> str:
    """The Route that made an object: by its controller, or by our label where it has none."""
    for reference in metadata.get("ownerReferences", ()):
        if reference.get("controller"):
            ours = (
                reference["apiVersion"].split("/")[0] == GROUP and reference["kind"] == ROUTE.name
            )
            return str(reference["name"]) if ours else ""
    labels = metadata.get("labels") or {}
    ours = labels.get("app.kubernetes.io/managed-by") == "isthmus"
    return str(labels.get(ROUTE_LABEL, "")) if ours else ""


def _plan(found: dict[str, Any]) -> str:
    template = (found.get("spec") or {}).get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(PLAN_ANNOTATION, ""))


def _journal(metadata: dict[str, Any]) -> Journal | None:
    annotations = metadata.get("annotations") or {}
    return Journal.parse(str(annotations.get(JOURNAL_ANNOTATION, "")))


def _progress(found: dict[str, Any]) -> Progress:
    status = found.get("status") or {}
    generation = found["metadata"].get("generation", 0)
    return Progress(
        seen=status.get("observedGeneration", -1) >= generation,
        wanted=found["spec"].get("replicas", 1),
        replicas=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        available=status.get("availableReplicas", 0),
        stuck=_told(status, "Progressing", "False"),
        refused=_told(status, "ReplicaFailure", "True"),
    )


def _told(status: dict[str, Any], kind: str, holds: str) -> str:
    for condition in status.get("conditions") or ():
        if (condition["type"], condition["status"]) == (kind, holds):
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return ""


@dataclass(frozen=True, slots=True)
class MissingSecret:
    """A Secret, or a key of one, that a pod waits for."""

    name: str
    key: str
    """Empty when the whole Secret is missing."""

    def __str__(self) -> str:
        if self.key:
            return f"the Secret '{self.name}' has no key '{self.key}'"
        return f"there is no Secret '{self.name}'"

    @property
    def advice(self) -> str:
        """What to do."""
        return "add it and the pods go on" if self.key else "make it and the pods go on"


@dataclass(frozen=True, slots=True)
class Pod:
    """What concerns us of a pod: whose it is, what it runs, what it waits for, where it is."""

    owner: str
    plan: str
    missing: MissingSecret | None
    trouble: str
    """Why it does not run, e.g. `ImagePullBackOff: …`; empty for all that is well or just new."""
    refused: bool
    """Whether its runtime ended because it cannot use the plan."""
    uid: str = field(compare=False)
    address: str = field(compare=False)
    """Host and port of its admin pages while it runs, else empty. To have one is no news."""
    version: int = field(compare=False)

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Pod":
        """From a pod as the API server gives it."""
        metadata = found["metadata"]
        waiting = _waiting(found.get("status") or {})
        missing = _missing(waiting.get("message", "")) if waiting else None
        return cls(
            owner=str((metadata.get("labels") or {}).get(ROUTE_LABEL, "")),
            plan=str((metadata.get("annotations") or {}).get(PLAN_ANNOTATION, "")),
            missing=missing,
            trouble="" if waiting is None else _trouble(waiting),
            refused=waiting is not None and waiting["code"] == _PLAN_UNUSABLE,
            uid=metadata["uid"],
            address=_address(found),
            version=int(metadata["resourceVersion"]),
        )


def _address(found: dict[str, Any]) -> str:
    """Where the admin port is that the pod was made with."""
    status = found.get("status") or {}
    host = str(status.get("podIP") or "")
    if not host or status.get("phase") != "Running":
        return ""
    for container in found["spec"]["containers"]:
        for port in container.get("ports", ()):
            if port.get("name") == ADMIN:
                return f"{f'[{host}]' if ':' in host else host}:{port['containerPort']}"
    return ""


_PLAN_UNUSABLE: Final = 2
"""The exit code of a runtime that cannot use its plan."""
_JUST_NEW: Final = frozenset({"ContainerCreating", "PodInitializing"})


def _waiting(status: dict[str, Any]) -> dict[str, Any] | None:
    """What the first container that waits waits for."""
    each = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    for container in each:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in _JUST_NEW:
            ended = (container.get("lastState") or {}).get("terminated") or {}
            return {**waiting, "ended": ended.get("message", ""), "code": ended.get("exitCode")}
    return None


def _trouble(waiting: dict[str, Any]) -> str:
    told = waiting["ended"].strip() or waiting.get("message", "")
    return f"{waiting.get('reason', 'Waiting')}: {told}" if told else str(waiting.get("reason"))


# The kubelet's words, in pkg/kubelet/kubelet_pods.go and client-go's errors of absence.
_NO_SECRET: Final = re.compile(r'secrets? "(?P<name>[^"]+)" not found')
_NO_KEY: Final = re.compile(r"couldn't find key (?P<key>\S+) in Secret \S+?/(?P<name>[a-z0-9.-]+)")


def _missing(message: str) -> MissingSecret | None:
    if found := _NO_KEY.search(message):
        return MissingSecret(found["name"], found["key"])
    if found := _NO_SECRET.search(message):
        return MissingSecret(found["name"], "")
    return None
