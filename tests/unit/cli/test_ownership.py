"""Ownership: whose an object is, and who would put a field back."""

import json
from typing import Any

import pytest

from isthmus_cli.cluster import ownership
from isthmus_cli.cluster.ownership import GITOPS, Tool

TRACKING = "argocd.argoproj.io/tracking-id"
LAST = "kubectl.kubernetes.io/last-applied-configuration"
PAUSED: dict[str, Any] = {"f:spec": {"f:paused": {}}}


def entry(
    manager: str,
    *,
    operation: str = "Update",
    at: str = "2026-01-01T00:00:00Z",
    subresource: str = "",
    fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "time": at,
        "subresource": subresource,
        "fieldsV1": fields or {},
    }


def route(
    *managed: dict[str, Any],
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    metadata = {
        "name": "it",
        "namespace": "shop",
        "annotations": annotations or {},
        "labels": labels or {},
        "managedFields": list(managed),
    }
    return {"metadata": metadata, "spec": {}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(
            route(annotations={TRACKING: "web:isthmus.dev/Route:shop/it"}),
            "Argo CD, Application web",
            id="Argo CD by annotation",
        ),
        pytest.param(
            route(entry("kubectl"), annotations={TRACKING: "web:isthmus.dev/Route:shop/other"}),
            "kubectl",
            id="the mark of another object, which was copied, says nothing",
        ),
        pytest.param(
            route(labels={"argocd.argoproj.io/instance": "web"}),
            "Argo CD, Application web",
            id="Argo CD by label",
        ),
        pytest.param(
            route(
                labels={
                    "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
                }
            ),
            "Flux, Kustomization flux-system/apps",
            id="Flux",
        ),
        pytest.param(
            route(
                labels={
                    "helm.toolkit.fluxcd.io/name": "apps",
                    "helm.toolkit.fluxcd.io/namespace": "flux-system",
                },
                annotations={"meta.helm.sh/release-name": "apps"},
            ),
            "Flux (Helm), HelmRelease flux-system/apps",
            id="Helm by Flux",
        ),
        pytest.param(
            route(
                annotations={
                    "meta.helm.sh/release-name": "apps",
                    "meta.helm.sh/release-namespace": "shop",
                }
            ),
            "Helm, release shop/apps",
            id="Helm",
        ),
        pytest.param(
            route(
                entry("kubectl-edit", at="2026-02-01T00:00:00Z"),
                entry("argocd-controller", operation="Apply"),
            ),
            "Argo CD",
            id="a tool before a person who wrote later",
        ),
        pytest.param(
            route(
                entry("isthmus", at="2026-02-01T00:00:00Z", subresource="status"),
                entry("kubectl-client-side-apply"),
            ),
            "kubectl",
            id="a status is nobody's manifest",
        ),
        pytest.param(route(entry("terraform")), "terraform", id="somebody else"),
        pytest.param(route(), "nobody that left a trace", id="nobody"),
    ],
)
def test_whose_it_is(found: dict[str, Any], said: str) -> None:
    assert str(ownership.owner(found)) == said


@pytest.mark.parametrize(
    ("found", "keepers"),
    [
        pytest.param(
            route(entry("argocd-controller", operation="Apply", fields=PAUSED)),
            ["argocd-controller"],
            id="who applies it on the server",
        ),
        pytest.param(
            route(entry("argocd-controller", operation="Apply", fields={"f:spec": {}})),
            [],
            id="a manifest without it",
        ),
        pytest.param(
            route(entry("kubectl-client-side-apply", fields=PAUSED)),
            [],
            id="who applies on its own side owns defaults, too",
        ),
        pytest.param(
            route(
                entry("argocd-controller", fields=PAUSED),
                annotations={LAST: json.dumps({"spec": {"paused": False}})},
            ),
            ["argocd-controller"],
            id="who applies on its own side, and has it in the manifest",
        ),
        pytest.param(
            route(
                entry("argocd-controller", fields=PAUSED),
                annotations={LAST: json.dumps({"spec": {"replicas": 1}})},
            ),
            [],
            id="who applies on its own side, without it",
        ),
        pytest.param(
            route(entry("helm", fields=PAUSED), annotations={LAST: "{"}), [], id="half a manifest"
        ),
    ],
)
def test_who_would_put_a_field_back(found: dict[str, Any], keepers: list[str]) -> None:
    assert ownership.keepers(found, "spec", "paused") == keepers


def test_what_puts_fields_back_by_itself() -> None:
    managers = ("argocd-controller", "kustomize-controller", "helm-controller")

    assert {ownership.tool(each) for each in managers} == GITOPS
    assert ownership.tool("helm") is Tool.HELM
    assert ownership.tool("kubectl-edit") is Tool.KUBECTL
