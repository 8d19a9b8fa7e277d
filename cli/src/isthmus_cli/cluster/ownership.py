"""Ownership: who keeps an object as it is, and who changed it, as the object itself tells. Pure.

Tools that deploy from Git put back what others write. Which one does is read from the marks that
they leave on an object, and from managedFields where they leave none.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from isthmus_cli.cluster.standing import Object

OPERATOR: Final = "isthmus"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_TRACKING: Final = "argocd.argoproj.io/tracking-id"


class Tool(StrEnum):
    """What brings manifests into a cluster."""

    ARGO_CD = "Argo CD"
    FLUX = "Flux"
    FLUX_HELM = "Flux (Helm)"
    HELM = "Helm"
    KUBECTL = "kubectl"
    OTHER = "other"


GITOPS: Final = frozenset({Tool.ARGO_CD, Tool.FLUX, Tool.FLUX_HELM})
"""They put back what others write, without being asked."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who keeps an object as it is."""

    tool: Tool
    name: str
    """Of the Application, Kustomization, HelmRelease or release, or else the field manager."""
    namespace: str = ""

    def __str__(self) -> str:
        if self.tool is Tool.OTHER:
            return self.name or "nobody that left a trace"
        named = self.name if self.tool in GITOPS | {Tool.HELM} else ""
        place = f"{self.namespace}/" if self.namespace and named else ""
        return f"{self.tool}, {_NOUNS[self.tool]} {place}{named}" if named else str(self.tool)


_NOUNS: Final = {
    Tool.ARGO_CD: "Application",
    Tool.FLUX: "Kustomization",
    Tool.FLUX_HELM: "HelmRelease",
    Tool.HELM: "release",
}
_MANAGERS: Final = {
    "argocd-controller": Tool.ARGO_CD,
    "argocd-application-controller": Tool.ARGO_CD,
    "kustomize-controller": Tool.FLUX,
    "helm-controller": Tool.FLUX_HELM,
    "helm": Tool.HELM,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of managedFields: who wrote what an object declares, and when last."""

    manager: str
    at: str
    applies: bool
    """By server-side apply, so that the fields are those of a manifest."""
    fields: dict[str, Any]


def owner(found: Object) -> Owner:
    """Who keeps an object as it is: by the marks of the tools, else by who wrote it last."""
    return _marked(found) or _newest(changes(found))


def changes(found: Object) -> list[Change]:
    """Who wrote what is declared, the newest first; the operator's own status is none of it."""
    entries = found["metadata"].get("managedFields") or ()
    written = [
        Change(
            manager=str(each.get("manager", "")),
            at=str(each.get("time", "")),
            applies=each.get("operation") == "Apply",
            fields=each.get("fieldsV1") or {},
        )
        for each in entries
        if not each.get("subresource")
    ]
    return sorted(written, key=lambda each: each.at, reverse=True)


def keepers(found: Object, *path: str) -> list[str]:
    """The managers that have a field in the manifest that they apply; these put it back.

    Who does not apply on the server owns every field that was ever written with its manifest,
    defaults included: there the manifest itself is looked at, which kubectl and Argo CD leave on
    the object.
    """
    last = _last_applied(found)
    return [
        each.manager
        for each in changes(found)
        if _owns(each.fields, path) and (each.applies or _has(last, path))
    ]


def tool(manager: str) -> Tool:
    """What writes under the name of a field manager."""
    if manager.startswith("kubectl"):
        return Tool.KUBECTL
    return _MANAGERS.get(manager, Tool.OTHER)


def _marked(found: Object) -> Owner | None:
    return next(_marks(found["metadata"]), None)


def _marks(metadata: Object) -> Iterator[Owner]:
    annotations = metadata.get("annotations") or {}
    labels = metadata.get("labels") or {}
    application, _, object_ = annotations.get(_TRACKING, "").partition(":")
    if object_.endswith(f":{metadata.get('namespace')}/{metadata['name']}"):
        yield Owner(Tool.ARGO_CD, application)
    if name := labels.get("argocd.argoproj.io/instance"):
        yield Owner(Tool.ARGO_CD, name)
    for prefix, kind in (("kustomize", Tool.FLUX), ("helm", Tool.FLUX_HELM)):
        if name := labels.get(f"{prefix}.toolkit.fluxcd.io/name"):
            place = labels.get(f"{prefix}.toolkit.fluxcd.io/namespace", "")
            yield Owner(kind, name, place)
    if name := annotations.get("meta.helm.sh/release-name"):
        place = annotations.get("meta.helm.sh/release-namespace", "")
        yield Owner(Tool.HELM, name, place)


def _newest(found: Sequence[Change]) -> Owner:
    """Tools before people: what `kubectl edit` wrote last is theirs to put back."""
    ordered = sorted(found, key=lambda each: tool(each.manager) not in GITOPS)
    if not ordered:
        return Owner(Tool.OTHER, "")
    manager = ordered[0].manager
    kind = tool(manager)
    return Owner(kind, "" if kind is not Tool.OTHER else manager)


def _owns(fields: dict[str, Any], path: Sequence[str]) -> bool:
    at: Any = fields
    for name in path:
        if not isinstance(at, dict) or f"f:{name}" not in at:
            return False
        at = at[f"f:{name}"]
    return True


def _last_applied(found: Object) -> Any:
    annotations = found["metadata"].get("annotations") or {}
    try:
        return json.loads(annotations.get(_LAST_APPLIED, "null"))
    except ValueError:
        return None


def _has(manifest: Any, path: Sequence[str]) -> bool:
    for name in path:
        if not isinstance(manifest, dict) or name not in manifest:
            return False
        manifest = manifest[name]
    return True
