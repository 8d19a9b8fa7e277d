"""The real runtime on real sockets, systems behind it that misbehave, callers in front of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import pytest
import upstreams
import uvloop
from served import Serve, Served, Start

from isthmus_runtime import logs, secrets
from isthmus_runtime.runtime import Runtime, Settings


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[dict[str, Any]]]:
    with logs.captured() as lines:
        yield lines


def _caller(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        timeout=15.0,
        limits=httpx.Limits(max_connections=None),
        verify=False,  # noqa: S501 - no TLS here; reading the certificates takes 20 ms
    )


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    started: list[Served] = []

    async def start(
        *documents: str, secrets_in: dict[str, str] | None = None, **settings: Any
    ) -> Served:
        file = tmp_path / "secrets.env"
        lines = (f"{name}={value}\n" for name, value in (secrets_in or {}).items())
        file.write_text("".join(lines))
        given = {"port": 0, "admin_port": 0, "drain_seconds": 0.0, **settings}
        runtime = Runtime(Settings(**given), secrets.at(file))
        await runtime.load(manifests_text.plans(*documents))
        port, admin_port = await runtime.start()
        served = Served(runtime, port, _caller(port), _caller(admin_port))
        started.append(served)
        return served

    yield start
    for served in started:
        await served.http.aclose()
        await served.admin.aclose()
        await served.runtime.drain()


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
