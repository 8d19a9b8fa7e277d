"""What all children have in common: name, labels, owner, and a hash of what they are."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import orjson

from isthmus_api.model import API_VERSION, GROUP
from isthmus_api.resources import ROUTE

Manifest = dict[str, Any]

ROUTE_LABEL: Final = f"{GROUP}/route"
PLAN_ANNOTATION: Final = f"{GROUP}/plan"
"""On pods: the hash of the plan that they run."""
JOURNAL_ANNOTATION: Final = f"{GROUP}/journal"
"""On Deployments: where the pods find their journal. They go on with it when none is configured
any more."""
REPLICAS_ANNOTATION: Final = f"{GROUP}/replicas"
"""On Deployments: `autoscaled` while the count is an autoscaler's and no field of ours, or the
number that an autoscaler came to, kept while there is none or while no pods run."""
AUTOSCALED: Final = "autoscaled"
DESIRED_ANNOTATION: Final = f"{GROUP}/desired"
"""On children: the hash of the manifest without it. A child whose hash is another one was made of
another manifest, even where all fields that are left are as they should be."""

_SHARED: Final = {
    "app.kubernetes.io/managed-by": "isthmus",
    "app.kubernetes.io/component": "route",
}
CHILDREN_SELECTOR: Final = ",".join(f"{key}={value}" for key, value in _SHARED.items())
"""Selects the children of all Routes."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The Route that children belong to."""

    namespace: str
    name: str
    uid: str

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all its children."""
        return {ROUTE_LABEL: self.name, **_SHARED}

    @property
    def match(self) -> dict[str, str]:
        """The labels that select its pods."""
        return {ROUTE_LABEL: self.name}


def selector(name: str) -> str:
    """The label selector of a Route's pods, as `status.selector` and autoscalers want it."""
    return f"{ROUTE_LABEL}={name}"


def child(
    owner: Owner,
    api_version: str,
    kind: str,
    body: Manifest,
    *,
    name: str = "",
    annotations: dict[str, str] | None = None,
) -> Manifest:
    """One child; named after the Route unless it has a `name` of its own."""
    made: Manifest = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name or owner.name,
            "namespace": owner.namespace,
            "labels": owner.labels,
            "annotations": dict(annotations or {}),
            "ownerReferences": [_reference(owner)],
        },
        **body,
    }
    made["metadata"]["annotations"][DESIRED_ANNOTATION] = _hash(made)
    return made


def _reference(owner: Owner) -> Manifest:
    """Makes the child go with the Route; it never holds the Route's deletion up."""
    return {
        "apiVersion": API_VERSION,
        "kind": ROUTE.name,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _hash(made: Manifest) -> str:
    text = orjson.dumps(made, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]
