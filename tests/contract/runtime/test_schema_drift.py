"""Schema drift on real sockets: what is seen of answers, where it is told, and what it costs."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import pytest
import upstreams
import vendor_apis
from served import Served, Start

from isthmus_api.contract import Contract
from isthmus_runtime import secrets
from isthmus_runtime.connectors import connector as connectors
from isthmus_runtime.connectors import schema_drift
from isthmus_runtime.runtime import Runtime, Settings

ROUTE = manifests_text.route("- call: {connector: pim, path: /products/1}")
REF = {"openapi": {"configMapKeyRef": {"name": "pim", "key": "openapi.yaml"}}}
GOOD = {"sku": "CH-1", "name": "Chair", "updated_at": "2026-01-01T00:00:00Z"}
SECRET = "4111-1111"
DRIFTED = {"sku": 7, "updated_at": "now", "colour": SECRET}

ServeContract = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve_contract(tmp_path: Path) -> AsyncIterator[ServeContract]:
    """A runtime whose Connector to the PIM has a contract, in a file of the test."""
    file = tmp_path / "openapi.yaml"
    file.write_bytes(vendor_apis.FILES["pim"].read_bytes())
    started: list[Served] = []

    def find(namespace: str, name: str, contract: Contract) -> Callable[[], bytes]:
        return file.read_bytes

    async def start(url: str, *documents: str, **http: Any) -> Served:
        given = Settings(port=0, admin_port=0, drain_seconds=0.0)
        runtime = Runtime(given, secrets.at(None), find_contract=find)
        pim = manifests_text.connector(url, name="pim", **http)
        await runtime.load(manifests_text.plans(pim, *(documents or (ROUTE,))))
        port, admin_port = await runtime.start()
        traffic, admin = (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{each}", verify=False)  # noqa: S501
            for each in (port, admin_port)
        )
        served = Served(runtime, port, traffic, admin)
        started.append(served)
        return served

    yield start
    for served in started:
        await served.http.aclose()
        await served.admin.aclose()
        await served.runtime.drain()


async def drift_of(served: Served, *, until: int) -> list[dict[str, str]]:
    """What `/status` shows, once it is `until` differences."""
    async with asyncio.timeout(10):
        while True:
            (contract,) = (await served.admin.get("/status")).json()["contracts"]
            found: list[dict[str, str]] = contract["schemaDrift"]
            if len(found) >= until:
                return found
            await asyncio.sleep(0.02)


async def test_a_difference_is_told_once_in_status_metrics_and_log(
    serve_contract: ServeContract, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    pim = await upstream(upstreams.answer(DRIFTED))
    served = await serve_contract(pim.url, contract=REF)

    answer = await served.get()
    found = await drift_of(served, until=3)
    metrics = await served.metrics()

    assert answer.json() == DRIFTED
    name = "GET /products/{sku}"
    assert sorted(found, key=str) == sorted(
        [
            {"operation": name, "kind": "missing", "path": "$.name"},
            {
                "operation": name,
                "kind": "retyped",
                "path": "$.sku",
                "types": "integer, not string",
            },
            {"operation": name, "kind": "new", "path": "$.colour"},
        ],
        key=str,
    )
    for kind in ("missing", "retyped", "new"):
        labels = f'connector="pim",drift="{kind}",namespace="default",operation="{name}"'
        assert f"isthmus_connector_schema_drift{{{labels}}} 1.0" in metrics
    lines = [line for line in logged if line["event"] == "an answer is not as the contract says"]
    assert {line["field"] for line in lines} == {"$.name", "$.sku", "$.colour"}
    assert len(lines) == 3
    assert SECRET not in str(lines)
    assert SECRET not in metrics


async def test_answers_as_the_contract_says_are_silent(
    serve_contract: ServeContract, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    pim = await upstream(upstreams.answer(GOOD))
    served = await serve_contract(pim.url, contract=REF)

    await served.get()
    (watch,) = served.runtime._registry._watches()
    await watch.idle()

    assert await drift_of(served, until=0) == []
    (contract,) = (await served.admin.get("/status")).json()["contracts"]
    assert contract["answers"] == 1
    assert "isthmus_connector_schema_drift{" not in await served.metrics()
    assert not [line for line in logged if line["level"] != "info"]


async def test_of_many_answers_a_few_are_looked_at(
    serve_contract: ServeContract, upstream: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count()
    pim = await upstream(lambda arrival: upstreams.answer({**GOOD, f"new{next(numbers)}": 1}))
    served = await serve_contract(pim.url, contract=REF)
    monkeypatch.setattr(schema_drift, "EVERY_SECONDS", 3600.0)

    for _ in range(50):
        await served.get()

    assert len(await drift_of(served, until=1)) == 1


async def test_a_contract_that_cannot_be_read_is_told_and_harms_no_call(
    serve_contract: ServeContract,
    upstream: Start,
    tmp_path: Path,
    logged: list[dict[str, Any]],
) -> None:
    (tmp_path / "openapi.yaml").write_text("swagger: '2.0'\n")
    pim = await upstream(upstreams.answer(DRIFTED))
    served = await serve_contract(pim.url, contract=REF)

    answer = await served.get()
    (watch,) = served.runtime._registry._watches()
    await watch.idle()

    assert answer.json() == DRIFTED
    (contract,) = (await served.admin.get("/status")).json()["contracts"]
    assert contract["unreadable"].startswith("this is Swagger 2.0")
    assert [line["reason"] for line in logged if line["event"] == "a contract cannot be read"]


async def test_a_connector_without_a_contract_calls_as_ever(
    serve_contract: ServeContract, upstream: Start
) -> None:
    pim = await upstream(upstreams.answer(DRIFTED))
    served = await serve_contract(pim.url)

    await served.get()

    assert "contracts" not in (await served.admin.get("/status")).json()
    (opened,) = served.runtime._registry._connectors.values()
    assert re.fullmatch(r"attempt", opened.connector.send.__name__)
    assert isinstance(opened.connector, connectors.Connector)
