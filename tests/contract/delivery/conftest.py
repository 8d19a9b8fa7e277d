"""The real runtime with a real journal, on real sockets, and systems that misbehave behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import postgres
import pytest
import upstreams
import uvloop
from carriers import Carrier, Carry
from served import Start

from isthmus_runtime import logs


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[dict[str, Any]]]:
    with logs.captured() as lines:
        yield lines


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A server for the tests of this run."""
    with postgres.Cluster() as started:
        yield started


@pytest.fixture
def home() -> str:
    """Where journals are; tests of what a home decides are run in both."""
    return "sqlite"


@pytest.fixture
def address(home: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a journal may be opened; there is nothing yet."""
    if home == "sqlite":
        return f"sqlite:{tmp_path / 'journal.db'}"
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    cluster.sql("DROP SCHEMA IF EXISTS isthmus CASCADE", database="postgres")
    return cluster.address("postgres")


@pytest.fixture
async def carry(address: str, tmp_path: Path) -> AsyncIterator[Carry]:
    started: list[Carrier] = []

    async def start(
        *documents: str, secrets_in: dict[str, str] | None = None, **settings: Any
    ) -> Carrier:
        carrier = Carrier(address, tmp_path / "secrets.env", secrets_in or {})
        await carrier.start(*documents, **settings)
        started.append(carrier)
        return carrier

    yield start
    for carrier in started:
        await carrier.stop()


@pytest.fixture
async def upstream() -> AsyncIterator[Start]:
    started: list[upstreams.Upstream] = []

    async def start(*given: upstreams.Behave | upstreams.Choose) -> upstreams.Upstream:
        system = upstreams.Upstream(upstreams.choosing(given or (upstreams.answer({}),)))
        await system.start()
        started.append(system)
        return system

    yield start
    for system in started:
        await system.stop()
