"""Both ends of a Route that delivers: what was sent, and what of it arrived."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import engines
import payloads

Deliver = Callable[[httpx.AsyncClient, str, bytes, int], Coroutine[Any, Any, None]]
"""What a Route does with its `n`th message."""


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    patch = pytest.MonkeyPatch()
    patch.setenv("ISTHMUS_CACHE", str(tmp_path_factory.mktemp("cache")))
    try:
        return engines.go_build(engines.BENCH / "ends", "ends")
    except engines.MissingError as missing:
        pytest.skip(str(missing))
    finally:
        patch.undo()


async def once(client: httpx.AsyncClient, upstream: str, body: bytes, _: int) -> None:
    await client.post(upstream, content=body)


async def twice_each_tenth(client: httpx.AsyncClient, upstream: str, body: bytes, n: int) -> None:
    await once(client, upstream, body, n)
    if n % 10 == 0:
        await once(client, upstream, body, n)


async def never_each_tenth(client: httpx.AsyncClient, upstream: str, body: bytes, n: int) -> None:
    if n % 10:
        await once(client, upstream, body, n)


@asynccontextmanager
async def route(upstream: int, deliver: Deliver, *, refuses: int = 0) -> AsyncIterator[int]:
    """Takes webhooks and delivers them; the first few are refused."""
    count = 0
    under_way: set[asyncio.Task[None]] = set()
    lines: list[asyncio.Task[Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            body = await reader.readexactly(length)
            count += 1
            if count <= refuses:
                writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")
                continue
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            task = asyncio.create_task(
                deliver(client, f"http://127.0.0.1:{upstream}/orders", body, count)
            )
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.append(task)
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:  # it has sent everything
            writer.close()
            await writer.wait_closed()

    async with httpx.AsyncClient() as client:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*under_way, *lines)


async def run(
    ends: Path, folder: Path, deliver: Deliver, *, refuses: int = 0, patience: float = 30
) -> dict[str, dict[str, Any]]:
    payloads.write(folder)
    upstream = free_port()
    async with route(upstream, deliver, refuses=refuses) as port:
        process = await asyncio.create_subprocess_exec(
            *(str(ends), "--targets", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{upstream}"),
            *("--body", str(folder / "order.json"), "--connections", "2", "--seconds", "0.2"),
            *("--patience", str(patience)),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, dict[str, Any]] = json.loads(said)
    assert list(found) == ["closed", "paced", "warm"]
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_what_is_accepted_arrives_and_is_timed(ends: Path, tmp_path: Path) -> None:
    found = await run(ends, tmp_path, once)

    for stretch in found.values():
        assert stretch["accepted"] > 0
        assert (stretch["refused"], stretch["lost"], stretch["again"]) == (0, 0, 0)
        assert stretch["whole"] > 0
        assert 0 < stretch["answer_p50"] <= stretch["answer_p99"]
        assert 0 <= stretch["under_way_p50"] <= stretch["under_way_p99"]


async def test_what_arrives_twice_is_counted(ends: Path, tmp_path: Path) -> None:
    found = await run(ends, tmp_path, twice_each_tenth)

    assert sum(stretch["again"] + stretch["strange"] for stretch in found.values()) > 0
    assert all(stretch["lost"] == 0 for stretch in found.values())


async def test_what_does_not_arrive_is_lost(ends: Path, tmp_path: Path) -> None:
    found = await run(ends, tmp_path, never_each_tenth, patience=0.5)

    assert found["warm"]["lost"] > 0


async def test_a_refusal_is_not_accepted(ends: Path, tmp_path: Path) -> None:
    found = await run(ends, tmp_path, once, refuses=3)

    assert found["warm"]["refused"] == 3
    assert found["warm"]["lost"] == 0
