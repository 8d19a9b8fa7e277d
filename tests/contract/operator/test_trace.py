"""`isthmus trace`: a Route, what is behind it, and what is wrong, on a real API server."""

import json
from unittest.mock import ANY

import manifests_text
import pytest
from cluster_command import Command
from operating import Cluster

ERP = manifests_text.connector("http://erp.example")
MAPPING = manifests_text.mapping('{"n": n + 1}', name="plus-one")
ROUTE = manifests_text.route("- call: {connector: erp}\n- map: {mapping: plus-one}")
MISTAKEN = manifests_text.route("- map: {mapping: plus-one}\n- respond: {body: '{% nobody( %}'}")


async def test_the_tree_of_a_route_that_runs(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, MAPPING, ROUTE)
        await cluster.condition("Route", "it", "ConfigValid", status="True")
        await cluster.replica_set("it")
        running = {"type": "Ready", "status": "True", "reason": "", "message": ""}
        await cluster.play("Pod", "it-1-a", {"phase": "Running", "conditions": [running]})
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")

        text = await isthmus.run("trace", "route/it")
        as_json = await isthmus.run("trace", "it", "-o", "json")
        dot = await isthmus.run("trace", "it", "-o", "dot")

    assert (text.returncode, text.stderr) == (0, "")
    lines = text.stdout.splitlines()
    assert lines[-1] == "nothing is wrong"
    assert "\x1b" not in text.stdout
    found = json.loads(as_json.stdout)
    assert (found["ready"], found["reason"], found["verdict"]) == (
        "True",
        "Running",
        "nothing is wrong",
    )
    tree = found["tree"]
    assert [f"{each['kind']}/{each['name']}" for each in tree["nodes"]] == [
        "Connector/erp",
        "Mapping/plus-one",
        "Deployment/it",
    ]
    (replica,) = tree["nodes"][-1]["nodes"]
    assert replica["name"] == "it-1"
    assert [(each["name"], each["state"]) for each in replica["nodes"]] == [("it-1-a", "ok")]
    assert dot.stdout.startswith("digraph isthmus {\n")
    assert dot.stdout.count(" -> ") == 5


async def test_mappings_that_a_mapping_calls_stand_below_it(
    cluster: Cluster, isthmus: Command
) -> None:
    """Also one that is not there; a circle of them ends where it began."""
    order = manifests_text.mapping('[$mapping("line", 1), $mapping("tax", 1)]', name="order")
    line = manifests_text.mapping('$mapping("order", 1)', name="line")
    await cluster.apply(order, line, manifests_text.route("- map: {mapping: order}"))

    found = json.loads((await isthmus.run("trace", "it", "-o", "json")).stdout)

    (mapping, _) = found["tree"]["nodes"]
    assert [(each["name"], each["message"]) for each in mapping["nodes"]] == [
        ("line", ANY),
        ("tax", "is not there"),
    ]
    assert mapping["nodes"][0]["nodes"] == []


@pytest.mark.parametrize(
    ("documents", "reason", "said", "advice"),
    [
        pytest.param(
            (MAPPING, ROUTE),
            "ConnectorNotFound",
            "there is no Connector 'erp'",
            "apply it; the Route goes on by itself",
            id="a missing Connector",
        ),
        pytest.param(
            (MAPPING, MISTAKEN), "ExpressionInvalid", "spec.steps[1]", "mend what", id="a mistake"
        ),
    ],
)
async def test_what_is_wrong_and_what_to_do_in_one_line(
    cluster: Cluster,
    isthmus: Command,
    documents: tuple[str, ...],
    reason: str,
    said: str,
    advice: str,
) -> None:
    async with cluster.operator():
        await cluster.apply(*documents)
        await cluster.condition("Route", "it", status="False")

        ended = await isthmus.run("trace", "route/it")

    assert ended.returncode == 1
    last = ended.stdout.splitlines()[-1]
    assert last.startswith(f"{reason}: ")
    assert said in last
    assert f"To do: {advice}" in last


async def test_what_the_scheduler_says_is_part_of_what_is_wrong(
    cluster: Cluster, isthmus: Command
) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, MAPPING, ROUTE)
        await cluster.condition("Route", "it", "ConfigValid", status="True")
        await cluster.replica_set("it")
        refused = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/3 nodes are available: 3 Insufficient cpu.",
        }
        await cluster.play("Pod", "it-1-a", {"conditions": [refused]})
        await cluster.condition("Route", "it", status="Unknown")

        ended = await isthmus.run("trace", "route/it")

    assert ended.returncode == 1
    assert "pod it-1-a: Unschedulable: 0/3 nodes are available" in ended.stdout.splitlines()[-1]


async def test_without_an_operator_it_says_so(cluster: Cluster, isthmus: Command) -> None:
    await cluster.apply(ROUTE)

    ended = await isthmus.run("trace", "route/it")

    assert "NotObserved: the operator has not looked at generation 1 yet" in ended.stdout
    assert "Connector/erp  is not there" in ended.stdout
    assert ended.returncode == 1


async def test_what_may_not_be_seen_is_left_out_and_said(
    cluster: Cluster, isthmus: Command
) -> None:
    await cluster.apply(ERP, MAPPING, ROUTE)
    somebody = isthmus.with_rights("get,list routes.isthmus.dev")

    ended = await isthmus.run("trace", "route/it", kubeconfig=somebody)

    assert "Connector/erp  may not be seen by you" in ended.stdout
    assert "left out: you may not do that: it needs list on pods in the namespace" in ended.stderr


async def test_an_unknown_route_is_told_which_was_meant(cluster: Cluster, isthmus: Command) -> None:
    await cluster.apply(ROUTE)

    misspelt = await isthmus.run("trace", "route/itt")
    elsewhere = await isthmus.run("trace", "route/it", "-n", "default")
    no_route = await isthmus.run("trace", "pod/it")

    assert "there is no Route itt in the namespace" in misspelt.stderr
    assert "did you mean route/it?" in misspelt.stderr
    assert "it has no Routes at all; name another with -n" in elsewhere.stderr
    assert (misspelt.returncode, misspelt.stdout) == (2, "")
    assert "'pod/it' is no Route; write route/NAME" in no_route.stderr
    assert no_route.returncode == 2


def test_a_wrong_context_and_a_cluster_that_is_away(isthmus: Command) -> None:
    context = isthmus("trace", "route/it", "--context", "elsewhere")
    away = isthmus("trace", "it", kubeconfig=isthmus.kubeconfig(server="https://127.0.0.1:9"))
    stranger = isthmus("trace", "route/it", kubeconfig=isthmus.kubeconfig(token="x"))

    assert context.stderr == (
        "isthmus: the kubeconfig has no context elsewhere; there are: tests\n"
    )
    assert "the API server cannot be reached at https://127.0.0.1:9: " in away.stderr
    assert "refused" in away.stderr.lower()
    assert "the API server does not know you: sign in again" in stranger.stderr
    assert {each.returncode for each in (context, away, stranger)} == {2}
