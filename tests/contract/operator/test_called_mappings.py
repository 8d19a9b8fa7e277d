"""Mappings that call Mappings, on a real API server: a change reaches the Routes above it."""

from functools import partial
from typing import Any

import manifests_text
from operating import Cluster, eventually


async def used_by(cluster: Cluster, name: str) -> Any:
    found = await cluster.get("Mapping", name)
    return (found or {}).get("status", {}).get("usedBy")


async def until_used_by(cluster: Cluster, number: int, *names: str) -> None:
    """Return once that many Routes use each of these Mappings."""
    for name in names:
        await eventually(partial(used_by, cluster, name), until=lambda found: found == number)


async def plan_hash(cluster: Cluster, name: str) -> str:
    deployment = await cluster.get("Deployment", name)
    assert deployment is not None
    return str(deployment["spec"]["template"]["metadata"]["annotations"]["isthmus.dev/plan"])


async def test_a_called_mapping_counts_the_routes_above_it_and_rolls_them(
    cluster: Cluster,
) -> None:
    async with cluster.operator():
        route = manifests_text.route("- map: {mapping: order}")
        order = manifests_text.mapping("$mapping('line', $)", name="order")
        line = manifests_text.mapping("$mapping('cell', $)", name="line")
        cell = manifests_text.mapping('{"n": n}', name="cell")
        await cluster.apply(route, order, line)
        await cluster.condition("Route", "it", status="False", reason="MappingNotFound")
        await cluster.condition("Mapping", "order", status="False", reason="MappingNotFound")

        await cluster.apply(cell)
        await cluster.rolled_out("it")
        await cluster.condition("Mapping", "order", status="True")
        await until_used_by(cluster, 1, "order", "line", "cell")
        before = await plan_hash(cluster, "it")

        await cluster.apply(manifests_text.mapping('{"n": n + 1}', name="cell"))
        await eventually(lambda: plan_hash(cluster, "it"), until=lambda now: now != before)

        await cluster.apply(manifests_text.mapping('{"n": n}', name="order"))
        await until_used_by(cluster, 0, "line", "cell")


async def test_a_circle_stalls_and_goes_on_once_it_is_broken(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(
            manifests_text.mapping("$mapping('b', $)", name="a"),
            manifests_text.mapping("$mapping('a', $)", name="b"),
        )
        found = await cluster.condition("Mapping", "a", status="False", reason="MappingCycle")
        assert "a → b → a" in found["message"]

        await cluster.apply(manifests_text.mapping("1", name="b"))
        await cluster.condition("Mapping", "a", status="True")


async def test_a_broken_test_of_a_caller_is_judged_anew_when_the_called_one_changes(
    cluster: Cluster,
) -> None:
    async with cluster.operator():
        case = {"name": "doubles", "input": 2, "expect": 4}
        tested = manifests_text.mapping("$mapping('inner', $)", name="outer", tests=[case])
        await cluster.apply(tested, manifests_text.mapping("$ + 1", name="inner"))
        await cluster.condition("Mapping", "outer", status="False", reason="TestFailed")

        await cluster.apply(manifests_text.mapping("$ * 2", name="inner"))
        await cluster.condition("Mapping", "outer", status="True")


async def test_tests_that_need_config_maps_are_left_to_the_command_line(cluster: Cluster) -> None:
    table = {"configMaps": [{"name": "prices"}], "format": "csv"}
    case = {"name": "a price", "input": {"sku": "A"}, "expect": "1"}
    async with cluster.operator():
        await cluster.apply(
            manifests_text.mapping(
                '$table("prices", sku)', name="priced", sharedTables={"prices": table}, tests=[case]
            )
        )
        found = await cluster.condition("Mapping", "priced", status="True")

        assert "isthmus test" in found["message"]
