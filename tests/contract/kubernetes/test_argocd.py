"""Argo CD on our objects: what it shows of each state, and what its actions come to."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import health_states
import manifests_text
import pytest
import yaml
from argocd import PATCH, ROOT, ArgoCD, change, definition
from control_plane import ControlPlane
from health_states import STATES, State
from operating import Cluster, eventually

ROUTES = [state for state in STATES if state.kind == "Route"]
RUNNING = STATES[0].known()
GUIDE = ROOT / "docs/how-to/argocd.md"
SERVER_SIDE = ("--server-side", "--force-conflicts")


@pytest.fixture
def argo(tmp_path: Path) -> ArgoCD:
    return ArgoCD(tmp_path)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.id)
def test_the_health_of_each_state(state: State, argo: ArgoCD) -> None:
    assert argo.health(state.known()) == (state.health, state.message())


def test_an_object_without_a_status_is_waited_for(argo: ArgoCD) -> None:
    """Such as one of an API server whose definitions are older."""
    without = {key: value for key, value in RUNNING.items() if key != "status"}

    assert argo.health(without) == ("Progressing", health_states.UNSEEN)


@pytest.mark.parametrize("state", ROUTES, ids=lambda state: state.id)
def test_the_actions_that_a_route_offers(state: State, argo: ArgoCD) -> None:
    running = {"pause", "restart", "scale"}

    assert argo.actions(state.known()) == (
        {"resume", "scale"} if state.name == "paused" else running
    )


def test_a_route_with_autoscaling_offers_no_scale(argo: ArgoCD) -> None:
    scaled = RUNNING["spec"] | {"autoscaling": {"maxReplicas": 3}}

    assert argo.actions(RUNNING | {"spec": scaled}) == {"pause", "restart"}


@pytest.mark.parametrize("asked", ["", "many", "-1", "1.5", "nan", "inf"])
def test_scale_refuses_what_is_no_count(asked: str, argo: ArgoCD) -> None:
    said = argo.refusal("scale", RUNNING, replicas=asked)

    assert said == f"replicas: must be a whole number, 0 or more, not '{asked}'"


def test_an_action_drops_nulls(argo: ArgoCD) -> None:
    """LIMITS.md and the guide say so: Argo CD's Lua has no null."""
    spec = {**RUNNING["spec"], "steps": [{"respond": {"body": {"a": None, "b": 1}}}]}

    after = argo.run("pause", RUNNING | {"spec": spec})

    assert after["spec"]["steps"] == [{"respond": {"body": {"b": 1}}}]


def test_the_patch_leaves_what_else_argocd_cm_has(plane: ControlPlane, namespace: str) -> None:
    of = ("-n", namespace, "configmap", "argocd-cm")
    plane.kubectl("create", *of, "--from-literal=url=https://argocd.example")

    plane.kubectl("patch", *of, f"--patch-file={PATCH}")

    data = json.loads(plane.kubectl("get", *of, "-o=json").stdout)["data"]
    assert data == {"url": "https://argocd.example", **yaml.safe_load(PATCH.read_text())["data"]}


def test_argo_cd_takes_the_applications_of_the_guide(plane: ControlPlane) -> None:
    plane.kubectl("create", "namespace", "argocd")
    plane.kubectl("apply", "--server-side", "-f", str(definition("application")))
    plane.until_established()
    (found,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)

    applied = plane.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", stdin=found)

    assert len(applied.stdout.splitlines()) == 3


async def act(cluster: Cluster, argo: ArgoCD, action: str, **parameters: str) -> None:
    """Run an action on the Route and send its change as Argo CD does."""
    found = await cluster.eventually_there("Route", "it")
    after = await asyncio.to_thread(argo.run, action, found, **parameters)
    patch = json.dumps(change(found, after))
    flags = ("--type=merge", "--field-manager=argocd-server", "-p", patch)
    await cluster.kubectl("patch", "route", "it", *flags)


async def sync(cluster: Cluster, *how: str) -> None:
    """Apply the manifest as Argo CD does."""
    found = yaml.safe_load(health_states.ROUTE)
    flags = ("--field-manager=argocd-controller", *how, "-f", "-")
    await cluster.kubectl("apply", *flags, stdin=yaml.dump(found))


async def template(cluster: Cluster) -> dict[str, Any]:
    """The pod template of the Route's Deployment."""
    deployment = await cluster.eventually_there("Deployment", "it")
    found: dict[str, Any] = deployment["spec"]["template"]
    return found


@pytest.mark.parametrize("how", [SERVER_SIDE, ()], ids=["server-side", "client-side"])
async def test_what_actions_do_outlasts_a_sync(
    cluster: Cluster, argo: ArgoCD, how: tuple[str, ...]
) -> None:
    """As long as Git has none of these fields."""
    async with cluster.client, cluster.operator():
        await cluster.apply(health_states.ERP)
        await sync(cluster, *how)
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        before = await template(cluster)

        await act(cluster, argo, "restart")
        await cluster.condition("Route", "it", reason="RollingOut")
        restarted = await template(cluster)
        await act(cluster, argo, "scale", replicas="4")
        await act(cluster, argo, "pause")
        await cluster.condition("Route", "it", reason="Paused")
        await sync(cluster, *how)
        await cluster.condition("Route", "it", reason="Paused")
        await act(cluster, argo, "resume")
        await sync(cluster, *how)

        await eventually(
            lambda: cluster.eventually_there("Deployment", "it"),
            until=lambda found: found["spec"]["replicas"] == 4,
        )
        after = await template(cluster)

    added = restarted["metadata"]["annotations"].keys() - before["metadata"]["annotations"].keys()
    assert added == {"restartedAt"}
    assert restarted["spec"] == before["spec"]
    assert after == restarted


async def test_git_takes_back_what_it_has_itself(cluster: Cluster, argo: ArgoCD) -> None:
    """The policy in which Git owns the count."""
    counted = yaml.safe_load(manifests_text.route(health_states.CALL, spec={"replicas": 2}))
    flags = ("--field-manager=argocd-controller", *SERVER_SIDE, "-f", "-")
    async with cluster.client:
        await cluster.kubectl("apply", *flags, stdin=yaml.dump(counted))
        await act(cluster, argo, "scale", replicas="4")
        scaled = (await cluster.eventually_there("Route", "it"))["spec"]["replicas"]
        await cluster.kubectl("apply", *flags, stdin=yaml.dump(counted))
        synced = (await cluster.eventually_there("Route", "it"))["spec"]["replicas"]

    assert (scaled, synced) == (4, 2)


@pytest.mark.parametrize(
    ("scaled", "count"),
    [
        pytest.param(None, 1, id="the count was Git's"),
        pytest.param(4, 4, id="a scaler had changed the count"),
    ],
)
async def test_what_is_left_when_git_gives_up_the_count(
    cluster: Cluster, scaled: int | None, count: int
) -> None:
    counted = yaml.safe_load(manifests_text.route(health_states.CALL, spec={"replicas": 2}))
    flags = ("--field-manager=argocd-controller", *SERVER_SIDE, "-f", "-")
    async with cluster.client:
        await cluster.kubectl("apply", *flags, stdin=yaml.dump(counted))
        if scaled:
            await cluster.kubectl("scale", "route/it", f"--replicas={scaled}")
        await sync(cluster, *SERVER_SIDE)

        assert (await cluster.eventually_there("Route", "it"))["spec"]["replicas"] == count
