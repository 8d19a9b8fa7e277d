"""The condition `SchemaDrift`: real Routes' processes tell, and a real operator asks them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import pytest
import upstreams
import vendor_apis
from cluster_command import Command
from operating import Cluster, eventually
from prometheus_client import CollectorRegistry
from route_process import Replica

from isthmus_operator import desired, metrics
from isthmus_operator.kube import kinds

PIM = vendor_apis.FILES["pim"].read_text()
GOOD = {"sku": "CH-1", "name": "Chair", "updated_at": "2026-01-01T00:00:00Z"}
SECRET = "4111-1111"
DRIFTED = {"sku": 7, "updated_at": "now", "colour": SECRET}
TOLD = (
    "pim: the answer of GET /products/{sku}: $.colour is new, $.name is missing, "
    "$.sku is integer, not string"
)
SOON = 0.2
CALLS = "- call: {connector: pim, path: /products/1}"


@dataclass
class Vendor:
    """A vendor's system, whose answers change."""

    system: upstreams.Upstream
    answer: dict[str, Any]


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    found = Vendor(upstreams.Upstream(lambda _: upstreams.answer(found.answer)), GOOD)
    await found.system.start()
    yield found
    await found.system.stop()


@pytest.fixture
async def started() -> AsyncIterator[list[Replica]]:
    found: list[Replica] = []
    yield found
    for each in found:
        await each.end()


async def declare(cluster: Cluster, vendor: Vendor, *, contract: bool = True) -> None:
    """A Route that calls the vendor, up and running as far as anybody can tell."""
    document = {"metadata": {"name": "pim-openapi"}, "data": {"openapi.yaml": PIM}}
    await cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", **document})
    openapi = {"configMapKeyRef": {"name": "pim-openapi", "key": "openapi.yaml"}}
    held = {"contract": {"openapi": openapi}} if contract else {}
    pim = manifests_text.connector(vendor.system.url, name="pim", **held)
    await cluster.apply(pim, manifests_text.route(CALLS))
    await cluster.rolled_out("it")
    await cluster.condition("Route", "it", status="True")


async def replica(cluster: Cluster, folder: Path, started: list[Replica], name: str) -> Replica:
    """A pod: the process that its Deployment asks for, and what the kubelet says of it."""
    deployment = await cluster.eventually_there("Deployment", "it")
    plan = deployment["spec"]["template"]["metadata"]["annotations"][desired.PLAN_ANNOTATION]
    planned = await cluster.client.get(
        kinds.CONFIG_MAPS, cluster.namespace, desired.config_map_name("it", plan)
    )
    folder = folder / name
    (folder / "pim-openapi").mkdir(parents=True)
    (folder / "pim-openapi/openapi.yaml").write_text(PIM)
    (folder / "plan.json").write_text(planned["data"][desired.PLAN_FILE])
    made = Replica(folder / "plan.json", {"ISTHMUS_CONTRACTS": str(folder)}, folder / "log")
    started.append(made)
    await made.start()
    await made.until_ready()
    await cluster.pod("it", name=name, admin_port=made.admin_port)
    return made


async def called(made: Replica) -> None:
    """Call the Route, and wait until the answer that it got has been looked at."""
    async with httpx.AsyncClient(timeout=30) as client:
        before = await _looked(client, made)
        assert (await client.get(f"{made.url}/it")).is_success
        await eventually(lambda: _looked(client, made), until=lambda now: now != before)


async def _looked(client: httpx.AsyncClient, made: Replica) -> int:
    page = (await client.get(f"{made.admin_url}/status")).json()
    return sum(each["answers"] for each in page.get("contracts", ()))


def events(cluster: Cluster) -> list[tuple[str, str]]:
    told = ("SchemaDrift", "AnswersFit")
    return [(each.kind, each.reason) for each in cluster.told if each.reason in told]


def visits(result: str, registry: CollectorRegistry = metrics.REGISTRY) -> float:
    return registry.get_sample_value("isthmus_operator_visits_total", {"result": result}) or 0.0


async def test_a_difference_is_a_condition_until_it_is_seen_no_more(
    cluster: Cluster, vendor: Vendor, tmp_path: Path, started: list[Replica], isthmus: Command
) -> None:
    async with cluster.operator(visit_every=SOON):
        await declare(cluster, vendor)
        first = await cluster.condition("Route", "it", "SchemaDrift")
        made = await replica(cluster, tmp_path, started, "it-1")
        await called(made)
        calm = await cluster.condition("Route", "it", "SchemaDrift", status="False")

        await made.kill()
        vendor.answer = DRIFTED
        await made.start()
        await made.until_ready()
        await called(made)
        drift = await cluster.condition("Route", "it", "SchemaDrift", status="True")
        ready = await cluster.condition("Route", "it")
        traced = await asyncio.to_thread(isthmus, "trace", "it")

        await made.kill()
        vendor.answer = GOOD
        await made.start()
        await made.until_ready()
        still = await cluster.condition("Route", "it", "SchemaDrift")
        await called(made)
        over = await cluster.condition("Route", "it", "SchemaDrift", status="False")
        found = await cluster.get("Route", "it")

    assert (first["status"], first["reason"]) == ("Unknown", "AnswersNotSeen")
    assert calm["reason"] == over["reason"] == "AnswersFit"
    assert (drift["reason"], drift["message"]) == ("SchemaDrift", TOLD)
    assert still["status"] == "True"
    assert (ready["status"], ready["reason"]) == ("True", "Running")
    assert events(cluster) == [("Warning", "SchemaDrift"), ("Normal", "AnswersFit")]
    assert TOLD in " ".join(traced.stdout.split())
    assert SECRET not in str(found) + str(cluster.told)


async def test_replicas_tell_together_and_an_idle_route_is_not_written(
    cluster: Cluster, vendor: Vendor, tmp_path: Path, started: list[Replica]
) -> None:
    async with cluster.operator(visit_every=SOON) as operator:
        await declare(cluster, vendor)
        one = await replica(cluster, tmp_path, started, "it-1")
        other = await replica(cluster, tmp_path, started, "it-2")
        await called(one)
        vendor.answer = DRIFTED
        await called(other)
        await cluster.condition("Route", "it", "SchemaDrift", status="True", message=TOLD)
        await operator.queue.idle()
        before, asked = await cluster.versions(), visits("told")

        await eventually(_visits_told, until=lambda now: now > asked + 10)
        await other.kill()
        failed = visits("failed")
        await eventually(_visits_failed, until=lambda now: now > failed + 3)
        await operator.queue.idle()

        assert await cluster.versions() == before

    async with cluster.operator(visit_every=SOON) as successor:
        asked = visits("told")
        await eventually(_visits_told, until=lambda now: now > asked + 3)
        await successor.queue.idle()

        assert await cluster.versions() == before


async def test_pods_of_other_routes_are_not_asked(
    cluster: Cluster, vendor: Vendor, tmp_path: Path, started: list[Replica]
) -> None:
    async with cluster.operator(visit_every=SOON) as operator:
        await declare(cluster, vendor, contract=False)
        await replica(cluster, tmp_path, started, "it-1")
        await operator.queue.idle()
        found = await cluster.get("Route", "it")

        assert found is not None
        assert "SchemaDrift" not in {each["type"] for each in found["status"]["conditions"]}
        assert operator.visits.routes() == []

        await declare(cluster, vendor)
        await cluster.condition("Route", "it", "SchemaDrift")
        await declare(cluster, vendor, contract=False)
        await eventually(lambda: cluster.get("Route", "it"), until=_says_nothing_of_drift)


def _says_nothing_of_drift(found: dict[str, Any] | None) -> bool:
    status = (found or {}).get("status", {})
    return "SchemaDrift" not in {each["type"] for each in status.get("conditions", ())}


async def _visits_told() -> float:
    return visits("told")


async def _visits_failed() -> float:
    return visits("failed")
