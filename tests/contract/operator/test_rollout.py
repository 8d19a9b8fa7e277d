"""`isthmus rollout`: the verbs of `kubectl rollout` on Routes, on a real API server."""

import asyncio
import json
import signal
from typing import Any

import manifests_text
import pytest
from cluster_command import COMMAND, Command
from faulty_api import FaultyApi
from operating import Cluster, eventually

ERP = manifests_text.connector("http://erp.example")
ROUTE = manifests_text.route("- call: {connector: erp}")
CHANGED = manifests_text.route("- call: {connector: erp}\n- respond: {body: 1}")
MISTAKEN = manifests_text.route("- respond: {body: '{% nobody( %}'}")
RESTARTED = "kubectl.kubernetes.io/restartedAt"


async def running(cluster: Cluster, *documents: str) -> None:
    """A Route whose first pods answer."""
    await cluster.apply(ERP, *(documents or (ROUTE,)))
    await cluster.replica_set("it")
    await cluster.rolled_out("it")
    await cluster.condition("Route", "it", status="True")


def restarted(deployment: dict[str, Any] | None) -> str | None:
    template = (deployment or {})["spec"]["template"]
    found: str | None = template["metadata"]["annotations"].get(RESTARTED)
    return found


async def test_status_waits_until_the_pods_answer(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.condition("Route", "it", status="Unknown")
        waiting = await asyncio.create_subprocess_exec(
            COMMAND,
            *("rollout", "status", "route/it"),
            env=isthmus.environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        assert waiting.stdout is not None
        first = await waiting.stdout.readline()

        await cluster.rolled_out("it")
        rest = await waiting.stdout.read()

    assert first.startswith(b"route/it: RollingOut: 0 of 1 pods run the present plan")
    assert b"generation 1 is rolled out, plan " in rest
    assert rest.endswith(b": 1 pod answers\n")
    assert await waiting.wait() == 0


async def test_status_waits_for_a_restart_that_the_route_knows_nothing_of(
    cluster: Cluster, isthmus: Command
) -> None:
    """The Route says Ready until the operator has heard of it, here for ever."""
    async with cluster.operator():
        await running(cluster)
    await isthmus.run("rollout", "restart", "it")

    before = await isthmus.run("rollout", "status", "it", "--no-watch", "-o", "json")
    await cluster.rolled_out("it")
    after = await isthmus.run("rollout", "status", "it", "--no-watch", "-o", "json")

    assert (json.loads(before.stdout)["stage"], before.returncode) == ("waiting", 1)
    assert (json.loads(after.stdout)["stage"], after.returncode) == ("done", 0)


async def test_status_says_what_a_person_has_to_mend(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await running(cluster)
        await cluster.apply(MISTAKEN)
        await cluster.condition("Route", "it", status="False")

        ended = await isthmus.run("rollout", "status", "it")

    assert ended.returncode == 1
    assert ended.stdout.startswith("route/it: ExpressionInvalid: spec.steps[0]")
    assert "To do: mend what the message names" in ended.stdout
    assert ended.stdout.endswith("Pods run generation 1 meanwhile\n")


async def test_status_waits_for_what_is_missing_until_the_time_is_over(
    cluster: Cluster, isthmus: Command
) -> None:
    async with cluster.operator():
        await cluster.apply(ROUTE)
        await cluster.condition("Route", "it", status="False")

        ended = await isthmus.run("rollout", "status", "it", "--timeout", "100ms")

    assert ended.returncode == 1
    assert ended.stdout.startswith("route/it: ConnectorNotFound: ")
    assert "isthmus: the time is over: ConnectorNotFound: " in ended.stderr


async def test_status_waits_for_an_api_server_that_is_away(
    cluster: Cluster, isthmus: Command
) -> None:
    async with cluster.operator(), FaultyApi(cluster.plane) as api:
        await cluster.apply(ERP, ROUTE)
        await cluster.condition("Route", "it", status="Unknown")
        waiting = await asyncio.create_subprocess_exec(
            COMMAND,
            *("rollout", "status", "route/it"),
            env=isthmus.environment(isthmus.kubeconfig(server=api.access.server)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert waiting.stdout is not None
        await waiting.stdout.readline()
        with api.away():
            away = await waiting.stdout.readline()

        await cluster.rolled_out("it")
        rest = await waiting.stdout.read()

    assert away.startswith(b"route/it: the API server cannot be reached at ")
    assert b"generation 1 is rolled out" in rest
    assert await waiting.wait() == 0


async def test_status_without_an_operator(cluster: Cluster, isthmus: Command) -> None:
    await cluster.apply(ROUTE)

    ended = await isthmus.run("rollout", "status", "it", "--no-watch")

    assert "NotObserved: the operator has not looked at generation 1 yet" in ended.stdout
    assert ended.returncode == 1


async def test_status_is_interrupted_without_a_traceback(
    cluster: Cluster, isthmus: Command
) -> None:
    await cluster.apply(ROUTE)
    waiting = await asyncio.create_subprocess_exec(
        COMMAND,
        *("rollout", "status", "route/it"),
        env=isthmus.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert waiting.stdout is not None
    await waiting.stdout.readline()

    waiting.send_signal(signal.SIGINT)
    _, stderr = await waiting.communicate()

    assert stderr.strip() == b""
    assert waiting.returncode == 130


async def test_a_restart_replaces_pods_and_the_operator_leaves_it_alone(
    cluster: Cluster, isthmus: Command
) -> None:
    """Also when the Route changes afterwards: then once, and for the change."""
    async with cluster.operator():
        await running(cluster)
        before = await cluster.eventually_there("Deployment", "it")

        ended = await isthmus.run("rollout", "restart", "route/it")
        now = await cluster.eventually_there("Deployment", "it")
        await cluster.condition("Route", "it", reason="RollingOut")
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        settled = await cluster.get("Deployment", "it")
        await cluster.apply(CHANGED)
        changed = await eventually(
            lambda: cluster.get("Deployment", "it"),
            until=lambda it: (
                it is not None and it["metadata"]["generation"] > now["metadata"]["generation"]
            ),
        )

    assert ended.stdout == "route/it restarts; `isthmus rollout status it` waits for it\n"
    assert now["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert restarted(before) is None
    assert restarted(now) == restarted(settled) == restarted(changed) is not None


async def test_what_does_not_run_is_not_restarted(cluster: Cluster, isthmus: Command) -> None:
    await cluster.apply(manifests_text.route("- respond: {body: 1}", spec={"paused": True}))
    paused = await isthmus.run("rollout", "restart", "it")
    await cluster.apply(ROUTE)
    absent = await isthmus.run("rollout", "restart", "it")

    assert "route/it is paused and has no pods; `isthmus resume it`" in paused.stderr
    assert "route/it has no Deployment yet; `isthmus trace it` says why" in absent.stderr
    assert paused.returncode == absent.returncode == 1


async def test_history_says_what_changed(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await running(cluster)
        first = await cluster.eventually_there("Deployment", "it")
        await isthmus.run("rollout", "restart", "it")
        await cluster.replica_set("it", revision=2)
        await cluster.apply(CHANGED)
        await eventually(
            lambda: cluster.get("Deployment", "it"),
            until=lambda it: it is not None and _plan(it) != _plan(first),
        )
        await cluster.replica_set("it", revision=3)

        text = await isthmus.run("rollout", "history", "it")
        found = json.loads((await isthmus.run("rollout", "history", "it", "-o", "json")).stdout)

    revisions = found["revisions"]
    assert [each["revision"] for each in revisions] == [1, 2, 3]
    assert [each["changed"] for each in revisions] == [[], ["restart"], ["plan"]]
    assert [each["current"] for each in revisions] == [False, False, True]
    assert revisions[0]["plan"] == _plan(first) != revisions[2]["plan"]
    assert revisions[0]["image"] == "localhost/isthmus-runtime:test"
    assert [line.split()[0] for line in text.stdout.splitlines()] == ["REVISION", "1", "2", "3"]
    assert text.returncode == 0


async def test_undo_writes_nothing_and_says_whose_the_route_is(
    cluster: Cluster, isthmus: Command
) -> None:
    async with cluster.operator():
        await running(cluster)
        mark = f"shop:isthmus.dev/Route:{cluster.namespace}/it"
        annotations = {"argocd.argoproj.io/tracking-id": mark}
        await cluster.patch("Route", "it", {"metadata": {"annotations": annotations}})
        await cluster.apply(CHANGED)
        await cluster.condition("Route", "it", observedGeneration=2)
        await cluster.replica_set("it", revision=2)
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        before = await cluster.versions()

        ended = await isthmus.run("rollout", "undo", "it")
        after = await cluster.versions()

    lines = ended.stdout.splitlines()
    assert lines[0].startswith("now:     revision 2, made ")
    assert lines[1].startswith("before:  revision 1, made ")
    assert lines[2] == "differs: plan"
    assert any(line.startswith("  Connector/erp ") for line in lines)
    assert "route/it is kept by Argo CD, Application shop" in lines[-2]
    assert "`argocd app sync shop`" in lines[-1]
    assert (ended.returncode, after) == (1, before)


@pytest.mark.parametrize(
    ("rights", "verb", "missing"),
    [
        ("get,list routes.isthmus.dev", "status", "get on deployments"),
        ("get,list routes.isthmus.dev;get deployments.apps", "history", "list on replicasets"),
        ("get,list routes.isthmus.dev;get deployments.apps", "restart", "patch on deployments"),
        ("list routes.isthmus.dev", "undo", "get on routes"),
    ],
)
async def test_the_right_that_is_missing_is_named(
    cluster: Cluster, isthmus: Command, rights: str, verb: str, missing: str
) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.eventually_there("Deployment", "it")
    somebody = isthmus.with_rights(*rights.split(";"))

    ended = await isthmus.run("rollout", verb, "it", kubeconfig=somebody)

    assert f"it needs {missing} in the namespace {cluster.namespace}" in ended.stderr
    assert ended.returncode == 2


def _plan(deployment: dict[str, Any]) -> str:
    found: str = deployment["spec"]["template"]["metadata"]["annotations"]["isthmus.dev/plan"]
    return found
