"""Who scales a Route, as far as that can be known, on a real API server.

There is no controller of autoscalers here, so the tests play it: a write of the scale, and then of
what it came to.
"""

import json
from typing import Any

import manifests_text
from operating import Cluster, eventually

from isthmus_operator.desired import Journal, SecretKey

JOURNAL = Journal(SecretKey("orders-db", "dsn"), 5432)
ERP = manifests_text.connector("http://erp.example")
ROUTE = manifests_text.route("- call: {connector: erp}")
SCHEDULED = manifests_text.delivering({"schedule": {"cron": "@daily"}}, "- call: {connector: erp}")


async def scaled(cluster: Cluster, **expected: Any) -> dict[str, Any]:
    """`status.scale` of the Route, once its fields are as expected."""

    async def look() -> dict[str, Any]:
        found = await cluster.eventually_there("Route", "it")
        return dict(found.get("status", {}).get("scale", {}))

    return await eventually(
        look, until=lambda found: {name: found.get(name) for name in expected} == expected
    )


async def shown(cluster: Cluster) -> str:
    """What `kubectl get -o wide` says of who scaled it."""
    table = (await cluster.kubectl("get", "route", "it", "-o", "wide")).splitlines()
    return table[1][table[0].index("SCALED BY") :].strip()


async def came_to(cluster: Cluster, count: int) -> None:
    """Play the controller of autoscalers."""
    await cluster.kubectl("scale", "route/it", f"--replicas={count}")
    status = json.dumps({"status": {"desiredReplicas": count, "currentReplicas": count}})
    patch = ("patch", "hpa", "busy", "--subresource=status", "--type=merge", "-p", status)
    await cluster.kubectl(*patch)


async def test_an_autoscalers_count_is_told_from_any_other(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        assert await scaled(cluster, replicas=1) == {"replicas": 1}
        assert await shown(cluster) == ""

        await cluster.kubectl("scale", "route/it", "--replicas=2")
        await scaled(cluster, replicas=2, by="client")
        assert await shown(cluster) == "client"

        await cluster.kubectl("autoscale", "route/it", "--name=busy", "--max=5", "--cpu=70%")
        await scaled(cluster, autoscaler="busy")
        await came_to(cluster, 3)
        await scaled(cluster, replicas=3, by="HorizontalPodAutoscaler/busy")
        assert await shown(cluster) == "HorizontalPodAutoscaler/busy"

        await cluster.kubectl("delete", "hpa", "busy")
        found = await scaled(cluster, autoscaler=None)
        assert found == {"replicas": 3, "by": "HorizontalPodAutoscaler/busy"}

        told = [each.message for each in cluster.told if each.reason == "Scaled"]
        assert told == [
            "From 1 to 2 replicas.",
            "From 2 to 3 replicas; HorizontalPodAutoscaler 'busy' scales this Route.",
        ]


async def test_a_new_operator_tells_nothing_of_what_was_before(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.kubectl("autoscale", "route/it", "--name=busy", "--max=5", "--cpu=70%")
        await scaled(cluster, autoscaler="busy")
        await came_to(cluster, 3)
        await scaled(cluster, by="HorizontalPodAutoscaler/busy")
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
    before = await cluster.versions()
    cluster.told.clear()

    async with cluster.operator() as operator:
        await operator.queue.idle()

        assert await cluster.versions() == before
        assert cluster.told == []


async def test_autoscalers_of_other_things_are_none_of_ours(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.eventually_there("Deployment", "it")
        await cluster.kubectl("autoscale", "deployment/it", "--max=5", "--cpu=70%")
        await cluster.kubectl("scale", "route/it", "--replicas=2")

        assert await scaled(cluster, replicas=2) == {"replicas": 2, "by": "client"}


async def test_more_pods_than_are_of_use_are_told_of(cluster: Cluster) -> None:
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, SCHEDULED)
        await scaled(cluster, maxUsefulReplicas=1)
        await cluster.rolled_out("it")
        ready = await cluster.condition("Route", "it", status="True")
        assert ready["message"] == "1 pod answers."

        await cluster.kubectl("scale", "route/it", "--replicas=2")
        await scaled(cluster, replicas=2)
        await cluster.rolled_out("it")

        ready = await cluster.condition("Route", "it", status="True")
        assert ready["message"] == (
            "2 pods answer. No more than 1 can work at a time: messages of a schedule come singly."
        )
