"""A poll of very many records, in pages or in one document: they stream through in bounded memory,
at the target's pace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import programs
import pytest
import route_process
import until
from homes import Home
from soak_size import Size

from isthmus_api.plan import RoutePlan

SERVER = Path(__file__).parents[1] / "support/record_server.py"
MOST = 256 * 1024 * 1024
SLACK = 4 * 1024 * 1024
"""What the second half may add, however many records it has: nothing of a record stays."""
PATIENCE = 60.0
"""Seconds without a record after which those that are missing count as lost."""

BACKLOG, PAGE, BATCH, BATCHES = 1_000, 500, 200, 4


class Records:
    """The system that has the records and takes them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(
            base_url=url,
            trust_env=False,
            verify=False,  # noqa: S501 - no TLS here
        )

    async def seen(self) -> dict[str, int]:
        counted: dict[str, int] = (await self._http.get("/seen")).json()
        return counted

    async def pace(self, seconds: float) -> None:
        (await self._http.put("/pace", json={"seconds": seconds})).raise_for_status()

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def having(count: int) -> AsyncIterator[Records]:
    """A system with so many records."""
    program = programs.start(SERVER, str(count))
    system = Records(program.wait_for(r"listens on (\S+)")[1])
    yield system
    await system.close()
    program.end()


@pytest.fixture
async def records(size: Size) -> AsyncIterator[Records]:
    async with having(size.records) as system:
        yield system


PAGES: dict[str, Any] = {
    "call": {
        "connector": "records",
        "path": "/records",
        "query": {"limit": str(PAGE), "since": "{% $watermark %}"},
    },
    "pagination": {"cursor": {"param": "after", "value": "{% next %}"}},
    "records": "{% items %}",
    "watermark": {"value": "{% changed_at %}"},
}
DOCUMENTS: dict[str, Any] = {
    "csv": {
        "call": {"connector": "records", "path": "/records.csv"},
        "document": {"csv": {}},
    },
    "xml": {
        "call": {"connector": "records", "path": "/records.xml"},
        "document": {"xml": {"element": "records/record"}},
    },
}


def copying(url: str, poll: dict[str, Any] = PAGES) -> RoutePlan:
    """All records, read once and told to the sink in batches."""
    delivery = {"batch": {"count": BATCH}, "maxBacklog": BACKLOG, "concurrency": BATCHES}
    (plan,) = manifests_text.plans(
        manifests_text.connector(url, name="records", idempotencyKey={}),
        manifests_text.delivering(
            {"poll": {"every": "1h", **poll}},
            "- call: {connector: records, method: POST, path: /sink}",
            name="copy",
            message={"key": "{% id %}"},
            delivery=delivery,
        ),
    )
    return plan


async def test_records_stream_through_in_bounded_memory(
    home: Home, records: Records, size: Size, tmp_path: Path
) -> None:
    await stream_through(home, records, size.records, tmp_path, copying(records.url))


@pytest.mark.parametrize("kind", DOCUMENTS)
async def test_a_document_streams_through_in_bounded_memory(
    home: Home, size: Size, tmp_path: Path, kind: str
) -> None:
    async with having(size.rows) as system:
        plan = copying(system.url, DOCUMENTS[kind])
        await stream_through(home, system, size.rows, tmp_path, plan)


async def stream_through(
    home: Home, records: Records, count: int, tmp_path: Path, plan: RoutePlan
) -> None:
    """All of so many records reach the sink, and memory stays what it is."""
    async with route_process.replicas(
        plan,
        count=1,
        folder=tmp_path,
        environment={"ISTHMUS_JOURNAL": home.address},
    ) as (replica,):

        async def taken() -> int:
            return (await records.seen())["taken"]

        await until.moving(taken, lambda so_far: so_far >= count // 2, within=PATIENCE)
        by_then = replica.memory()
        await until.moving(taken, lambda so_far: so_far == count, within=PATIENCE)

        print(
            f"{count} records: {by_then / 2**20:.1f} MiB half way, {replica.memory() / 2**20:.1f}"
        )
        assert replica.memory() < MOST
        assert replica.memory() - by_then < SLACK
    assert (await records.seen())["again"] == 0


async def test_a_slow_target_slows_the_poll(
    home: Home, records: Records, size: Size, tmp_path: Path
) -> None:
    await records.pace(0.3)
    async with route_process.replicas(
        copying(records.url),
        count=1,
        folder=tmp_path,
        environment={"ISTHMUS_JOURNAL": home.address},
    ):
        ahead = []

        async def taken() -> int:
            seen = await records.seen()
            ahead.append(seen["read"] - seen["taken"])
            return seen["taken"]

        await until.moving(taken, lambda count: count > 3 * BACKLOG, within=PATIENCE)

    assert max(ahead) > BACKLOG / 2
    assert max(ahead) <= BACKLOG + PAGE + BATCHES * BATCH
