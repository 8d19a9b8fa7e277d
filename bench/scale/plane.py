"""The plane: etcd and kube-apiserver without nodes, fresh for each measurement."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Final

from control_plane import ControlPlane

from scale import ROOT, fleet, subject

WARM_UP_SECONDS: Final = 30.0
IDLE_CPU: Final = 0.15  # CPU seconds a second of a server that only waits
_ROOM: Final = {"max-requests-inflight": "3000", "max-mutating-requests-inflight": "1000"}


@contextlib.contextmanager
def plane() -> Iterator[ControlPlane]:
    """One that serves our kinds and has the fleet's namespace."""
    with ControlPlane(apiserver_flags=_ROOM) as started:
        started.kubectl("apply", "-f", str(ROOT / "crds"))
        started.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        started.kubectl("create", "namespace", fleet.NAMESPACE)
        _warm_up(started)
        yield started


def _warm_up(started: ControlPlane) -> None:
    """Wait for what an API server computes after its start and after it was given kinds."""
    pid, deadline = started.processes[1].pid, time.monotonic() + WARM_UP_SECONDS
    before = subject.cpu(pid)
    while time.monotonic() < deadline:
        time.sleep(1.0)
        now = subject.cpu(pid)
        if now - before < IDLE_CPU:
            return
        before = now
