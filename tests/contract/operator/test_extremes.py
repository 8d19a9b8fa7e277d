"""What is as large, as long or as alike as it may be, and what is beyond that."""

import json

import manifests_text
import pytest
from control_plane import ControlPlaneError
from controllers import controllers
from operating import Cluster

from isthmus_operator.desired import MAX_PLAN_BYTES

ERP = manifests_text.connector("http://erp.example")
CALL = "- call: {connector: erp}"
LONGEST = "r" * 63
"""A Service may have no longer name."""


def _large(size: int, name: str = "it") -> str:
    """A Route whose answer has so many bytes."""
    body = {f"line-{number}": "x" * 1000 for number in range(size // 1000)}
    return manifests_text.route(f"- respond: {json.dumps({'body': body})}", name=name)


async def _refused(cluster: Cluster, document: str) -> str:
    """What the API server says of a manifest that it does not take."""
    with pytest.raises(ControlPlaneError) as refused:
        await cluster.apply(document)
    return str(refused.value)


async def test_a_route_with_the_longest_name_runs_as_any_other(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, manifests_text.route(CALL, name=LONGEST))

        await cluster.condition("Route", LONGEST, status="True")
        for kind in ("Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget"):
            assert [each["metadata"]["name"] for each in await cluster.all(kind)] == [LONGEST]


async def test_a_name_that_no_service_may_have_is_refused(cluster: Cluster) -> None:
    said = await _refused(cluster, manifests_text.route(CALL, name=f"{LONGEST}r"))

    assert "metadata.name" in said or "name" in said
    assert "63" in said


async def test_a_connector_may_be_named_as_long_as_a_route_can_name_it(cluster: Cluster) -> None:
    longest = "c" * 63
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(manifests_text.connector("http://erp.example", name=longest))
        await cluster.apply(manifests_text.route(f"- call: {{connector: {longest}}}"))

        await cluster.condition("Route", "it", status="True")
        said = await _refused(cluster, manifests_text.route(f"- call: {{connector: {longest}c}}"))
        assert "spec.steps[0].call.connector" in said
        assert "63" in said


async def test_two_routes_with_one_path_run_beside_each_other(cluster: Cluster) -> None:
    """Each has a Service of its own, so their paths never meet."""
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, *(manifests_text.route(CALL, name=name) for name in ("a", "b")))

        for name in ("a", "b"):
            await cluster.condition("Route", name, status="True")
            service = await cluster.eventually_there("Service", name)
            assert service["spec"]["selector"] == {"isthmus.dev/route": name}


async def test_a_route_of_nearly_a_megabyte_runs(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(_large(900_000))

        await cluster.condition("Route", "it", status="True")


async def test_a_plan_that_no_config_map_holds_is_told(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(_large(MAX_PLAN_BYTES + 10_000))

        ready = await cluster.condition("Route", "it", status="False", reason="PlanTooLarge")
        assert str(MAX_PLAN_BYTES) in ready["message"]
        await cluster.condition("Route", "it", "Stalled", status="True")
        assert await cluster.all("Deployment") == []

        await cluster.apply(_large(500_000))
        await cluster.condition("Route", "it", status="True")


async def test_what_etcd_does_not_take_is_refused_and_changes_nothing(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(_large(500_000))
        await cluster.condition("Route", "it", status="True")
        before = await cluster.versions()

        said = await _refused(cluster, _large(2_000_000))

        assert "too large" in said
        assert await cluster.versions() == before
