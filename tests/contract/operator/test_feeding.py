"""Routes that feed others, on a real API server: each knows whom, at all times."""

import json
from typing import Any

import manifests_text
from operating import Cluster, eventually

from isthmus_operator.desired import Journal, SecretKey

JOURNAL = Journal(SecretKey("orders-db", "dsn"), 5432)
ERP = manifests_text.connector("http://erp.example")
INTAKE = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: intake}
spec:
  source: {webhook: {path: /hook, open: true}}
  steps: [{map: {expression: "$"}}]
"""


def fed(name: str, *, by: str = "intake", key: str = "{% number %}") -> str:
    """A Route that gets the results of another."""
    spec: dict[str, Any] = {
        "source": {"route": {"name": by}},
        "message": {"key": key},
        "steps": [{"call": {"connector": "erp", "method": "PUT", "path": f"/{name}"}}],
    }
    head = {"apiVersion": "isthmus.dev/v1alpha1", "kind": "Route", "metadata": {"name": name}}
    return json.dumps(head | {"spec": spec})


async def feeds(cluster: Cluster, name: str) -> list[str]:
    """The Routes that the plan in the Deployment's pods feeds."""
    return sorted((await running_plan(cluster, name)).get("feeds", {}))


async def running_plan(cluster: Cluster, name: str) -> dict[str, Any]:
    """The plan in the ConfigMap that the Deployment mounts."""
    deployment = await cluster.get("Deployment", name)
    if deployment is None:
        return {}
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    [mounted] = [each["configMap"]["name"] for each in volumes if "configMap" in each]
    found = await cluster.get("ConfigMap", mounted)
    plan: dict[str, Any] = json.loads(found["data"]["plan.json"]) if found else {}
    return plan


async def until_fed(cluster: Cluster, *names: str, by: str = "intake") -> None:
    """Return once the Route feeds exactly these."""
    await eventually(lambda: feeds(cluster, by), until=lambda found: found == list(names))


async def test_a_route_feeds_those_that_name_it_as_they_come_and_go(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, INTAKE)
        await cluster.rolled_out("intake")

        await cluster.apply(fed("to-erp"))
        await until_fed(cluster, "to-erp")
        await cluster.apply(fed("to-crm"))
        await until_fed(cluster, "to-crm", "to-erp")

        await cluster.kubectl("delete", "route", "to-erp")
        await until_fed(cluster, "to-crm")


async def test_a_route_that_is_fed_by_another_one_leaves_the_first(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, INTAKE, INTAKE.replace("name: intake", "name: other"))
        await cluster.apply(fed("to-erp"))
        await until_fed(cluster, "to-erp")

        await cluster.apply(fed("to-erp", by="other"))

        await until_fed(cluster)
        await until_fed(cluster, "to-erp", by="other")


async def test_a_route_waits_for_the_one_that_feeds_it(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, fed("to-erp"))
        ready = await cluster.condition("Route", "to-erp", status="False")
        assert ready["reason"] == "RouteNotFound"
        await cluster.condition("Route", "to-erp", "Reconciling", status="True")
        assert await cluster.all("Deployment") == []

        await cluster.apply(INTAKE)

        await cluster.rolled_out("to-erp")
        await cluster.condition("Route", "to-erp", status="True")
        await until_fed(cluster, "to-erp")


async def test_a_fed_route_that_cannot_be_used_is_fed_nevertheless(cluster: Cluster) -> None:
    """Its pods of before still run, or will; what came meanwhile would be lost."""
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, INTAKE, fed("to-erp"))
        await until_fed(cluster, "to-erp")

        await cluster.apply(fed("to-erp", key="{% number"))

        await cluster.condition("Route", "to-erp", reason="ExpressionInvalid")
        assert await feeds(cluster, "intake") == ["to-erp"]


async def test_routes_that_would_feed_each_other_for_ever_are_told(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, INTAKE, fed("second"), fed("third", by="second"))
        await until_fed(cluster, "third", by="second")

        await cluster.apply(fed("intake", by="third"))

        ready = await cluster.condition("Route", "intake", reason="RouteCycle")
        assert "intake -> second -> third -> intake" in ready["message"]
        await cluster.condition("Route", "intake", "Stalled", status="True")


async def test_a_poll_waits_for_its_connector(cluster: Cluster) -> None:
    polled = INTAKE.replace(
        "webhook: {path: /hook, open: true}", "poll: {every: 5m, call: {connector: erp}}"
    )
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(polled)
        ready = await cluster.condition("Route", "intake", status="False")
        assert ready["reason"] == "ConnectorNotFound"

        await cluster.apply(ERP)

        await cluster.rolled_out("intake")
        await cluster.condition("Route", "intake", status="True")
