"""Routes that need a journal, on a real API server: with one, without one, and in between."""

import dataclasses
from typing import Any

import manifests_text
from operating import Cluster, eventually

from isthmus_operator.desired import Journal, SecretKey

JOURNAL = Journal(SecretKey("orders-db", "dsn"), 5432)
ERP = manifests_text.connector("http://erp.example")
CALL = "- call: {connector: erp}"
OVER_HTTP = manifests_text.route(CALL)
SCHEDULED = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: it}
spec:
  source: {schedule: {cron: "@hourly"}}
  steps: [{call: {connector: erp}}]
"""
WEBHOOK = SCHEDULED.replace('schedule: {cron: "@hourly"}', "webhook: {path: /hook, open: true}")


async def settle(cluster: Cluster) -> None:
    """Play the controllers until the Route is Ready."""
    await cluster.condition("Route", "it", "ConfigValid", status="True")
    await cluster.rolled_out("it")
    await cluster.condition("Route", "it", status="True")


async def ports_out(cluster: Cluster) -> list[int]:
    """Where the Route's pods may go, apart from DNS."""
    policy = await cluster.eventually_there("NetworkPolicy", "it")
    rules = policy["spec"]["egress"][1:]
    return [port["port"] for rule in rules for port in rule.get("ports", ())]


async def template(cluster: Cluster) -> dict[str, Any]:
    """The Route's pod template."""
    deployment = await cluster.eventually_there("Deployment", "it")
    found: dict[str, Any] = deployment["spec"]["template"]
    return found


async def test_without_a_journal_a_route_says_which_value_to_set(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, WEBHOOK)

        ready = await cluster.condition("Route", "it", status="False")

        assert ready["reason"] == "JournalNotConfigured"
        assert ready["message"].startswith("spec.source: this Route needs a journal")
        assert "journal.postgres.secretName" in ready["message"]
        await cluster.condition("Route", "it", "Stalled", status="True")
        assert await cluster.all("Deployment") == []

    async with cluster.operator(journal=JOURNAL):
        await settle(cluster)
        assert await ports_out(cluster) == [80, 5432]


async def test_pods_keep_their_journal_when_it_is_configured_no_more(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, WEBHOOK)
        await settle(cluster)
        before = await template(cluster)

    async with cluster.operator():
        await cluster.condition("Route", "it", reason="JournalNotConfigured")
        assert await template(cluster) == before
        assert await ports_out(cluster) == [80, 5432]

        await cluster.kubectl("scale", "route/it", "--replicas=3")
        await eventually(
            lambda: cluster.eventually_there("Deployment", "it"),
            until=lambda found: found["spec"]["replicas"] == 3,
        )
        assert await template(cluster) == before

    async with cluster.operator(journal=JOURNAL):
        await settle(cluster)
        assert await template(cluster) == before


async def test_a_route_that_would_need_a_journal_answers_over_http_meanwhile(
    cluster: Cluster,
) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, OVER_HTTP)
        await settle(cluster)
        before = await template(cluster)

        await cluster.apply(SCHEDULED)
        await cluster.condition("Route", "it", reason="JournalNotConfigured")

        assert await template(cluster) == before
        assert await cluster.get("Service", "it") is not None


async def test_a_route_that_answers_shares_with_others_where_there_is_a_journal(
    cluster: Cluster,
) -> None:
    limited = manifests_text.connector("http://erp.example", rateLimit={"requests": 60})
    async with cluster.operator():
        await cluster.apply(limited, OVER_HTTP)
        await settle(cluster)
        assert await ports_out(cluster) == [80]
        before = await template(cluster)

    async with cluster.operator(journal=JOURNAL):
        await eventually(lambda: template(cluster), until=lambda now: now != before)
        assert await ports_out(cluster) == [80, 5432]
        await settle(cluster)

    async with cluster.operator():
        await eventually(lambda: template(cluster), until=lambda now: now == before)
        await settle(cluster)


async def test_a_route_that_nobody_calls_any_more_loses_its_service(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, WEBHOOK)
        await settle(cluster)
        assert await cluster.get("Service", "it") is not None

        await cluster.apply(SCHEDULED)

        await cluster.eventually_gone("Service", "it")
        await settle(cluster)


async def test_a_missing_address_is_named_by_the_route_and_no_connector(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, WEBHOOK)
        waits = {"reason": "CreateContainerConfigError", "message": 'secret "orders-db" not found'}
        await cluster.pod("it", waiting=waits)

        ready = await cluster.condition("Route", "it", status="False")

        assert ready["reason"] == "SecretNotFound"
        assert "'orders-db'" in ready["message"]
        await cluster.condition("Connector", "erp", status="True")

        await cluster.pod("it")
        await settle(cluster)


async def test_another_port_of_the_database_rolls_no_pod(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, WEBHOOK)
        await settle(cluster)
        before = await template(cluster)

    async with cluster.operator(journal=dataclasses.replace(JOURNAL, port=6432)):
        await eventually(lambda: ports_out(cluster), until=lambda found: found == [80, 6432])
        assert await template(cluster) == before


async def test_another_database_rolls_the_pods(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, WEBHOOK)
        await settle(cluster)
        before = await template(cluster)

    async with cluster.operator(journal=Journal(SecretKey("other-db", "dsn"), 5432)):
        await eventually(lambda: template(cluster), until=lambda now: now != before)
        await settle(cluster)
