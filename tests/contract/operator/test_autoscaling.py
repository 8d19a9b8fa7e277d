"""`spec.autoscaling`: the autoscaler that the operator makes, on a real API server.

There is no controller of autoscalers here, so the tests play it: a write of the Deployment's scale.
"""

import json
from collections.abc import Sequence
from typing import Any

import manifests_text
import pytest
from controllers import controllers
from history import History
from operating import Cluster, eventually

from isthmus_operator.desired import Journal, SecretKey

JOURNAL = Journal(SecretKey("orders-db", "dsn"), 5432)
ERP = manifests_text.connector("http://erp.example")
CALL = "- call: {connector: erp}"
PLAIN = manifests_text.route(CALL)
Object = dict[str, Any]


def autoscaled(least: int = 2, most: int = 5, **spec: Any) -> str:
    autoscaling = {"minReplicas": least, "maxReplicas": most, "cpu": 70}
    return manifests_text.route(CALL, spec={"autoscaling": autoscaling, **spec})


async def runs(cluster: Cluster, count: int) -> Object:
    """The Deployment, once it has this count."""
    return await eventually(
        lambda: cluster.eventually_there("Deployment", "it"),
        until=lambda found: found["spec"]["replicas"] == count,
    )


async def came_to(cluster: Cluster, count: int) -> None:
    """Play the controller of autoscalers."""
    await cluster.kubectl("scale", "deployment/it", f"--replicas={count}")


async def scaling(cluster: Cluster, **expected: Any) -> Object:
    return await cluster.condition("Route", "it", "ScalingActive", **expected)


async def spec(cluster: Cluster) -> Object:
    found: Object = (await cluster.eventually_there("Route", "it"))["spec"]
    return found


async def shown(cluster: Cluster, column: str) -> str:
    """What `kubectl get -o wide` says."""
    table = (await cluster.kubectl("get", "route", "it", "-o", "wide")).splitlines()
    return table[1][table[0].index(column) :].split()[0]


def counts(history: Sequence[Object]) -> list[int]:
    """The counts of a Deployment over its versions, each once in a row."""
    found = [each["spec"]["replicas"] for each in history]
    return [now for before, now in zip([None, *found], found, strict=False) if now != before]


async def test_it_is_made_and_scales_the_deployment_and_not_the_route(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, autoscaled())
        made = await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        await runs(cluster, 2)
        told = await scaling(cluster, status="True")
        written = (await cluster.eventually_there("Route", "it"))["metadata"]["generation"]

        await came_to(cluster, 4)
        await eventually(lambda: shown(cluster, "AVAILABLE"), until=lambda text: text == "4")
        await cluster.condition("Route", "it", status="True", message="4 pods answer.")

        route = await cluster.eventually_there("Route", "it")
        scaled_by = await shown(cluster, "SCALED BY")
        replicas = await shown(cluster, "REPLICAS")

    assert made["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "it",
    }
    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"]) == (2, 5)
    assert told["message"] == "HorizontalPodAutoscaler 'it' scales between 2 and 5 pods."
    assert (route["metadata"]["generation"], route["spec"]["replicas"]) == (written, 1)
    assert route["status"]["scale"] == {
        "replicas": 4,
        "by": "HorizontalPodAutoscaler/it",
        "autoscaler": "it",
    }
    assert (scaled_by, replicas) == ("HorizontalPodAutoscaler/it", "4")
    assert [each.message for each in cluster.told if each.reason == "Scaled"][-1] == (
        "From 2 to 4 replicas; HorizontalPodAutoscaler 'it' scales this Route."
    )


async def test_nothing_is_written_while_nothing_happens(cluster: Cluster) -> None:
    async with cluster.operator() as operator, controllers(cluster):
        await cluster.apply(ERP, autoscaled())
        await runs(cluster, 2)
        await came_to(cluster, 3)
        await cluster.condition("Route", "it", status="True", message="3 pods answer.")
        await scaling(cluster, status="True")
        await operator.queue.idle()
        before = await cluster.versions()

        for key in list(operator.declared):
            operator.queue.add(key)
        await operator.queue.idle()

        assert await cluster.versions() == before

    async with cluster.operator() as another:
        await another.queue.idle()
        assert await cluster.versions() == before


async def test_a_change_of_the_route_leaves_the_autoscalers_count(cluster: Cluster) -> None:
    await cluster.apply(ERP)
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(autoscaled())
        await runs(cluster, 2)
        await came_to(cluster, 4)
        history = History(cluster, "Deployment")
        async with history.kept():
            await cluster.apply(autoscaled(env={"edit": "one"}))
            await cluster.apply(autoscaled(most=6, env={"edit": "two"}))
            await eventually(
                lambda: cluster.eventually_there("HorizontalPodAutoscaler", "it"),
                until=lambda found: found["spec"]["maxReplicas"] == 6,
            )
            await cluster.condition("Route", "it", status="True")
            await history.caught_up()

    assert counts(history.of("Deployment", "it")) == [4]


@pytest.mark.parametrize(
    ("before", "after"), [(3, [3]), (1, [1, 2]), (9, [9, 5])], ids=["within", "below", "above"]
)
async def test_a_fixed_count_is_handed_over_without_a_dip(
    cluster: Cluster, before: int, after: list[int]
) -> None:
    await cluster.apply(ERP)
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(manifests_text.route(CALL, spec={"replicas": before}))
        await runs(cluster, before)
        history = History(cluster, "Deployment")
        async with history.kept():
            await cluster.apply(autoscaled())
            await scaling(cluster, status="True")
            await cluster.condition("Route", "it", status="True")
            await history.caught_up()

    assert counts(history.of("Deployment", "it")) == after


async def test_a_count_that_somebody_set_is_handed_over_with_the_default_beside(
    cluster: Cluster,
) -> None:
    """`kubectl scale` left 3, which no manifest has; saying 1 says nothing."""
    await cluster.apply(ERP, PLAIN)
    async with cluster.operator(), controllers(cluster):
        await cluster.kubectl("scale", "route/it", "--replicas=3")
        await runs(cluster, 3)
        history = History(cluster, "Deployment")
        async with history.kept():
            await cluster.apply(autoscaled(replicas=1))
            await scaling(cluster, status="True")
            await history.caught_up()

    assert counts(history.of("Deployment", "it")) == [3]


async def test_without_it_the_count_stays_until_another_is_said(cluster: Cluster) -> None:
    await cluster.apply(ERP)
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(autoscaled())
        await runs(cluster, 2)
        await came_to(cluster, 4)
        history = History(cluster, "Deployment")
        async with history.kept():
            await cluster.apply(PLAIN)
            await cluster.eventually_gone("HorizontalPodAutoscaler", "it")
            await cluster.apply(manifests_text.route(CALL, env={"edit": "one"}))
            await cluster.condition("Route", "it", status="True", message="4 pods answer.")
            await history.caught_up()
        stayed = await spec(cluster)
        replicas = await shown(cluster, "REPLICAS")

        # What somebody does to the Deployment is undone again.
        await cluster.kubectl("scale", "deployment/it", "--replicas=7")
        await runs(cluster, 4)
        await cluster.kubectl("scale", "route/it", "--replicas=2")
        await runs(cluster, 2)
        await cluster.kubectl("scale", "route/it", "--replicas=1")
        await runs(cluster, 1)

    types = (await cluster.eventually_there("Route", "it"))["status"]["conditions"]
    assert "ScalingActive" not in {each["type"] for each in types}
    assert counts(history.of("Deployment", "it")) == [4]
    assert (stayed["replicas"], replicas) == (1, "4")


async def test_a_fixed_count_takes_its_place(cluster: Cluster) -> None:
    await cluster.apply(ERP)
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(autoscaled())
        await runs(cluster, 2)
        await came_to(cluster, 4)
        history = History(cluster, "Deployment")
        async with history.kept():
            await cluster.apply(manifests_text.route(CALL, spec={"replicas": 3}))
            await cluster.eventually_gone("HorizontalPodAutoscaler", "it")
            await runs(cluster, 3)
            await history.caught_up()

    assert counts(history.of("Deployment", "it")) == [4, 3]


async def test_a_pause_wins_and_ends_with_the_autoscalers_count(cluster: Cluster) -> None:
    """An autoscaler leaves 0 pods alone, so the operator brings them back."""
    await cluster.apply(ERP)
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(autoscaled())
        await runs(cluster, 2)
        await came_to(cluster, 4)
        await cluster.condition("Route", "it", status="True", message="4 pods answer.")
        history = History(cluster, "Deployment")
        async with history.kept():
            await cluster.patch("route", "it", {"spec": {"paused": True}})
            await cluster.condition("Route", "it", reason="Paused")
            await runs(cluster, 0)
            paused = (await cluster.eventually_there("Route", "it"))["status"]["scale"]["replicas"]
            there = await cluster.get("HorizontalPodAutoscaler", "it")
            await cluster.patch("route", "it", {"spec": {"paused": False}})
            await runs(cluster, 4)
            await scaling(cluster, status="True")
            await history.caught_up()

    assert counts(history.of("Deployment", "it")) == [4, 0, 4]
    assert (paused, there is not None) == (4, True)


async def test_a_deployment_that_is_deleted_comes_back_with_the_least(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, autoscaled(least=3))
        before = (await runs(cluster, 3))["metadata"]["uid"]

        await cluster.kubectl("delete", "deployment", "it")
        await eventually(
            lambda: cluster.eventually_there("Deployment", "it"),
            until=lambda found: (
                found["metadata"]["uid"] != before and found["spec"]["replicas"] == 3
            ),
        )
        # An autoscaler would leave it there.
        await cluster.kubectl("scale", "deployment/it", "--replicas=0")
        await runs(cluster, 3)


@pytest.mark.parametrize("target", ["deployment", "route"])
async def test_one_of_somebody_else_is_reported_and_not_fought(
    cluster: Cluster, target: str
) -> None:
    async with cluster.operator() as operator, controllers(cluster):
        await cluster.apply(ERP, autoscaled())
        await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        await runs(cluster, 2)

        await cluster.kubectl("autoscale", f"{target}/it", "--name=busy", "--max=9", "--cpu=70%")
        told = await scaling(cluster, status="False", reason="AutoscalerConflict")
        await cluster.eventually_gone("HorizontalPodAutoscaler", "it")
        await came_to(cluster, 8)
        await cluster.condition("Route", "it", status="True", message="8 pods answer.")
        await operator.queue.idle()
        left_alone = (await cluster.eventually_there("Deployment", "it"))["spec"]["replicas"]

        await cluster.kubectl("delete", "hpa", "busy")
        await scaling(cluster, status="True")
        await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        await runs(cluster, 5)

    assert told["message"] == (
        f"HorizontalPodAutoscaler 'busy' has this {target.title()} as its target, too, so none is "
        "made for spec.autoscaling; delete it, or remove spec.autoscaling"
    )
    assert left_alone == 8


async def test_the_scale_of_the_route_takes_no_other_count(cluster: Cluster) -> None:
    await cluster.apply(ERP, autoscaled())

    refused = await cluster.kubectl("scale", "route/it", "--replicas=3", check=False)

    assert refused == ""
    assert (await spec(cluster))["replicas"] == 1


async def test_why_it_cannot_scale_is_told_and_ready_is_not_touched(cluster: Cluster) -> None:
    missing = {
        "type": "ScalingActive",
        "status": "False",
        "reason": "FailedGetResourceMetric",
        "message": "the server could not find the requested resource (get pods.metrics.k8s.io)",
    }
    status = {"status": {"desiredReplicas": 2, "currentReplicas": 2, "conditions": [missing]}}
    patch = ("--subresource=status", "--type=merge", "-p", json.dumps(status))
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, autoscaled())
        await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        await cluster.kubectl("patch", "hpa", "it", *patch)

        told = await scaling(cluster, status="False", reason="AutoscalerIdle")
        await cluster.condition("Route", "it", status="True")

    assert told["message"] == (
        "HorizontalPodAutoscaler 'it' cannot scale: FailedGetResourceMetric; "
        "see `kubectl describe hpa it`"
    )


async def test_no_more_pods_are_made_than_are_of_use(cluster: Cluster) -> None:
    scheduled = manifests_text.delivering(
        {"schedule": {"cron": "@daily"}},
        CALL,
        autoscaling={"minReplicas": 2, "maxReplicas": 5, "cpu": 70},
    )
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(ERP, scheduled)
        made = await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        told = await scaling(cluster, status="True")
        count = (await cluster.eventually_there("Deployment", "it"))["spec"]["replicas"]

    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"], count) == (1, 1, 1)
    assert told["message"] == (
        "HorizontalPodAutoscaler 'it' scales between 1 and 1 pods. No more than 1 can work at a "
        "time: messages of a schedule come singly."
    )
