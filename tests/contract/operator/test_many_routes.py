"""Verbs on a namespace with many Routes, on a real API server: pages, progress, Ctrl-C.

`ISTHMUS_MANY=5000 python -m pytest tests/contract/operator/test_many_routes.py` takes more Routes.
"""

import asyncio
import json
import os
import pty
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import populations
import pytest
from aiohttp import web
from cluster_command import COMMAND, Command
from control_plane import ControlPlane
from faulty_api import FaultyApi

from isthmus_cli.cluster.api import CHUNK_VARIABLE
from isthmus_cli.cluster.progress import AFTER_SECONDS
from isthmus_operator.kube import Access, Client

ROOT = Path(__file__).parents[3]
MANY = int(os.environ.get("ISTHMUS_MANY", "300"))
PAGE = MANY // 12
NAMESPACE = "many"
# Pages come from etcd, as they do from a server that has no room for snapshots of what it listed.
FLAGS = {"feature-gates": "ListFromCacheSnapshot=false"}


@pytest.fixture(scope="module")
def many() -> Iterator[ControlPlane]:
    """An API server with many Routes; three more, in a namespace of their own, have pods."""
    with ControlPlane(apiserver_flags=FLAGS) as plane:
        plane.kubectl("apply", "-f", str(ROOT / "crds"))
        plane.until_established()
        for name in (NAMESPACE, "few"):
            plane.kubectl("create", "namespace", name)
        asyncio.run(_filled(plane))
        yield plane


async def _filled(plane: ControlPlane) -> None:
    async with Client(Access.of_kubeconfig(plane.kubeconfig)) as client:
        await populations.fill(client, NAMESPACE, MANY, with_pods=False)
        await populations.fill(client, "few", 3)


@dataclass
class Asked:
    """A command, by way of a proxy that notes the lists it asks for."""

    isthmus: Command
    api: FaultyApi
    lists: list[web.Request] = field(default_factory=list)

    async def run(self, *arguments: str) -> str:
        """Run it with small pages; what it printed."""
        ended = await self.isthmus.run(
            *arguments, kubeconfig=self.kubeconfig, environment={CHUNK_VARIABLE: str(PAGE)}
        )
        assert ended.stderr == ""
        return ended.stdout

    @property
    def kubeconfig(self) -> Path:
        """That of the proxy."""
        return self.isthmus.kubeconfig(server=self.api.access.server)

    def note(self, then: Callable[[int], Awaitable[None]] | None = None) -> None:
        """Note lists, and do something before one is answered, with how many came before it."""

        async def answer(request: web.Request) -> None:
            if "limit" in request.query:
                if then:
                    await then(len(self.lists))
                self.lists.append(request)

        self.api.answer = answer


@pytest.fixture
async def asked(many: ControlPlane, tmp_path: Path) -> AsyncIterator[Asked]:
    """The installed command in front of many Routes."""
    async with FaultyApi(many) as api:
        asked = Asked(Command(many, NAMESPACE, tmp_path), api)
        asked.note()
        yield asked


def _names(table: str) -> list[str]:
    return [line.split()[0] for line in table.splitlines() if line.startswith("route-")]


async def test_a_list_comes_in_pages_and_every_route_once(asked: Asked) -> None:
    names = _names(await asked.run("status"))

    assert len(names) == len(set(names)) == MANY
    assert len(asked.lists) == 12
    assert {each.query["limit"] for each in asked.lists} == {str(PAGE)}


async def test_a_list_goes_on_where_the_server_forgot_its_beginning(
    many: ControlPlane, asked: Asked
) -> None:
    async def forget(before: int) -> None:
        if before == 3:
            many.kubectl("-n", "few", "annotate", "route/route-0", f"now={os.urandom(4).hex()}")
            many.forget()

    asked.note(forget)

    found = json.loads(await asked.run("status", "-o", "json"))

    names = [each["name"] for each in found["routes"]]
    assert len(names) == len(set(names)) == MANY
    assert found["summary"]["ok"] == MANY
    assert len(asked.lists) == 13  # one was refused


async def test_names_are_asked_for_without_what_they_name(asked: Asked) -> None:
    misspelt = await asked.isthmus.run("status", "rout-7", kubeconfig=asked.kubeconfig)
    shell = {
        "_ISTHMUS_COMPLETE": "bash_complete",
        "COMP_WORDS": "isthmus trace route/route-1",
        "COMP_CWORD": "2",
    }
    offered = await asked.isthmus.run(kubeconfig=asked.kubeconfig, environment=shell)

    assert "did you mean route/route-7?" in misspelt.stderr
    assert "plain,route/route-17" in offered.stdout.splitlines()
    assert [("PartialObjectMetadataList" in each.headers["Accept"]) for each in asked.lists] == [
        True,
        True,
    ]


async def test_progress_is_told_on_a_terminal_and_never_in_a_pipe(asked: Asked) -> None:
    async def late(before: int) -> None:
        if before == 2:
            await asyncio.sleep(AFTER_SECONDS)  # from when on the command says how far it is

    asked.note(late)
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        "status",
        env=asked.isthmus.environment(asked.kubeconfig)
        | {CHUNK_VARIABLE: str(PAGE), "TERM": "xterm"},
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    stdout, _ = await process.communicate()
    os.close(theirs)
    told = os.read(ours, 65_536).decode()
    os.close(ours)

    assert f"isthmus: {3 * PAGE:,} of {MANY:,} routes read" in told
    assert told.endswith("\r\x1b[K")
    assert len(_names(stdout.decode())) == MANY

    asked.lists.clear()
    await asked.run("status")  # which asserts that nothing is said


async def test_ctrl_c_ends_a_command_that_waits_for_many_answers(asked: Asked) -> None:
    reached = asyncio.Event()

    async def hold(request: web.Request) -> None:
        if "/proxy/" in request.path:
            reached.set()
            await asyncio.Event().wait()

    asked.api.answer = hold
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *("top", "-n", "few"),
        env=asked.isthmus.environment(asked.kubeconfig),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await reached.wait()

    process.send_signal(signal.SIGINT)
    stdout, stderr = await process.communicate()

    assert (process.returncode, stdout, stderr) == (130, b"", b"\n")


async def test_a_page_is_a_number(asked: Asked) -> None:
    ended = await asked.isthmus.run("status", environment={CHUNK_VARIABLE: "all"})

    assert f"{CHUNK_VARIABLE}=all: write how many objects a page has" in ended.stderr
    assert ended.returncode == 2
