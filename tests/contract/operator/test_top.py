"""`isthmus top`: real runtimes, measured through a real API server as pods of a cluster."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import pytest
from cluster_command import Command
from operating import Cluster
from route_process import Replica, free_port, replicas

from isthmus_operator.kube import kinds

ROUTE = manifests_text.route("- respond: {body: 1}")
HOOK = manifests_text.delivering(
    {"webhook": {"path": "/hook", "open": True}}, "- map: {expression: '1'}", name="hook"
)


@pytest.fixture
def address() -> str:
    """An address of this machine; the API server asks nobody at those of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


async def pod(cluster: Cluster, name: str, route: str, *, address: str, port: int) -> None:
    """Play the kubelet: a pod that is ready at an address and port."""
    labels = {
        "isthmus.dev/route": route,
        "app.kubernetes.io/managed-by": "isthmus",
        "app.kubernetes.io/component": "route",
    }
    ports = [{"name": "admin", "containerPort": port}]
    await cluster.client.create(
        kinds.PODS,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": cluster.namespace, "labels": labels},
            "spec": {"containers": [{"name": "route", "image": "runtime", "ports": ports}]},
        },
    )
    ready = {"type": "Ready", "status": "True", "reason": "", "message": ""}
    await cluster.play(
        "Pod", name, {"conditions": [ready], "podIP": address, "podIPs": [{"ip": address}]}
    )


@contextlib.asynccontextmanager
async def traffic(method: str, url: str) -> AsyncIterator[None]:
    """Requests one after the other, for as long as the block lasts."""

    async def send() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while True:
                (await client.request(method, url, json={})).raise_for_status()

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@contextlib.asynccontextmanager
async def running(manifest: str, folder: Path, *, count: int = 1) -> AsyncIterator[list[Replica]]:
    """Runtimes that listen at every address of this machine."""
    folder.mkdir()
    journal = folder / "journal"
    journal.write_text(f"sqlite:{folder / 'journal.db'}")
    environment = {"ISTHMUS_HOST": "0.0.0.0", "ISTHMUS_JOURNAL_FILE": str(journal)}  # noqa: S104
    (plan,) = manifests_text.plans(manifest)
    async with replicas(plan, count=count, folder=folder, environment=environment) as found:
        yield list(found)


async def test_what_routes_and_pods_do(
    cluster: Cluster, isthmus: Command, address: str, tmp_path: Path
) -> None:
    await cluster.apply(ROUTE, HOOK)
    async with (
        running(ROUTE, tmp_path / "it", count=2) as (busy, idle),
        running(HOOK, tmp_path / "hook") as (hook,),
    ):
        for name, replica in (("it-a", busy), ("it-b", idle), ("hook-a", hook)):
            route = name.partition("-")[0]
            await pod(cluster, name, route, address=address, port=replica.admin_port)
        async with traffic("GET", f"{busy.url}/it"), traffic("POST", f"{hook.url}/hook"):
            text = await isthmus.run("top", "--interval", "2s")
            of_one = await isthmus.run("top", "route/it", "--interval", "1s", "-o", "json")

    assert (text.returncode, text.stderr) == (0, "")
    head, of_hook, of_it = (line.split() for line in text.stdout.splitlines())
    assert head[:5] == ["NAME", "PODS", "REQ/S", "5XX/S", "P99"]
    assert of_it[:2] == ["it", "2"]
    assert float(of_it[2]) > 0
    assert of_it[3] == "0.0"
    assert of_it[4].endswith("s")
    assert of_it[5:8] == ["0.0", "0.0", "-"]
    assert of_hook[:2] == ["hook", "1"]
    assert float(of_hook[5]) > 0
    assert of_hook[7].endswith("s")
    assert float(of_hook[9]) >= 0
    pods: dict[str, Any] = {each["pod"]: each for each in json.loads(of_one.stdout)["pods"]}
    assert pods["it-a"]["requestsPerSecond"] > 0
    assert pods["it-b"]["requestsPerSecond"] == 0
    assert pods["it-b"]["requestP99Seconds"] is None


async def test_a_pod_that_does_not_answer_is_named(
    cluster: Cluster, isthmus: Command, address: str
) -> None:
    await cluster.apply(ROUTE)
    await pod(cluster, "it-a", "it", address=address, port=free_port())

    ended = await isthmus.run("top", "it", "--interval", "10ms")

    assert "isthmus: it-a does not answer: the API server refuses: " in ended.stderr
    assert ended.returncode == 1


async def test_what_it_needs(cluster: Cluster, isthmus: Command, address: str) -> None:
    nobody = await isthmus.run("top")
    await cluster.apply(ROUTE)
    await pod(cluster, "it-a", "it", address=address, port=free_port())
    somebody = isthmus.with_rights("get,list routes.isthmus.dev", "list pods")
    ended = await isthmus.run("top", "it", kubeconfig=somebody)
    wrong = await isthmus.run("top", "--interval", "0")

    assert (nobody.stdout, nobody.returncode) == ("no pods of Routes are ready here\n", 0)
    assert f"it needs get on pods/proxy in the namespace {cluster.namespace}" in ended.stderr
    assert ended.returncode == 2
    assert "--interval" in wrong.stderr
    assert wrong.returncode == 2
