"""The operator on a real API server: what people apply, and what they get for it.

There is no node, so the tests play the Deployment controller and the kubelet where pods matter.
"""

import asyncio

import manifests_text
import pytest
from operating import Cluster, eventually

ERP = manifests_text.connector("http://erp.example")
MAPPING = manifests_text.mapping('{"n": n + 1}', name="plus-one")
FAILING = {"name": "one", "input": {"n": 1}, "expect": {"n": 3}}
CALL = "- call: {connector: erp}"
ROUTE = manifests_text.route(CALL)
MAPPED = manifests_text.route(f"{CALL}\n- map: {{mapping: plus-one}}")
SECRETIVE = """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: erp}
spec:
  http:
    baseUrl: http://erp.example
    auth: {bearer: {token: {secretKeyRef: {name: erp, key: token}}}}
"""


async def settle(cluster: Cluster, route: str = "it") -> None:
    """Play the controllers until a Route is Ready."""
    await cluster.condition("Route", route, "ConfigValid", status="True")
    await cluster.rolled_out(route)
    await cluster.condition("Route", route, status="True")


async def test_a_route_gets_its_children_and_becomes_ready(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        assert (await cluster.condition("Route", "it", status="Unknown"))["reason"] == "RollingOut"
        await cluster.condition("Route", "it", "Reconciling", status="True")

        await cluster.rolled_out("it")

        ready = await cluster.condition("Route", "it", status="True")
        assert ready["message"] == "1 pod answers."
        for kind in ("Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget"):
            assert [each["metadata"]["name"] for each in await cluster.all(kind)] == ["it"]
        status = (await cluster.eventually_there("Route", "it"))["status"]
        assert status["selector"] == "isthmus.dev/route=it"
        assert status["lastAppliedGeneration"] == status["observedGeneration"] == 1
        types = [each["type"] for each in status["conditions"]]
        assert types == ["Ready", "ConfigValid", "ReferencesResolved", "WorkloadAvailable"]


async def test_nothing_is_made_before_the_references_are_there(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(MAPPED)
        ready = await cluster.condition("Route", "it", status="False")
        assert ready["reason"] == "ConnectorNotFound"
        assert ready["message"].startswith("spec.steps[0].call.connector: there is no Connector")
        await cluster.condition("Route", "it", "Reconciling", status="True")
        assert await cluster.all("Deployment") == []

        await cluster.apply(MAPPING)
        await cluster.apply(ERP)

        await settle(cluster)


@pytest.mark.parametrize(
    ("change", "reason", "says"),
    [
        pytest.param(
            manifests_text.mapping('{"n": n +}', name="plus-one"),
            "ExpressionInvalid",
            "Mapping ",
            id="a Mapping with a syntax error",
        ),
        pytest.param(
            manifests_text.mapping('{"n": n + 1}', name="plus-one", tests=[FAILING]),
            "TestFailed",
            "the test 'one' fails",
            id="a Mapping whose own test fails",
        ),
        pytest.param(
            manifests_text.route(f"{CALL}\n- map: {{mapping: plus-one}}\n- filter: '{{% $nix %}}'"),
            "ExpressionInvalid",
            "spec.steps[2].filter",
            id="a Route with an unknown variable",
        ),
        pytest.param(
            manifests_text.route("- call: {connector: nobody}"),
            "ConnectorNotFound",
            "there are: erp",
            id="a Route that names a Connector which is not there",
        ),
    ],
)
async def test_a_bad_change_leaves_running_pods_alone_and_mending_heals(
    cluster: Cluster, change: str, reason: str, says: str
) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, MAPPING, MAPPED)
        await settle(cluster)
        before = (await cluster.eventually_there("Deployment", "it"))["spec"]

        await cluster.apply(change)
        ready = await cluster.condition("Route", "it", status="False")

        assert ready["reason"] == reason
        assert says in ready["message"]
        assert (await cluster.eventually_there("Deployment", "it"))["spec"] == before
        shown = (await cluster.kubectl("get", "route", "it", "-o", "wide")).splitlines()[1]
        assert shown.split()[-1] == "1"  # LASTAPPLIED: the generation that goes on

        await cluster.kubectl("scale", "route/it", "--replicas=3")
        deployment = await eventually(
            lambda: cluster.eventually_there("Deployment", "it"),
            until=lambda found: found["spec"]["replicas"] == 3,
        )
        assert deployment["spec"]["template"] == before["template"]

        await cluster.kubectl("scale", "route/it", "--replicas=1")
        await cluster.apply(MAPPING, MAPPED)
        await settle(cluster)


async def test_a_broken_mapping_stalls_and_names_its_users(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(MAPPING, MAPPED)
        await cluster.condition("Mapping", "plus-one", status="True")
        await eventually(
            lambda: cluster.eventually_there("Mapping", "plus-one"),
            until=lambda found: (
                (found["status"].get("usedBy"), found["status"].get("routes")) == (1, ["it"])
            ),
        )

        await cluster.apply(manifests_text.mapping('{"n": n +}', name="plus-one"))

        await cluster.condition("Mapping", "plus-one", status="False", reason="ExpressionInvalid")
        await cluster.condition("Mapping", "plus-one", "Stalled", status="True")


async def test_a_change_rolls_the_routes_that_use_it_and_no_other(cluster: Cluster) -> None:
    async with cluster.operator():
        other = manifests_text.route(CALL, name="other", path="/other")
        await cluster.apply(ERP, MAPPING, MAPPED, other)
        await settle(cluster)
        await settle(cluster, "other")
        before = await cluster.versions()

        await cluster.apply(manifests_text.mapping('{"n": n + 2}', name="plus-one"))
        await cluster.condition("Route", "it", status="Unknown")
        await settle(cluster)

        now = await cluster.versions()
        changed = {name for name in before.keys() & now if before[name] != now[name]}
        assert changed == {"Route/it", "Deployment/it", "Mapping/plus-one"}


async def test_scaling_touches_one_deployment_and_no_template(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE, manifests_text.route(CALL, name="other", path="/other"))
        await settle(cluster)
        await settle(cluster, "other")
        before = await cluster.versions()
        template = (await cluster.eventually_there("Deployment", "it"))["spec"]["template"]

        for count in (5, 2, 0):
            await cluster.kubectl("scale", "route/it", f"--replicas={count}")
            await settle(cluster)
            deployment = await cluster.eventually_there("Deployment", "it")
            assert deployment["spec"]["replicas"] == count
            assert deployment["spec"]["template"] == template

        assert (await cluster.condition("Route", "it"))["reason"] == "ScaledToZero"
        now = await cluster.versions()
        assert {name for name in now if before.get(name) != now[name]} == {
            "Route/it",
            "Deployment/it",
        }


async def test_a_paused_route_has_no_pods_and_comes_back_with_its_count(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.kubectl("scale", "route/it", "--replicas=3")
        await settle(cluster)

        paused = '{"spec": {"paused": true}}'
        await cluster.kubectl("patch", "route", "it", "--type=merge", "-p", paused)
        ready = await cluster.condition("Route", "it", status="False")
        assert ready["reason"] == "Paused"
        await cluster.condition("Route", "it", "Paused", status="True")
        types = (await cluster.eventually_there("Route", "it"))["status"]["conditions"]
        assert {"Stalled", "Reconciling"}.isdisjoint(each["type"] for each in types)
        assert (await cluster.eventually_there("Deployment", "it"))["spec"]["replicas"] == 0

        # An autoscaler that knows nothing of the pause.
        await cluster.kubectl("scale", "route/it", "--replicas=4")
        await cluster.condition("Route", "it", reason="Paused")
        assert (await cluster.eventually_there("Deployment", "it"))["spec"]["replicas"] == 0

        goes_on = '{"spec": {"paused": false}}'
        await cluster.kubectl("patch", "route", "it", "--type=merge", "-p", goes_on)
        await eventually(
            lambda: cluster.eventually_there("Deployment", "it"),
            until=lambda found: found["spec"]["replicas"] == 4,
        )


async def test_a_missing_secret_is_named_until_it_is_there(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(SECRETIVE, ROUTE)
        waits = {"reason": "CreateContainerConfigError", "message": 'secret "erp" not found'}
        await cluster.pod("it", waiting=waits)

        for kind, name in (("Route", "it"), ("Connector", "erp")):
            ready = await cluster.condition(kind, name, status="False")
            assert ready["reason"] == "SecretNotFound"
            assert "'erp'" in ready["message"]
            await cluster.condition(kind, name, "Reconciling", status="True")

        waits["message"] = f"couldn't find key token in Secret {cluster.namespace}/erp"
        await cluster.pod("it", waiting=waits)
        await eventually(
            lambda: cluster.condition("Connector", "erp"),
            until=lambda ready: "has no key 'token'" in ready["message"],
        )

        await cluster.pod("it")
        await settle(cluster)
        await cluster.condition("Connector", "erp", status="True")
        await cluster.condition("Connector", "erp", "ReferencesResolved", status="True")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"type": "Progressing", "status": "False"}, "ProgressDeadlineExceeded"),
    ],
)
async def test_a_rollout_that_cannot_end_stalls(
    cluster: Cluster, trouble: dict[str, str], reason: str
) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        deployment = await cluster.eventually_there("Deployment", "it")
        condition = trouble | {"reason": reason, "message": "it has timed out"}
        seen = deployment["metadata"]["generation"]
        await cluster.play(
            "Deployment", "it", {"observedGeneration": seen, "conditions": [condition]}
        )

        ready = await cluster.condition("Route", "it", status="False")
        assert ready["reason"] == reason
        assert "it has timed out" in ready["message"]
        await cluster.condition("Route", "it", "Stalled", status="True")


async def test_what_runs_is_told_of_once_a_transition(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ROUTE)
        await cluster.condition("Route", "it", status="False")
        await cluster.apply(ERP)
        await settle(cluster)
        await cluster.kubectl("label", "route", "it", "some=label")
        await cluster.kubectl("scale", "route/it", "--replicas=2")
        await settle(cluster)

        async def told() -> list[tuple[str, str]]:
            return [(each.kind, each.reason) for each in cluster.told if each.name == "it"]

        wanted = [
            ("Warning", "ConnectorNotFound"),
            ("Normal", "RollingOut"),
            ("Normal", "Running"),
            ("Normal", "RollingOut"),
            ("Normal", "Scaled"),
            ("Normal", "Running"),
        ]
        # A transition is told of once its status is written.
        await eventually(told, until=lambda found: len(found) >= len(wanted))
        assert await told() == wanted


async def test_everything_stays_still_when_nothing_changes(cluster: Cluster) -> None:
    async with cluster.operator() as operator:
        await cluster.apply(ERP, MAPPING, MAPPED)
        await settle(cluster)
        for kind, name in (("Connector", "erp"), ("Mapping", "plus-one")):
            await eventually(
                lambda kind=kind, name=name: cluster.eventually_there(kind, name),  # type: ignore[misc] # bound per kind
                until=lambda found: found["status"].get("usedBy") == 1,
            )
        # The API server keeps managers in the order of their last writes, and writes when an
        # apply changes no more than this order. From here on it stays.
        await cluster.apply(ERP, MAPPING, MAPPED)
        before = await cluster.versions()

        await cluster.apply(ERP, MAPPING, MAPPED)
        for key in list(operator.declared):
            operator.queue.add(key)
        await operator.queue.idle()

        assert await cluster.versions() == before

    async with cluster.operator() as again:  # a restart
        await again.queue.idle()
        assert await cluster.versions() == before


async def test_workers_end_with_the_operator(cluster: Cluster) -> None:
    tasks = asyncio.all_tasks()
    async with cluster.operator():
        await cluster.apply(ERP)
        await cluster.condition("Connector", "erp", status="True")
    assert asyncio.all_tasks() == tasks
