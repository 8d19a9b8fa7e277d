"""What kubectl, kstatus and GitOps tools rely on, checked over every version that was stored."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import changes
import manifests_text
import yaml
from controllers import controllers
from history import History, version
from onlookers import argo_cd, kstatus
from operating import Cluster, eventually

from isthmus_api import manifests
from isthmus_api.plan import plan
from isthmus_api.resources import Key, Resources
from isthmus_operator.desired import PLAN_ANNOTATION
from isthmus_operator.kube import kinds
from isthmus_operator.operator import Operator

EDITS = 50
ERP = manifests_text.connector("http://erp.example")
MAPPING = manifests_text.mapping('{"n": n + 1}', name="plus-one")
CALL = "- call: {connector: erp}"
MAPPED = manifests_text.route(f"{CALL}\n- map: {{mapping: plus-one}}")
STEPS = {
    "sound": CALL,
    "mapped": f"{CALL}\n- map: {{mapping: plus-one}}",
    "unresolved": "- call: {connector: nobody}",
    "mistaken": f"{CALL}\n- filter: '{{% $nix %}}'",
}
ONLY_WHILE_TRUE = {"Reconciling", "Stalled", "Paused"}
Object = dict[str, Any]


async def test_no_status_says_ready_for_a_generation_whose_plan_does_not_run(
    cluster: Cluster,
) -> None:
    """Over random edits of a spec, some right after another, some after all has settled.

    docs/adr/0008 says what can be promised of a read that comes before the operator has acted.
    """
    dice = random.Random(2)
    await cluster.apply(ERP, MAPPING)
    history = History(cluster, "Route", "Deployment")
    async with cluster.operator(), controllers(cluster), history.kept():
        for edit in range(EDITS):
            await cluster.apply(_edited(edit, dice))
            if dice.random() < 0.4:
                await _settles(cluster)
        await cluster.apply(manifests_text.route(CALL, env={"edit": "last"}))
        await cluster.condition("Route", "it", status="True")
        await history.caught_up()

    routes, deployments = history.of("Route", "it"), history.of("Deployment", "it")
    specs = {each["metadata"]["generation"]: each["spec"] for each in routes}
    said = [(each, ready) for each in _told(routes) if (ready := _condition(each, "Ready"))]
    ready_for = {ready["observedGeneration"] for _, ready in said if ready["status"] == "True"}
    assert [
        (each["metadata"]["resourceVersion"], ready["observedGeneration"])
        for each, ready in said
        if ready["status"] == "True"
        and not _runs(each, specs[ready["observedGeneration"]], _before(each, deployments))
    ] == []
    # It was not for want of statuses that none was wrong.
    assert len(ready_for) >= EDITS // 5
    assert {ready["reason"] for _, ready in said} >= {
        *("Running", "RollingOut", "Paused", "ScaledToZero"),
        *("ConnectorNotFound", "ExpressionInvalid"),
    }
    assert list(_unruly(routes)) == []


def _edited(edit: int, dice: random.Random) -> str:
    [steps] = dice.choices([*STEPS], weights=(5, 3, 1, 1))
    further = {"replicas": dice.randint(0, 3), "paused": dice.random() < 0.15}
    env = {"edit": str(edit if dice.random() < 0.6 else 0)}
    return manifests_text.route(STEPS[steps], env=env, spec=further)


async def _settles(cluster: Cluster) -> None:
    """Wait until there is a last word about the present generation."""
    await eventually(
        lambda: cluster.condition("Route", "it"), until=lambda ready: ready["status"] != "Unknown"
    )


def _told(versions: Sequence[Object]) -> Iterator[Object]:
    """Those whose status speaks of what they ask for, or was just written.

    An edit of the spec keeps the status of before, which then speaks of another generation.
    """
    before: Object = {}
    for each in versions:
        status = each.get("status", {})
        present = status.get("observedGeneration") == each["metadata"]["generation"]
        if present or status != before:
            yield each
        before = status


def _condition(found: Object, kind: str) -> Object | None:
    conditions = found.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == kind), None)


def _before(route: Object, deployments: Sequence[Object]) -> Object:
    """The Deployment as it was when a version of its Route was stored."""
    return [each for each in deployments if version(each) < version(route)][-1]


def _runs(route: Object, spec: Object, deployment: Object) -> bool:
    """Whether all pods of a Deployment are up with what a spec of its Route asks for."""
    metadata, status = deployment["metadata"], deployment["status"]
    wanted = 0 if spec["paused"] else spec["replicas"]
    counts = {status.get(f"{each}Replicas", 0) for each in ("updated", "available")}
    runs = deployment["spec"]["template"]["metadata"]["annotations"][PLAN_ANNOTATION]
    return (
        runs == _plan(route | {"spec": spec})
        and deployment["spec"]["replicas"] == wanted
        and status["observedGeneration"] == metadata["generation"]
        and counts == {status.get("replicas", 0)} == {wanted}
    )


def _plan(route: Object) -> str | None:
    """The hash of the plan that a Route comes to; None when it cannot be used."""
    place = {"namespace": route["metadata"]["namespace"]}
    used = [yaml.safe_load(each) for each in (ERP, MAPPING)]
    for each in used:
        each["metadata"] |= place
    metadata = {"name": "it", **place}
    text = yaml.safe_dump_all([*used, {**route, "metadata": metadata, "status": {}}])
    read = manifests.read(text.encode(), file="spec.yaml")
    assert not read.problems, read.problems
    resources = Resources.of(read.resources)
    [found] = resources.routes()
    planned = plan(found, resources).plan
    return planned.hash if planned else None


def _unruly(versions: Sequence[Object]) -> Iterator[str]:
    """Where a status is not as the conventions have it."""
    before: dict[str, Object] = {}
    for found in versions:
        status, number = found.get("status", {}), found["metadata"]["resourceVersion"]
        conditions = status.get("conditions", ())
        if not conditions:
            continue
        types = Counter(each["type"] for each in conditions)
        if max(types.values()) > 1 or not types["Ready"]:
            yield f"{number}: {types}"
        for each in conditions:
            yield from (f"{number}: {each}: {it}" for it in _wrong(each, status))
            yield from (f"{number}: {each}: {it}" for it in _unsteady(each, before))
        before = {each["type"]: each for each in conditions}
        holds = {each["type"] for each in conditions if each["status"] == "True"}
        if "Ready" in holds and not holds >= {
            "ConfigValid",
            "ReferencesResolved",
            "WorkloadAvailable",
        }:
            yield f"{number}: Ready, but only {holds}"


def _wrong(condition: Object, status: Object) -> Iterator[str]:
    if condition["type"] in ONLY_WHILE_TRUE and condition["status"] != "True":
        yield "is there though it is not true"
    if not re.fullmatch(r"[A-Z][A-Za-z]+", condition["reason"]) or not condition["message"]:
        yield "has no reason of one word, or no message"
    if condition["observedGeneration"] != status["observedGeneration"]:
        yield "speaks of another generation"


def _unsteady(condition: Object, before: dict[str, Object]) -> Iterator[str]:
    known = before.get(condition["type"])
    if known is None or known["status"] != condition["status"]:
        return
    if known["lastTransitionTime"] != condition["lastTransitionTime"]:
        yield "has another time and the same status"


async def test_a_slow_first_start_is_progress_and_nothing_else(cluster: Cluster) -> None:
    history = History(cluster, "Route")
    async with cluster.operator(), history.kept():
        await cluster.apply(MAPPED)
        await cluster.condition("Route", "it", status="False", reason="ConnectorNotFound")
        await cluster.apply(ERP)
        await cluster.condition("Route", "it", status="False", reason="MappingNotFound")
        await cluster.apply(MAPPING)
        await cluster.pod("it", waiting={"reason": "ContainerCreating"})
        for reason in ("ErrImagePull", "ImagePullBackOff", "ErrImagePull"):
            await cluster.pod("it", waiting={"reason": reason, "message": "it takes its time"})
            await eventually(
                lambda: cluster.condition("Route", "it"),
                until=lambda ready, reason=reason: reason in ready["message"],  # type: ignore[misc] # bound per reason
            )
        await cluster.pod("it")
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        await history.caught_up()

    versions = history.of("Route", "it")
    assert {kstatus(each) for each in versions} == {"InProgress", "Current"}
    assert {argo_cd(each) for each in versions} == {"Progressing", "Healthy"}
    assert (kstatus(versions[-1]), argo_cd(versions[-1])) == ("Current", "Healthy")
    assert list(_unruly(versions)) == []


async def test_a_bad_mapping_is_told_to_all_who_wait_within_ten_seconds(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, MAPPING, MAPPED)
        for each in ("route/it", "mapping/plus-one"):
            await cluster.kubectl("wait", each, "--for=condition=Ready", "--timeout=10s")

        await cluster.apply(manifests_text.mapping('{"n": n +}', name="plus-one"))

        for each in ("mapping/plus-one", "route/it"):
            await cluster.kubectl("wait", each, "--for=condition=Stalled", "--timeout=10s")
        for kind, name in (("Mapping", "plus-one"), ("Route", "it")):
            found = await cluster.eventually_there(kind, name)
            assert (kstatus(found), argo_cd(found)) == ("Failed", "Degraded")
            ready = _condition(found, "Ready")
            assert ready is not None
            assert "expression" in ready["message"]
            assert "Mapping" in ready["message"] or kind == "Mapping"


async def test_what_pods_and_autoscalers_go_through_moves_no_status(cluster: Cluster) -> None:
    """Restarts and gaps in metrics are for dashboards; Ready says that the Route is deployed."""
    async with cluster.operator() as operator:
        await cluster.apply(ERP, manifests_text.route(CALL))
        await cluster.pod("it")
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        await cluster.kubectl("autoscale", "route/it", "--min=1", "--max=5", "--cpu=50%")
        await eventually(
            lambda: cluster.eventually_there("Route", "it"),
            until=lambda found: found["status"]["scale"].get("autoscaler") == "it",
        )
        await operator.queue.idle()
        before = (await cluster.versions())["Route/it"]

        blind = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}
        patch = json.dumps({"status": {"conditions": [blind], "currentReplicas": 1}})
        status = ("--subresource=status", "--type=merge", "-p", patch)
        await cluster.kubectl("patch", "hpa", "it", *status)
        told = await cluster.play(
            "Pod", "pod", _restarted(await cluster.eventually_there("Pod", "pod"))
        )
        await _has_heard_of_pod(operator, cluster, version(told))
        await operator.queue.idle()

        assert (await cluster.versions())["Route/it"] == before


def _restarted(pod: Object) -> Object:
    """The status of a pod whose container was restarted and is up again."""
    [container] = pod["status"]["containerStatuses"]
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    return {"containerStatuses": [container | {"restartCount": 7, "lastState": ended}]}


async def _has_heard_of_pod(operator: Operator, cluster: Cluster, least: int) -> None:
    async def look() -> list[int]:
        return [
            each.version for each in operator.children.pods(Key("Route", cluster.namespace, "it"))
        ]

    await eventually(look, until=lambda seen: bool(seen) and seen[0] >= least)


async def test_two_operators_at_once_do_not_fight(cluster: Cluster) -> None:
    """It is not meant to happen, but for some seconds it can: see LIMITS.md."""
    async with controllers(cluster), cluster.operator() as one, cluster.operator() as two:
        async for _ in changes.apply(cluster):
            pass
        await eventually(lambda: changes.amiss(cluster), within=60, until=lambda found: not found)
        for each in (one, two):
            await each.queue.idle()
        before = await cluster.versions()

        for operator in (one, two):
            for key in list(operator.declared):
                operator.queue.add(key)
            await operator.queue.idle()

        assert await cluster.versions() == before
        assert await changes.amiss(cluster) == []


async def test_every_field_of_a_child_has_one_manager(cluster: Cluster) -> None:
    async with cluster.operator(), controllers(cluster):
        autoscaling = {"autoscaling": {"maxReplicas": 3, "cpu": 70}}
        await cluster.apply(ERP, manifests_text.route(CALL, spec={"expose": {"host": "a.b"}}))
        await cluster.apply(manifests_text.route(CALL, name="auto", path="/a", spec=autoscaling))
        await cluster.kubectl("scale", "route/it", "--replicas=3")
        for name in ("it", "auto"):
            await cluster.condition("Route", name, status="True")
        made = [
            each
            for kind in kinds.CHILDREN
            if kind != "HTTPRoute"
            for each in await cluster.all(kind)
        ]

    assert len({each["kind"] for each in made}) == len(kinds.CHILDREN) - 1
    for each in made:
        applied = {
            (entry["manager"], entry["operation"])
            for entry in each["metadata"]["managedFields"]
            if entry.get("subresource") != "status"
        }
        assert applied == {("isthmus", "Apply")}, each["kind"]
