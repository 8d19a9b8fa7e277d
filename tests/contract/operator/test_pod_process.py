"""The pod as the operator writes it, and the process in it: what one gives, the other understands.

The image is left out: the process of this checkout is started with the pod's environment, and with
the pod's files below a folder of the test.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from desired_cases import CASES, Case

from isthmus_operator.desired import Manifest

SECONDS = 20
CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod's objects, and the folder that stands for its root."""

    root: Path
    children: dict[str, Manifest]

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.children["Deployment"]["spec"]["template"]["spec"]
        return spec

    @property
    def process(self) -> dict[str, Any]:
        [container] = self.spec["containers"]
        return dict(container)

    def path(self, inside: str) -> Path:
        """Where a path inside the pod is outside of it."""
        return self.root / inside.lstrip("/")

    def mount(self) -> None:
        """Write what the kubelet would mount, a made-up value for every key that is projected."""
        volumes = {each["name"]: each for each in self.spec["volumes"]}
        for mounted in self.process["volumeMounts"]:
            folder = self.path(mounted["mountPath"])
            folder.mkdir(parents=True)
            for name, text in self._files(volumes[mounted["name"]]).items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
        if "ISTHMUS_JOURNAL_FILE" in self.plain:
            address = f"sqlite:{self.root / 'journal.db'}"
            self.path(self.plain["ISTHMUS_JOURNAL_FILE"]).write_text(address)

    def _files(self, volume: dict[str, Any]) -> dict[str, str]:
        if volume.get("configMap", {}).get("optional"):  # rows of a table, which others write
            return {"be.csv": f"sku,net\n{volume['configMap']['name']},1\n"}
        if "configMap" in volume:
            config_map = self.children["ConfigMap"]
            assert volume["configMap"]["name"] == config_map["metadata"]["name"]
            return dict(config_map["data"])
        sources = volume.get("projected", {}).get("sources", ())
        held = [kind for source in sources for kind in source.values()]
        return {item["path"]: "made-up" for kind in held for item in kind["items"]}

    @property
    def plain(self) -> dict[str, str]:
        """The variables that have a plain value."""
        return {each["name"]: each["value"] for each in self.process["env"] if "value" in each}

    def environment(self, ports: dict[str, int]) -> dict[str, str]:
        """The plain variables, paths and ports as they are outside; one that nobody is to reach may
        be any."""
        plain = self.plain
        paths = {k: str(self.path(v)) for k, v in plain.items() if v.startswith("/")}
        numbers = {each["containerPort"]: each["name"] for each in self.process["ports"]}
        open_at = {
            name: str(ports[numbers[int(value)]] if int(value) in numbers else 0)
            for name, value in plain.items()
            if name.endswith("_PORT")
        }
        return {**plain, **paths, **open_at, "ISTHMUS_HOST": "127.0.0.1"}


@pytest.fixture
async def processes() -> AsyncIterator[list[asyncio.subprocess.Process]]:
    started: list[asyncio.subprocess.Process] = []
    yield started
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@CASE
async def test_the_process_starts_with_what_its_pod_gives_it(
    tmp_path: Path, processes: list[asyncio.subprocess.Process], case: Case
) -> None:
    pod = Pod(tmp_path, {each["kind"]: each for each in case.children()})
    pod.mount()
    ports = _free_ports([each["name"] for each in pod.process["ports"]])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "isthmus_runtime"),
        env={**os.environ, **pod.environment(ports)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    processes.append(process)

    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert await _passes(pod.process[name]["httpGet"], ports, process), name


async def test_the_init_container_does_nothing_and_ends_well(
    processes: list[asyncio.subprocess.Process],
) -> None:
    made = next(each for each in CASES["every-field"].children() if each["kind"] == "Deployment")
    [waiting] = made["spec"]["template"]["spec"]["initContainers"]
    program, *arguments = waiting["command"]
    assert program == "python"  # the image's; ours stands for it
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    processes.append(process)

    assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


async def _passes(
    get: dict[str, str], ports: dict[str, int], process: asyncio.subprocess.Process
) -> bool:
    """Ask until the probe is answered with 200, or the process has ended."""
    url = f"http://127.0.0.1:{ports[get['port']]}{get['path']}"
    async with asyncio.timeout(SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return True
            except httpx.TransportError:
                pass  # nobody listens yet
            await asyncio.sleep(0.05)
    said = await process.stderr.read() if process.stderr else b""
    raise AssertionError(f"the process ended with {process.returncode}: {said.decode()}")


def _free_ports(names: list[str]) -> dict[str, int]:
    sockets = [socket.socket() for _ in names]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}
    finally:
        for each in sockets:
            each.close()
