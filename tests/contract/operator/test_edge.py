"""The edge on a real API server, and the one private part of kopf that it leans on.

kopf promises nothing of it, so these tests say when a new version of kopf wants a look: first that
it is another one, then whether what we know of it still holds.
"""

import asyncio
import gc
from importlib import metadata
from typing import Any, ClassVar

import manifests_text
import pytest
from control_plane import ControlPlane
from faulty_api import FaultyApi
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory
from operating import Cluster, eventually

from isthmus_api.resources import Key
from isthmus_operator import edge
from isthmus_operator.kube import Access

LOOKED_AT = "1.45.2"
COUNT = 20
LOGIN_SECONDS = 1.0


class Heard:
    """Takes note of the names that the edge tells of."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def take(self, found: dict[str, Any]) -> bool:
        """An object is there."""
        self.names.add(found["metadata"]["name"])
        return True

    def forget(self, key: Key, *, uid: str) -> bool:
        """An object is gone."""
        self.names.discard(key.name)
        return True


def _memories() -> int:
    gc.collect()
    return sum(isinstance(each, ResourceMemory) for each in gc.get_objects())


def test_kopf_is_the_version_whose_insides_were_looked_at() -> None:
    assert metadata.version("kopf") == LOOKED_AT, (
        "kopf is another version: read kopf/_core/reactor/inventory.py and what calls "
        "ResourceMemories.recall, see that edge._NoMemories still does what it says, run this "
        "file, and write the new version here"
    )


async def test_kopf_by_itself_remembers_each_object() -> None:
    """Once it does not, `edge._NoMemories` can go."""
    theirs = ResourceMemories()
    await theirs.recall({"metadata": {"uid": "1"}})

    assert len(list(theirs.iter_all_memories())) == 1


async def test_the_edge_keeps_no_memory_of_objects(cluster: Cluster, plane: ControlPlane) -> None:
    names = [f"c-{number}" for number in range(COUNT)]
    documents = [manifests_text.connector("http://erp.example", name=name) for name in names]
    await cluster.kubectl("apply", "-f", "-", stdin="\n---\n".join(documents))
    before, stop, heard = _memories(), asyncio.Event(), Heard()
    access = Access.of_kubeconfig(plane.kubeconfig)
    watching = asyncio.create_task(
        edge.watch(access, heard, namespaces=[cluster.namespace], stop=stop)
    )
    try:
        await _until_heard(heard, set(names))
        changed = manifests_text.connector("http://erp.example/v2", name="c-0")
        await cluster.kubectl("apply", "-f", "-", stdin=changed)
        await cluster.kubectl("delete", "connector", "c-1")
        await _until_heard(heard, set(names) - {"c-1"})

        # What a worker of kopf has in its hands goes when it ends, a moment after its last event.
        await eventually(_async_memories, until=lambda count: count <= before)
    finally:
        stop.set()
        await watching


async def _async_memories() -> int:
    return _memories()


async def _until_heard(heard: Heard, names: set[str]) -> None:
    async def look() -> set[str]:
        return heard.names

    await eventually(look, until=lambda seen: seen == names)


class Counted(Access):
    """An access that notes each time somebody asks for its token."""

    asked: ClassVar[list[str]] = []

    @property
    def token(self) -> str | None:
        """None: the stand-in for the API server has its own."""
        self.asked.append(self.server)
        return None


async def test_who_we_are_is_asked_again_once_it_may_have_ended(
    cluster: Cluster, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kubelet replaces a pod's token every hour; kopf has it for as long as it is told."""
    monkeypatch.setattr(edge, "LOGIN_SECONDS", LOGIN_SECONDS)
    stop, heard, names = asyncio.Event(), Heard(), set[str]()
    async with FaultyApi(plane) as api:
        access = Counted(api.access.server, None)
        watching = asyncio.create_task(
            edge.watch(access, heard, namespaces=[cluster.namespace], stop=stop)
        )
        try:
            for number in range(3):
                before = len(Counted.asked)
                names.add(f"c-{number}")
                document = manifests_text.connector("http://erp.example", name=f"c-{number}")
                await cluster.kubectl("apply", "-f", "-", stdin=document)
                await _until_heard(heard, names)
                await asyncio.sleep(LOGIN_SECONDS)  # it ends by its age
                api.cut()  # who watches next has to say who it is
                await eventually(_asked, until=lambda seen, before=before: seen > before)  # type: ignore[misc] # bound per number
        finally:
            stop.set()
            await watching


async def _asked() -> int:
    return len(Counted.asked)
