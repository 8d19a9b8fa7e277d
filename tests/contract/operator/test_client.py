"""The operator's client against a real API server."""

import asyncio
from typing import Any

import pytest

from isthmus_operator.kube import Access, Client, Conflict, Forbidden, NotFound, Refused
from isthmus_operator.kube.errors import ApiError
from isthmus_operator.kube.kinds import CONFIG_MAPS, ROUTES


def _config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": name, "labels": {"test": "yes"}},
        "data": data,
    }


async def test_an_apply_makes_and_changes_and_a_second_one_writes_nothing(
    client: Client, namespace: str
) -> None:
    await client.apply(CONFIG_MAPS, _config_map(namespace, "one", a="1"))
    changed = await client.apply(CONFIG_MAPS, _config_map(namespace, "one", a="2"))
    again = await client.apply(CONFIG_MAPS, _config_map(namespace, "one", a="2"))

    assert changed["data"] == {"a": "2"}
    assert again["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]


async def test_an_object_that_is_not_there_is_said_so(client: Client, namespace: str) -> None:
    with pytest.raises(NotFound, match="missing"):
        await client.get(CONFIG_MAPS, namespace, "missing")


async def test_creating_twice_is_a_conflict(client: Client, namespace: str) -> None:
    await client.create(CONFIG_MAPS, _config_map(namespace, "twice"))

    with pytest.raises(Conflict):
        await client.create(CONFIG_MAPS, _config_map(namespace, "twice"))


async def test_an_object_that_breaks_the_schema_is_refused_with_its_field(
    client: Client, namespace: str
) -> None:
    route = {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": "Route",
        "metadata": {"namespace": namespace, "name": "broken"},
        "spec": {"source": {"http": {"path": "/x"}}, "steps": []},
    }

    with pytest.raises(Refused, match=r"spec\.steps"):
        await client.apply(ROUTES, route)


async def test_an_unknown_token_is_forbidden_and_never_told(
    client: Client, plane: Any, namespace: str
) -> None:
    known = Access.of_kubeconfig(plane.kubeconfig)
    stranger = Access(known.server, known.authority, fixed_token="s3cret-but-wrong")
    async with Client(stranger) as other:
        with pytest.raises(Forbidden) as refused:
            await other.get(CONFIG_MAPS, namespace, "any")

    assert "s3cret" not in str(refused.value)


async def test_a_server_that_is_away_is_an_error_of_ours(plane: Any) -> None:
    known = Access.of_kubeconfig(plane.kubeconfig)
    async with Client(Access("https://127.0.0.1:1", known.authority)) as client:
        with pytest.raises(ApiError) as away:
            await client.get(CONFIG_MAPS, "default", "any")

    assert away.value.status == 0


async def test_lists_come_in_chunks_and_a_watch_goes_on_from_there(
    client: Client, namespace: str
) -> None:
    names = {f"m-{number}" for number in range(3)}
    for name in sorted(names):
        await client.apply(CONFIG_MAPS, _config_map(namespace, name))
    seen: set[str] = set()
    since = ""
    async for chunk, version in client.list(CONFIG_MAPS, namespace, selector="test=yes"):
        seen |= {each["metadata"]["name"] for each in chunk}
        since = version
    assert seen == names

    events = client.watch(CONFIG_MAPS, namespace, since=since, selector="test=yes")
    first = asyncio.ensure_future(anext(events))
    await client.apply(CONFIG_MAPS, _config_map(namespace, "later"))
    kind, found = await asyncio.wait_for(first, 10)

    assert (kind, found["metadata"]["name"]) == ("ADDED", "later")
    await events.aclose()


async def test_only_the_object_with_that_uid_is_deleted(client: Client, namespace: str) -> None:
    made = await client.apply(CONFIG_MAPS, _config_map(namespace, "kept"))

    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, namespace, "kept", uid="another")
    await client.delete(CONFIG_MAPS, namespace, "kept", uid=made["metadata"]["uid"])
    await client.delete(CONFIG_MAPS, namespace, "kept", uid=made["metadata"]["uid"])

    with pytest.raises(NotFound):
        await client.get(CONFIG_MAPS, namespace, "kept")
