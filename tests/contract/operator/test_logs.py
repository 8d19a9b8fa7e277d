"""`isthmus logs`: what pods say, through a real API server from a kubelet of the tests."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import manifests_text
import pytest
from cluster_command import COMMAND, Command
from kubelet import Kubelet, kubelet
from operating import Cluster

ROUTE = manifests_text.route("- respond: {body: 1}")


def request(status: int = 200, *, level: str = "info", **fields: Any) -> dict[str, Any]:
    return {"level": level, "event": "request", "status": status, **fields}


@pytest.fixture
async def node(cluster: Cluster) -> AsyncIterator[Kubelet]:
    """A node with two pods of the Route."""
    await cluster.apply(ROUTE)
    async with kubelet(cluster) as found:
        await found.pod("it-a")
        await found.pod("it-b")
        yield found


def said(stdout: str) -> list[tuple[str, Any]]:
    """Pod and status of the lines."""
    lines = map(json.loads, stdout.splitlines())
    return [(line["pod"], line.get("status", line.get("text"))) for line in lines]


async def test_lines_of_all_pods_in_the_order_of_time(node: Kubelet, isthmus: Command) -> None:
    node.says("it-a", 1, request(201))
    node.says("it-b", 2, request(202))
    node.says("it-a", 3, "Traceback (most recent call last):")
    node.says("it-b", 4, request(500, level="warning", detail="no \x1b[31m answer"))

    as_json = await isthmus.run("logs", "route/it", "-o", "json")
    text = await isthmus.run("logs", "it")
    one = await isthmus.run("logs", "it", "--pod", "it-b", "-o", "json")

    assert said(as_json.stdout) == [
        ("it-a", 201),
        ("it-b", 202),
        ("it-a", "Traceback (most recent call last):"),
        ("it-b", 500),
    ]
    assert said(one.stdout) == [("it-b", 202), ("it-b", 500)]
    lines = text.stdout.splitlines()
    assert lines[0].endswith(" it-a info    request  status=201")
    assert lines[2].endswith(" it-a Traceback (most recent call last):")
    assert lines[3].endswith(" it-b warning request  status=500 detail=no \\x1b[31m answer")
    assert {each.returncode for each in (as_json, text, one)} == {0}


async def test_only_what_is_asked_for(node: Kubelet, isthmus: Command) -> None:
    node.says("it-a", 1, request(201, correlationId="c-1"))
    node.says("it-a", 2, request(500, correlationId="c-2", level="warning"))
    node.says("it-a", 3, "killed")
    node.says("it-b", 4, {"level": "info", "event": "attempt", "status": 9, "uid": "m-1"})

    async def shown(*arguments: str) -> list[Any]:
        ended = await isthmus.run("logs", "it", "-o", "json", *arguments)
        assert ended.returncode == 0, ended.stderr
        return [each for _, each in said(ended.stdout)]

    assert await shown("--level", "warning") == [500, "killed"]
    assert await shown("--correlation-id", "c-1") == [201]
    assert await shown("--message", "m-1") == [9]
    assert await shown("--tail", "1") == ["killed", 9]
    assert await shown("--since", "2026-01-01T00:00:03Z") == ["killed", 9]


async def test_a_node_that_does_not_answer_hides_no_other_pod(
    node: Kubelet, isthmus: Command
) -> None:
    await node.pod("it-lost", node=node.silent)
    node.says("it-a", 1, request(201))

    ended = await isthmus.run("logs", "it", "-o", "json")

    assert said(ended.stdout) == [("it-a", 201)]
    assert "isthmus: the log of it-lost cannot be read: " in ended.stderr
    assert ended.returncode == 1


async def test_without_a_filter_there_is_an_end_to_how_much(
    node: Kubelet, isthmus: Command
) -> None:
    for number in range(150):
        node.says("it-a", number, request(number))

    ended = await isthmus.run("logs", "it", "-o", "json")
    every = await isthmus.run("logs", "it", "-o", "json", "--level", "info", "--since", "24000h")

    assert said(ended.stdout) == [("it-a", number) for number in range(50, 150)]
    assert len(every.stdout.splitlines()) == 150


@contextlib.asynccontextmanager
async def following(isthmus: Command, *arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """The command, which goes on until the block ends."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *("logs", "it", "-f", "-o", "json", *arguments),
        env=isthmus.environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        await process.wait()


async def heard(lines: asyncio.StreamReader) -> tuple[str, Any]:
    async with asyncio.timeout(60):
        return said((await lines.readline()).decode())[0]


async def test_follows_pods_that_come_later_and_containers_that_begin_again(
    node: Kubelet, isthmus: Command
) -> None:
    node.says("it-a", 1, request(1))
    async with following(isthmus) as lines:
        assert await heard(lines) == ("it-a", 1)

        node.says("it-a", 2, request(2))
        assert await heard(lines) == ("it-a", 2)

        node.says("it-c", 3, request(3))
        node.says("it-c", 4, request(4))
        await node.pod("it-c")
        assert [await heard(lines), await heard(lines)] == [("it-c", 3), ("it-c", 4)]

        node.ends("it-a")
        node.restarts("it-a")
        node.says("it-a", 5, request(5))
        assert await heard(lines) == ("it-a", 5)

        node.says("it-a", 6, request(6))
        assert await heard(lines) == ("it-a", 6)


async def test_what_was_said_already_is_not_followed_when_no_tail_is_wanted(
    node: Kubelet, isthmus: Command
) -> None:
    node.says("it-a", 1, request(1))
    async with following(isthmus, "--tail", "0") as lines:
        async with asyncio.timeout(60):
            await node.logs["it-a"].followed.wait()
        node.says("it-a", 2, request(2))

        assert await heard(lines) == ("it-a", 2)


async def test_a_route_without_pods_and_rights_that_are_missing(
    cluster: Cluster, isthmus: Command
) -> None:
    await cluster.apply(ROUTE)
    none = await isthmus.run("logs", "it")
    async with kubelet(cluster) as node:
        await node.pod("it-a")
        place = f"in the namespace {cluster.namespace}"
        other = await isthmus.run("logs", "it", "--pod", "it-z")
        somebody = isthmus.with_rights("get,list routes.isthmus.dev", "list pods")
        once = await isthmus.run("logs", "it", kubeconfig=somebody)
        follows = await isthmus.run("logs", "it", "-f", kubeconfig=somebody)

    assert "route/it has no pods that run; `isthmus trace it -n " in none.stderr
    assert "route/it has no pod it-z that runs" in other.stderr
    assert f"it needs get on pods/log {place}" in once.stderr
    assert f"it needs get on pods/log {place}" in follows.stderr
    assert {each.returncode for each in (none, other)} == {1}
    assert {each.returncode for each in (once, follows)} == {2}
