"""The crowd: how long verbs take on a cluster with thousands of Routes, and in how much memory.

The cluster is an API server without nodes that has, for each Route, a Mapping, a Deployment, a
ReplicaSet and a pod. All pods have the address of this machine, where one runtime answers for them.
A verb is run as people run it, three times; the value is the median of wall time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import populations
import yaml
from control_plane import ControlPlane

import diffs
import processes
from goals import MB, Row
from isthmus_operator.kube import Access, Client
from scale.plane import plane

NAMESPACE: Final = "crowd"
RUNS: Final = 3
FLOOR: Final = 10.0
AIM: Final = 3.0
ADMIN_PORT: Final = 9090
"""That of a Route's pod."""
_ROUTES: Final = 1000
"""In the larger of the folders that are compared with the cluster."""
_EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "search-with-prices"
_COMPLETING: Final = {
    "_ISTHMUS_COMPLETE": "bash_complete",
    "COMP_WORDS": f"isthmus trace -n {NAMESPACE} route/route-49",
    "COMP_CWORD": "4",
}

Say = Callable[[str], None]


def measure(routes: int, *, say: Say) -> Iterator[Row]:
    """Fill a cluster and run every verb."""
    with plane() as server, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        say(f"making {routes} Routes with their pods: some minutes")
        server.kubectl("create", "namespace", NAMESPACE)
        asyncio.run(_filled(server, routes, say))
        _folder(folder / "one", 1)
        _folder(folder / "many", min(_ROUTES, routes))
        with _answering(folder, say):
            for name, arguments, code in _verbs(folder, routes):
                say(f"isthmus {name}")
                yield _row(name, routes, _runs(server, arguments, code))
        say("completion of names")
        yield _row("completion of names", routes, _runs(server, (), 0, _COMPLETING))


async def _filled(server: ControlPlane, routes: int, say: Say) -> None:
    async with Client(Access.of_kubeconfig(server.kubeconfig)) as client:
        await populations.fill(client, NAMESPACE, routes, address=_address(), say=say)


def _verbs(folder: Path, routes: int) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """What is run, and how it ends."""
    one = f"route/route-{routes // 2}"
    yield "status", ("status",), 0
    yield "status -A -o json", ("status", "-A", "-o", "json"), 0
    yield "status of one", ("status", one), 0
    yield "status of a misspelt one", ("status", f"{one}x"), 2
    yield "trace", ("trace", one), 0
    yield "rollout status", ("rollout", "status", one), 0
    yield "rollout history", ("rollout", "history", one), 0
    yield "rollout undo", ("rollout", "undo", one), 1
    yield "logs", ("logs", one), 0
    yield "pause, or resume", ("resume", one), 0
    yield "messages list", ("messages", "list"), 1  # none of the pods has a journal
    yield "diff of a folder with 1 Route", ("diff", str(folder / "one")), 0
    yield f"diff of a folder with {_ROUTES}", ("diff", str(folder / "many")), 0
    yield "top of one", ("top", one, "--interval", "1s"), 0
    yield "top", ("top", "--interval", "1s"), 0


def _folder(folder: Path, routes: int) -> None:
    """Manifests of some of the Routes, as the cluster has them."""
    folder.mkdir()
    make = populations
    every = [make.connector(NAMESPACE, number) for number in range(make.CONNECTORS)][:routes]
    for number in range(routes):
        every += [make.mapping(NAMESPACE, number), make.route(NAMESPACE, number)]
    (folder / "all.yaml").write_text(yaml.safe_dump_all(every))


@contextlib.contextmanager
def _answering(folder: Path, say: Say) -> Iterator[None]:
    """A runtime at this machine's address, which every pod has."""
    copied = folder / "served"
    copied.mkdir()
    for each in _EXAMPLE.glob("*.yaml"):
        (copied / each.name).write_text(each.read_text())
    command = [str(diffs.COMMAND), "run", str(copied), "--host", _address()]
    with (folder / "runtime.log").open("wb") as log:
        started = subprocess.Popen(
            [*command, "--port", "0", "--admin-port", str(ADMIN_PORT)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(started, folder / "runtime.log")
        yield
    finally:
        started.terminate()
        started.wait(30)


def _wait(started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((_address(), ADMIN_PORT), 1):
            return
        if started.poll() is not None:
            break
        time.sleep(0.1)
    raise processes.StartError(f"the runtime ended: {log.read_text()[-300:]}")


def _runs(
    server: ControlPlane, arguments: tuple[str, ...], code: int, more: dict[str, str] | None = None
) -> list[tuple[float, float, int]]:
    placed = (*arguments, "-n", NAMESPACE) if arguments and "-A" not in arguments else arguments
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"KUBECONFIG": str(server.kubeconfig)} | (more or {})
    return [_once([str(diffs.COMMAND), *placed], code, env) for _ in range(RUNS)]


def _once(command: list[str], code: int, env: dict[str, str]) -> tuple[float, float, int]:
    """Seconds of wall time and of CPU, and the most bytes that the process had."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != code:
            said.seek(0)
            told = said.read()[-300:].decode("utf-8", "replace")
            raise processes.StartError(f"{command[1:]} ended with {process.returncode}: {told}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def _row(name: str, routes: int, runs: list[tuple[float, float, int]]) -> Row:
    wall, cpu, memory = zip(*runs, strict=True)
    used = f"CPU {statistics.median(cpu):.2f} s, {max(memory) / MB:.0f} MB"
    what, median = f"{name}, {routes:,} Routes", statistics.median(wall)
    return Row.of_seconds("crowd", what, median, beside=used, floor=FLOOR, aim=AIM)


def _address() -> str:
    """An address of this machine; an API server asks nobody at those of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # sends nothing
        return str(probe.getsockname()[0])
