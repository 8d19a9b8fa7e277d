"""`isthmus diff` between a folder and what a real API server has."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import manifests_text
import pytest
from cluster_command import Command
from operating import Cluster

ERP = manifests_text.connector("http://erp.example")
SLOWER = manifests_text.connector("http://erp.example", timeout="5s")
CASE = {"name": "a number", "input": {"count": 1}, "expect": {"count": 2}}
PLUS = manifests_text.mapping('{"count": count + 1}', name="plus", tests=[CASE])
ROUTE = manifests_text.route("- call: {connector: erp}\n- map: {mapping: plus}")
ASIDE = manifests_text.route("- call: {connector: erp}", name="aside", path="/aside")

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write manifests into a folder."""

    def write(*documents: str) -> Path:
        place = tmp_path / "manifests"
        place.mkdir(exist_ok=True)
        (place / "all.yaml").write_text("\n---\n".join(documents))
        return place

    return write


def effects(told: Mapping[str, Any]) -> dict[str, str]:
    return {each["route"].partition("/")[2]: each["effect"] for each in told["routes"]}


async def test_what_was_applied_differs_in_nothing(
    cluster: Cluster, isthmus: Command, folder: Folder
) -> None:
    """The API server's defaults, and a count that somebody else has set, included."""
    await cluster.apply(ERP, PLUS, ROUTE, ASIDE)
    await cluster.kubectl("scale", "route/it", "--replicas=4")

    ended = await isthmus.run("diff", folder(ERP, PLUS, ROUTE))

    assert (ended.stdout, ended.stderr, ended.returncode) == ("nothing is different\n", "", 0)


async def test_a_connector_restarts_routes_of_other_folders_too(
    cluster: Cluster, isthmus: Command, folder: Folder
) -> None:
    await cluster.apply(ERP, PLUS, ROUTE, ASIDE)

    ended = await isthmus.run("diff", folder(SLOWER), "-o", "json")

    assert (ended.stderr, ended.returncode) == ("", 1)
    told = json.loads(ended.stdout)
    assert effects(told) == {"aside": "restarts", "it": "restarts"}
    [changed] = told["objects"]
    assert [each["path"] for each in changed["fields"]] == ["spec.http.timeout"]
    assert told["capacity"]["podsWhileRollingOut"] == 2


async def test_messages_before_and_after(
    cluster: Cluster, isthmus: Command, folder: Folder
) -> None:
    await cluster.apply(ERP, PLUS, ROUTE)
    changed = manifests_text.mapping('{"count": count + 2}', name="plus", tests=[CASE])

    ended = await isthmus.run("diff", folder(ERP, changed, ROUTE), "-o", "json")

    [message] = json.loads(ended.stdout)["messages"]
    assert message["fields"] == [{"path": "$.count", "old": 2, "new": 3}]


async def test_what_is_pruned_stops(cluster: Cluster, isthmus: Command, folder: Folder) -> None:
    await cluster.apply(ERP, PLUS, ROUTE, ASIDE)

    ended = await isthmus.run("diff", folder(ERP, PLUS, ROUTE), "--prune", "-o", "json")

    told = json.loads(ended.stdout)
    assert effects(told) == {"aside": "stops"}
    assert [(each["object"][-6:], each["change"]) for each in told["objects"]] == [
        ("/aside", "removed")
    ]


async def test_what_one_may_not_see_is_no_answer(
    cluster: Cluster, isthmus: Command, folder: Folder, tmp_path: Path
) -> None:
    """An empty cluster would be another one; so the exit code is that of an error."""
    await cluster.apply(ERP)
    somebody = isthmus.with_rights("get,list routes.isthmus.dev")

    refused = await isthmus.run("diff", folder(ERP), kubeconfig=somebody)
    nowhere = await isthmus.run("diff", folder(ERP), kubeconfig=tmp_path / "none")

    assert (refused.stdout, refused.returncode) == ("", 2)
    assert "it needs list on connectors" in refused.stderr
    assert (nowhere.stdout, nowhere.returncode) == ("", 2)
    assert nowhere.stderr.startswith("isthmus: no cluster: ")
