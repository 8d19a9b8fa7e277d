"""Children that are deleted, edited or taken by others, on a real API server."""

from typing import Any

import manifests_text
import pytest
import yaml
from operating import Cluster, eventually

from isthmus_operator.kube import kinds

ERP = manifests_text.connector("http://erp.example")
ROUTE = manifests_text.route("- call: {connector: erp}")
EVERY_CHILD = manifests_text.route(
    "- call: {connector: erp}", spec={"autoscaling": {"maxReplicas": 3, "cpu": 70}}
)
CHILDREN = [kind for kind in kinds.CHILDREN if kind not in ("Ingress", "HTTPRoute")]
INGRESS = manifests_text.route("- call: {connector: erp}", spec={"expose": {"host": "a.b"}})
HTTP_ROUTE = manifests_text.route(
    "- call: {connector: erp}", spec={"expose": {"host": "a.b", "gateway": {"name": "public"}}}
)
LABELS = {
    "app.kubernetes.io/instance": "shop",
    "app.kubernetes.io/name": "shop",
    "argocd.argoproj.io/instance": "shop",
    "argocd.argoproj.io/secret-type": "cluster",
    "helm.sh/chart": "shop-1.0.0",
    "helm.toolkit.fluxcd.io/name": "shop",
    "helm.toolkit.fluxcd.io/namespace": "flux-system",
    "kustomize.toolkit.fluxcd.io/name": "shop",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}
ANNOTATIONS = {
    "argocd.argoproj.io/tracking-id": "shop:isthmus.dev/Route:x/it",
    "argocd.argoproj.io/sync-wave": "3",
    "argocd.argoproj.io/hook": "PreSync",
    "argocd.argoproj.io/sync-options": "Prune=false",
    "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
    "fluxcd.io/sync-checksum": "abc",
    "helm.sh/hook": "pre-install",
    "helm.sh/resource-policy": "keep",
    "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
    "meta.helm.sh/release-name": "shop",
    "meta.helm.sh/release-namespace": "shop",
    "reconcile.fluxcd.io/requestedAt": "2026-01-01T00:00:00Z",
}
"""As they are on what people apply; `kubectl apply` adds its own."""


async def name_of(cluster: Cluster, kind: str) -> str:
    found = await eventually(lambda: cluster.all(kind), until=lambda found: len(found) == 1)
    return str(found[0]["metadata"]["name"])


@pytest.mark.usefixtures("gateway_api")
@pytest.mark.parametrize(
    ("kind", "route"),
    [*((kind, EVERY_CHILD) for kind in CHILDREN), ("Ingress", INGRESS), ("HTTPRoute", HTTP_ROUTE)],
    ids=kinds.CHILDREN,
)
async def test_a_child_that_is_deleted_comes_back(cluster: Cluster, kind: str, route: str) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, route)
        name = await name_of(cluster, kind)
        before = await cluster.eventually_there(kind, name)

        await cluster.kubectl("delete", kind, name)

        now = await eventually(
            lambda: cluster.get(kind, name),
            until=lambda found: (
                found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]
            ),
        )
        assert now is not None
        assert now["metadata"]["labels"] == before["metadata"]["labels"]


@pytest.mark.parametrize(
    ("kind", "patch", "path", "value"),
    [
        ("Deployment", {"spec": {"replicas": 7}}, ("spec", "replicas"), 1),
        (
            "Deployment",
            {"spec": {"template": {"spec": {"automountServiceAccountToken": True}}}},
            ("spec", "template", "spec", "automountServiceAccountToken"),
            False,
        ),
        (
            "Service",
            {"spec": {"selector": {"isthmus.dev/route": "other"}}},
            ("spec", "selector", "isthmus.dev/route"),
            "it",
        ),
        (
            "ServiceAccount",
            {"automountServiceAccountToken": True},
            ("automountServiceAccountToken",),
            False,
        ),
        (
            "PodDisruptionBudget",
            {"spec": {"maxUnavailable": 0}},
            ("spec", "maxUnavailable"),
            1,
        ),
        (
            "HorizontalPodAutoscaler",
            {"spec": {"maxReplicas": 9}},
            ("spec", "maxReplicas"),
            3,
        ),
        (
            "HorizontalPodAutoscaler",
            {"spec": {"metrics": None}},
            ("spec", "metrics", 0, "resource", "target", "averageUtilization"),
            70,
        ),
        (
            "NetworkPolicy",
            {"metadata": {"labels": {"app.kubernetes.io/component": "mine"}}},
            ("metadata", "labels", "app.kubernetes.io/component"),
            "route",
        ),
        (
            "Service",
            {"metadata": {"ownerReferences": None}},
            ("metadata", "ownerReferences", 0, "kind"),
            "Route",
        ),
    ],
)
async def test_an_edit_by_hand_is_undone(
    cluster: Cluster, kind: str, patch: dict[str, Any], path: tuple[str | int, ...], value: Any
) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, EVERY_CHILD if kind == "HorizontalPodAutoscaler" else ROUTE)
        name = await name_of(cluster, kind)

        await cluster.patch(kind, name, patch)

        def undone(found: dict[str, Any]) -> bool:
            here: Any = found
            for part in path:
                try:
                    here = here[part]
                except (KeyError, IndexError):
                    return False
            return bool(here == value)

        await eventually(lambda: cluster.eventually_there(kind, name), until=undone)


async def test_an_object_of_somebody_else_is_reported_and_left_alone(cluster: Cluster) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "it"},
        "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80}]},
    }
    async with cluster.operator():
        await cluster.apply(theirs)
        await cluster.apply(ERP, ROUTE)

        ready = await cluster.condition("Route", "it", status="False")
        assert ready["reason"] == "NameConflict"
        assert "Service 'it'" in ready["message"]
        await cluster.condition("Route", "it", "Stalled", status="True")
        found = await cluster.eventually_there("Service", "it")
        assert found["spec"]["selector"] == {"app": "theirs"}
        assert "ownerReferences" not in found["metadata"]
        assert await cluster.all("Deployment") == []


async def test_what_is_no_longer_wanted_goes(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, INGRESS)
        await cluster.eventually_there("Ingress", "it")

        await cluster.apply(ROUTE)

        await cluster.eventually_gone("Ingress", "it")


async def test_a_plan_goes_once_nothing_needs_it(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        [first] = [each["metadata"]["name"] for each in await cluster.all("ConfigMap")]

        await cluster.apply(manifests_text.route("- call: {connector: erp}", env={"a": "1"}))
        await cluster.condition("Route", "it", status="Unknown")
        # The former plan stays while its successor has not come up.
        assert await cluster.get("ConfigMap", first) is not None
        assert len(await cluster.all("ConfigMap")) == 2

        await cluster.rolled_out("it")
        await cluster.eventually_gone("ConfigMap", first)
        assert len(await cluster.all("ConfigMap")) == 1


async def test_no_mark_of_a_deployment_tool_reaches_a_child(cluster: Cluster) -> None:
    """A label of Argo CD on a child has it pruned, one of Flux or Helm has it adopted."""
    mapping = manifests_text.mapping('{"n": n}', name="plus-one")
    steps = "- call: {connector: erp}\n- map: {mapping: plus-one}"
    route = manifests_text.route(steps, spec={"autoscaling": {"maxReplicas": 3, "cpu": 70}})
    async with cluster.operator():
        for document in (ERP, mapping, route):
            found = yaml.safe_load(document)
            found["metadata"] |= {"labels": LABELS, "annotations": ANNOTATIONS}
            await cluster.kubectl("apply", "-f", "-", stdin=yaml.dump(found))
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        # Marks that come later, and a change that has all children looked at.
        again = [f"{name}-2={value}" for name, value in ANNOTATIONS.items()]
        await cluster.kubectl("annotate", "routes,connectors,mappings", "--all", *again)
        await cluster.apply(manifests_text.mapping('{"n": n + 1}', name="plus-one"))
        await cluster.condition("Route", "it", status="Unknown")

        for kind in CHILDREN:
            for child in await cluster.all(kind):
                metadata = child["metadata"]
                template = child["spec"]["template"]["metadata"] if kind == "Deployment" else {}
                ours = {"app.kubernetes.io/managed-by", "app.kubernetes.io/component"}
                assert metadata["labels"].keys() == {"isthmus.dev/route", *ours}
                for each in (metadata, template):
                    marks = [*each.get("labels", {}), *each.get("annotations", {})]
                    assert [mark for mark in marks if _is_of_a_tool(mark)] == []


def _is_of_a_tool(mark: str) -> bool:
    return mark.startswith((*LABELS, *ANNOTATIONS, "kubectl.kubernetes.io/"))


async def test_a_route_made_anew_takes_over_what_its_namesake_left(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, EVERY_CHILD)
        await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        # No garbage collector runs here, so the children stay behind.
        await cluster.kubectl("delete", "route", "it")
        await cluster.apply(EVERY_CHILD)

        uid = (await cluster.eventually_there("Route", "it"))["metadata"]["uid"]
        for kind in CHILDREN:
            await eventually(
                lambda kind=kind: cluster.all(kind),  # type: ignore[misc] # bound per kind
                until=lambda found: (
                    [each["metadata"]["ownerReferences"][0]["uid"] for each in found] == [uid]
                ),
            )
