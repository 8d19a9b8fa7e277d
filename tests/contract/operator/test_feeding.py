"""Routes that feed others: who names whom is known, in whatever order they come."""

import json

import manifests_text
import pytest
from operating import Cluster, eventually

ERP = manifests_text.connector("http://erp.example")
CALL = "- call: {connector: erp, method: POST}"
IN = manifests_text.delivering({"webhook": {"path": "/in", "open": True}}, CALL, name="orders-in")


def fed(by: str, name: str) -> str:
    return manifests_text.delivering({"route": {"name": by}}, CALL, name=name)


async def feeds(cluster: Cluster, route: str) -> list[str] | None:
    """Whom the plan that the Deployment runs feeds."""
    deployment = await cluster.eventually_there("Deployment", route)
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    name = next(each["configMap"]["name"] for each in volumes if "configMap" in each)
    config_map = await cluster.eventually_there("ConfigMap", name)
    found: list[str] | None = json.loads(config_map["data"]["plan.json"]).get("feeds")
    return found


async def eventually_feeds(cluster: Cluster, names: list[str]) -> None:
    await eventually(lambda: feeds(cluster, "orders-in"), until=lambda found: found == names)


async def test_a_route_feeds_those_that_name_it_as_they_come_and_go(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, IN)
        await cluster.condition("Route", "orders-in", "ConfigValid", status="True")
        assert await feeds(cluster, "orders-in") is None

        await cluster.apply(fed("orders-in", "stock"))
        await eventually_feeds(cluster, ["stock"])
        await cluster.apply(fed("orders-in", "mail"))
        await eventually_feeds(cluster, ["mail", "stock"])

        await cluster.kubectl("delete", "route", "stock", "--wait=false")
        await eventually_feeds(cluster, ["mail"])


async def test_a_route_waits_for_the_one_that_feeds_it(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, fed("orders-in", "stock"))
        ready = await cluster.condition("Route", "stock", status="False")
        assert ready["reason"] == "RouteNotFound"
        await cluster.condition("Route", "stock", "Reconciling", status="True")
        assert await cluster.all("Deployment") == []

        await cluster.apply(IN)

        await cluster.eventually_there("Deployment", "stock")
        assert await feeds(cluster, "orders-in") == ["stock"]


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c")])
async def test_a_circle_is_a_mistake_of_all_in_it(cluster: Cluster, names: tuple[str, ...]) -> None:
    before = dict(zip(names, (*names[1:], names[0]), strict=True))
    async with cluster.operator():
        await cluster.apply(ERP, *(fed(by, name) for name, by in before.items()))

        for name in names:
            ready = await cluster.condition("Route", name, status="False", reason="RouteCycle")
            assert ready["message"].startswith("spec.source.route.name: the Routes feed each other")
            await cluster.condition("Route", name, "Stalled", status="True")


async def test_a_connector_that_only_a_poll_names_is_found(cluster: Cluster) -> None:
    poll = {"poll": {"every": "5m", "call": {"connector": "pim"}}}
    async with cluster.operator():
        await cluster.apply(ERP, manifests_text.delivering(poll, CALL))
        ready = await cluster.condition("Route", "it", status="False")
        assert ready["reason"] == "ConnectorNotFound"

        await cluster.apply(manifests_text.connector("http://pim.example", name="pim"))

        await cluster.eventually_there("Deployment", "it")
        assert (await cluster.eventually_there("Connector", "pim"))["status"]["usedBy"] == 1
