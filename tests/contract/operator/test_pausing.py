"""`isthmus pause` and `resume`: the field of the Route, on a real API server."""

from typing import Any

import manifests_text
import yaml
from cluster_command import Command
from operating import Cluster

ERP = manifests_text.connector("http://erp.example")
ROUTE = manifests_text.route("- call: {connector: erp}", spec={"replicas": 3})
UNPAUSED = manifests_text.route("- call: {connector: erp}", spec={"paused": False})


async def applied_by(cluster: Cluster, manager: str, manifest: str, *how: str) -> None:
    """Apply a manifest as a tool would."""
    found = yaml.safe_load(manifest)
    found["metadata"]["namespace"] = cluster.namespace
    await cluster.kubectl(
        "apply", f"--field-manager={manager}", *how, "-f", "-", stdin=yaml.dump(found)
    )


async def spec(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = (await cluster.eventually_there("Route", "it"))["spec"]
    return found


async def test_pods_go_and_come_back_with_their_count(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.eventually_there("Deployment", "it")

        paused = await isthmus.run("pause", "route/it")
        await cluster.condition("Route", "it", reason="Paused")
        without = (await cluster.eventually_there("Deployment", "it"))["spec"]["replicas"]
        again = await isthmus.run("pause", "it")
        resumed = await isthmus.run("resume", "route/it")
        await cluster.condition("Route", "it", reason="RollingOut")
        back = (await cluster.eventually_there("Deployment", "it"))["spec"]["replicas"]

    assert paused.stdout == "route/it is paused: its pods end, and replicas (3) is kept\n"
    assert again.stdout == "route/it is paused already\n"
    assert resumed.stdout.startswith("route/it is resumed with replicas 3; ")
    assert (without, back) == (0, 3)
    assert paused.stderr == again.stderr == resumed.stderr == ""
    assert {each.returncode for each in (paused, again, resumed)} == {0}


async def test_a_manifest_without_the_field_leaves_it_paused(
    cluster: Cluster, isthmus: Command
) -> None:
    """So no warning is due: neither mode of Argo CD nor Flux puts back what they do not have."""
    await applied_by(cluster, "argocd-controller", ROUTE, "--server-side", "--force-conflicts")

    on_the_server = await isthmus.run("pause", "it")
    await applied_by(cluster, "argocd-controller", ROUTE, "--server-side", "--force-conflicts")
    kept = (await spec(cluster))["paused"]
    await cluster.kubectl("delete", "route", "it")
    await applied_by(cluster, "argocd-controller", ROUTE)
    on_its_side = await isthmus.run("pause", "it")
    await applied_by(cluster, "argocd-controller", ROUTE)

    assert on_the_server.stderr == on_its_side.stderr == ""
    assert kept is True
    assert (await spec(cluster))["paused"] is True


async def test_who_has_the_field_in_git_puts_it_back_and_that_is_said(
    cluster: Cluster, isthmus: Command
) -> None:
    for how in (("--server-side", "--force-conflicts"), ()):
        await applied_by(cluster, "argocd-controller", UNPAUSED, *how)

        ended = await isthmus.run("pause", "it")
        paused = (await spec(cluster))["paused"]
        await applied_by(cluster, "argocd-controller", UNPAUSED, *how)

        assert "Argo CD (argocd-controller) has spec.paused in its manifest" in ended.stderr
        assert "change it in Git to have it stay" in ended.stderr
        assert (ended.returncode, paused) == (0, True)
        assert (await spec(cluster))["paused"] is False
        await cluster.kubectl("delete", "route", "it")


async def test_it_needs_the_right_to_patch_routes(cluster: Cluster, isthmus: Command) -> None:
    await cluster.apply(ROUTE)
    somebody = isthmus.with_rights("get,list routes.isthmus.dev")

    ended = await isthmus.run("pause", "it", kubeconfig=somebody)

    assert f"it needs patch on routes in the namespace {cluster.namespace}" in ended.stderr
    assert ended.returncode == 2
    assert (await spec(cluster))["paused"] is False
