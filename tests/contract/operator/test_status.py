"""`isthmus status`: how Routes stand, on a real API server."""

import asyncio
import json

import manifests_text
import yaml
from cluster_command import Command
from operating import Cluster

from isthmus_cli.cluster.api import CHUNK
from isthmus_operator.kube import kinds

ERP = manifests_text.connector("http://erp.example")
CALLING = "- call: {connector: erp}"


async def test_a_line_for_each_route_of_the_namespace(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await cluster.apply(
            ERP,
            manifests_text.route(CALLING, name="well"),
            manifests_text.route(CALLING, name="away", spec={"paused": True}),
            manifests_text.route("- call: {connector: none}", name="wrong", path="/w"),
        )
        await cluster.rolled_out("well")
        await cluster.rolled_out("away")
        await cluster.condition("Route", "well", status="True")
        await cluster.condition("Route", "away", reason="Paused")
        await cluster.condition("Route", "wrong", status="False")

        text = await isthmus.run("status")
        only = await isthmus.run("status", "--wrong")
        one = await isthmus.run("status", "route/wrong")
        well = await isthmus.run("status", "well")
        found = json.loads((await isthmus.run("status", "-o", "json")).stdout)

    lines = text.stdout.splitlines()
    assert [line.split()[:4] for line in lines[:-1]] == [
        ["NAME", "READY", "REASON", "REPLICAS"],
        ["away", "False", "Paused", "0/0"],
        ["well", "True", "Running", "1/1"],
        ["wrong", "False", "ConnectorNotFound", "0/1"],
    ]
    assert lines[-1] == "3 Routes: 1 ok, 1 wrong, 1 paused"
    assert [line.split()[0] for line in only.stdout.splitlines()] == ["NAME", "wrong", "3"]
    assert one.stdout.splitlines()[-1] == "To do: apply it; the Route goes on by itself"
    assert len(well.stdout.splitlines()) == 2
    assert [each.returncode for each in (text, only, one, well)] == [1, 1, 1, 0]
    assert found["summary"] == {"ok": 1, "pending": 0, "wrong": 1, "paused": 1}
    assert {each["name"]: each["state"] for each in found["routes"]}["wrong"] == "wrong"


async def test_an_older_generation_that_runs_is_told(cluster: Cluster, isthmus: Command) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, manifests_text.route(CALLING))
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        await cluster.apply(manifests_text.route("- respond: {body: '{% nobody( %}'}"))
        await cluster.condition("Route", "it", status="False")

        ended = await isthmus.run("status", "it")

    assert "1 of 2" in ended.stdout
    assert ended.returncode == 1


async def test_there_may_be_more_than_a_page(cluster: Cluster, isthmus: Command) -> None:
    route = yaml.safe_load(manifests_text.route("- respond: {body: 1}"))

    async def create(number: int) -> None:
        metadata = {"name": f"r-{number:04}", "namespace": cluster.namespace}
        await cluster.client.create(kinds.ROUTES, route | {"metadata": metadata})

    for start in range(0, CHUNK + 1, 50):
        await asyncio.gather(*map(create, range(start, min(start + 50, CHUNK + 1))))

    ended = await isthmus.run("status", "-A")

    lines = [line.split() for line in ended.stdout.splitlines()]
    ours = [line[1] for line in lines if line[0] == cluster.namespace]
    assert len(ours) == len(set(ours)) == CHUNK + 1
    assert lines[0][:2] == ["NAMESPACE", "NAME"]
    assert ended.returncode == 1


async def test_nothing_there_and_wrong_use(cluster: Cluster, isthmus: Command) -> None:
    empty = await isthmus.run("status")
    both = await isthmus.run("status", "it", "-A")
    nobody = await isthmus.run("status", "-A", kubeconfig=isthmus.with_rights())

    assert empty.stdout == "there are no Routes here; -A looks in all namespaces\n"
    assert "--all-namespaces goes with neither" in both.stderr
    assert "it needs list on routes in all namespaces" in nobody.stderr
    assert [each.returncode for each in (empty, both, nobody)] == [0, 2, 2]
