"""Tables in ConfigMaps as a pod has them: mounted, replaced by the kubelet, gone or broken."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import pytest
from manifests_text import mapping, route

from isthmus_api.shared_table import TableError
from isthmus_runtime import secrets
from isthmus_runtime.runtime import Runtime, Settings
from isthmus_runtime.shared_tables import ConfigMapMounts, SharedTables

TABLE = {"configMaps": [{"name": "prices"}], "format": "csv", "value": "net"}
PLANS = manifests_text.plans(
    mapping('{"net": $table("prices", sku, "none")}', name="m", sharedTables={"prices": TABLE}),
    route("- map: {mapping: m}\n- respond: {}", method="POST"),
)


class Kubelet:
    """Keeps a mounted ConfigMap as the kubelet does: files behind a link that is replaced."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self._turn = 0

    def mount(self, **texts: str) -> None:
        self._turn += 1
        target = self._folder / f"..{self._turn}"
        target.mkdir()
        for name, text in texts.items():
            (target / name).write_text(text)
        fresh = self._folder / "..fresh"
        fresh.symlink_to(target.name)
        os.replace(fresh, self._folder / "..data")
        for link in self._folder.iterdir():
            if not link.name.startswith(".."):
                link.unlink()
        for name in texts:
            (self._folder / name).symlink_to(f"..data/{name}")
        if self._turn > 1:
            shutil.rmtree(self._folder / f"..{self._turn - 1}")


@pytest.fixture
def kubelet(tmp_path: Path) -> Kubelet:
    return Kubelet(tmp_path / "tables", "prices")


@pytest.fixture
def tables(tmp_path: Path, kubelet: Kubelet) -> SharedTables:
    kubelet.mount(a="sku,net\nA,1\n")
    return SharedTables(ConfigMapMounts(tmp_path / "tables"))


@pytest.fixture
async def http(tables: SharedTables) -> AsyncIterator[httpx.AsyncClient]:
    runtime = Runtime(
        Settings(port=0, admin_port=0, drain_seconds=0), secrets.NoSecrets(), tables=tables
    )
    await runtime.load(PLANS)
    port, _ = await runtime.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    await runtime.drain()


async def net(http: httpx.AsyncClient, sku: str) -> Any:
    return (await http.post("/it", json={"sku": sku})).json()["net"]


async def test_a_table_is_read_from_its_config_map(http: httpx.AsyncClient) -> None:
    assert [await net(http, sku) for sku in ("A", "B")] == ["1", "none"]


async def test_new_rows_are_taken_up_without_a_restart(
    http: httpx.AsyncClient, tables: SharedTables, kubelet: Kubelet
) -> None:
    kubelet.mount(a="sku,net\nA,2\n", b="sku,net\nB,3\n")
    await tables.refresh()

    assert [await net(http, sku) for sku in ("A", "B")] == ["2", "3"]


async def test_rows_that_cannot_be_read_leave_the_last_ones(
    http: httpx.AsyncClient,
    tables: SharedTables,
    kubelet: Kubelet,
    logged: list[dict[str, Any]],
) -> None:
    kubelet.mount(a="sku,net\nA\n")
    await tables.refresh()

    assert await net(http, "A") == "1"
    [line] = [each for each in logged if each["event"].startswith("a table cannot be read")]
    assert "line 2: 1 cells, not 2" in line["detail"]

    kubelet.mount(a="sku,net\nA,4\n")
    await tables.refresh()

    assert await net(http, "A") == "4"


async def test_a_process_that_watches_takes_them_up_by_itself(
    http: httpx.AsyncClient, tables: SharedTables, kubelet: Kubelet
) -> None:
    kubelet.mount(a="sku,net\nA,5\n")

    async for _ in _watching(tables):
        if await net(http, "A") == "5":
            break


async def _watching(tables: SharedTables) -> AsyncIterator[None]:
    watching = asyncio.create_task(tables.watch(every=0.01))
    try:
        async with asyncio.timeout(60):
            while True:
                await asyncio.sleep(0.01)
                yield
    finally:
        watching.cancel()


async def test_a_config_map_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    runtime = Runtime(
        Settings(), secrets.NoSecrets(), tables=SharedTables(ConfigMapMounts(tmp_path))
    )

    with pytest.raises(TableError, match="there is no ConfigMap 'prices'"):
        await runtime.load(PLANS)
