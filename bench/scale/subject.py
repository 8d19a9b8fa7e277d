"""The subject: the operator as its own process, seen through /metrics and /proc."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from control_plane import ControlPlane
from prometheus_client.parser import text_string_to_metric_families

import processes
from scale import fleet

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_WRITES: Final = frozenset({"patch", "create", "update", "delete"})
_NOT_OURS: Final = frozenset({"Lease", "Event"})
"""Leading needs its Lease, and an Event is no state."""
POLL_SECONDS: Final = 0.5
"""A scrape takes the operator some 20 ms."""
START_POLL_SECONDS: Final = 0.05
STOP_SECONDS: Final = 20.0


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """What /metrics says."""

    writes: dict[tuple[str, str], float]
    """Requests that succeeded, by verb and kind."""
    reconciles: float
    waiting: float
    stall: float
    """Seconds, since the sight before."""

    @property
    def total(self) -> float:
        """Writes that change what the cluster is."""
        return sum(n for (_, kind), n in self.writes.items() if kind not in _NOT_OURS)

    @property
    def events(self) -> float:
        """Kubernetes Events written."""
        return self.writes.get(("create", "Event"), 0.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Operator:
    """A running operator."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    started: float

    def look(self) -> Sight:
        """Ask it for its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        writes: dict[tuple[str, str], float] = {}
        plain: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for name, labels, value, *_ in family.samples:
                plain[name] = plain.get(name, 0.0) + value
                if name == "isthmus_operator_api_requests_total":
                    verb, kind, code = labels["verb"], labels["kind"], labels["code"]
                    if verb in _WRITES and code.startswith("2"):
                        writes[verb, kind] = writes.get((verb, kind), 0.0) + value
        return Sight(
            writes=writes,
            reconciles=plain.get("isthmus_operator_reconcile_total", 0.0),
            waiting=plain["isthmus_operator_queue_depth"],
            stall=plain["isthmus_operator_event_loop_stall_seconds"],
        )

    def answers(self) -> bool:
        """Whether it has read the cluster."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                return True
        except OSError:
            return False

    def check(self) -> None:
        """Raise when it has ended."""
        if self.process.poll() is not None:
            last = self.log.read_text(errors="replace").splitlines()[-5:]
            raise processes.StartError("the operator ended: " + " | ".join(last))


@contextlib.contextmanager
def operator(plane: ControlPlane, *, port: int) -> Iterator[Operator]:
    """Start an operator for all namespaces and wait until it has read the cluster."""
    log = plane.folder / "operator.log"
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")},
        "KUBECONFIG": str(plane.kubeconfig),
        "ISTHMUS_RUNTIME_IMAGE": "localhost/isthmus-runtime:dev",
        "ISTHMUS_NAMESPACE": fleet.NAMESPACE,
        "ISTHMUS_POD": "bench",
        "ISTHMUS_PORT": str(port),
    }
    with log.open("wb") as output:
        started = time.perf_counter()
        command = [sys.executable, "-m", "isthmus_operator"]
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
    found = Operator(process, port, log, started)
    try:
        while not found.answers():
            found.check()
            time.sleep(START_POLL_SECONDS)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu(*pids: int) -> float:
    """CPU seconds that processes have used."""
    return sum(map(_cpu, pids))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> tuple[int, int]:
    """Resident bytes of a process now, and the most it ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(said["VmRSS"].split()[0]) * 1024, int(said["VmHWM"].split()[0]) * 1024
