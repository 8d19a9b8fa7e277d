"""The load: closed through wrk where it is installed, open through our own loader.

Both run as processes on the core of the load, and both come back as a Measure.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import processes
import workloads

HERE: Final = Path(__file__).parent
SLACK: Final = 30  # seconds that a loader may take beyond its time


class LoadError(Exception):
    """The load generator itself failed, or an engine gave wrong answers under load."""


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """One stretch of load: its rate, its latencies in seconds, and what went wrong in it."""

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int = 0
    late: int = 0  # open load only: fell due and had no answer when the time was up
    answer_size: float = math.nan  # mean bytes of an answer, heads included


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes, from which cores, over how many connections."""

    work: workloads.Workload
    port: int
    payloads: Path
    cores: frozenset[int]
    connections: int

    @property
    def body(self) -> str:
        return str(self.payloads / self.work.payload) if self.work.payload else ""


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def closed(target: Target, *, seconds: float) -> Measure:
    """Ask as fast as the engine answers."""
    return _wrk(target, seconds) if has_wrk() else _own(target, seconds, rate=None)


def calm(target: Target, *, seconds: float) -> Measure:
    """Ask over few connections, only to learn what an undisturbed answer looks like."""
    return _own(target, seconds, rate=None)


def opened(target: Target, *, seconds: float, rate: float) -> Measure:
    """Ask at this rate, whatever the engine does."""
    return _own(target, seconds, rate=rate)


def _wrk(target: Target, seconds: float) -> Measure:
    work = target.work
    command = ["wrk", "-t1", f"-c{target.connections}", f"-d{math.ceil(seconds)}s"]
    command += ["--timeout", "5s", "-s", str(HERE / "wrk.lua")]
    command += [f"http://127.0.0.1:{target.port}{work.target}"]
    env = {"BENCH_METHOD": work.method, "BENCH_BODY": target.body}
    found = json.loads(_run(command, env, target, seconds).stderr.splitlines()[-1])
    return Measure(
        requests=found["requests"],
        rate=found["requests"] / found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        errors=found["errors"],
        answer_size=found["bytes"] / max(1, found["requests"]),
    )


def _own(target: Target, seconds: float, *, rate: float | None) -> Measure:
    work = target.work
    command = [sys.executable, str(HERE / "loader.py"), "--port", str(target.port)]
    command += ["--method", work.method, "--target", work.target]
    command += ["--connections", str(target.connections), "--seconds", str(seconds)]
    command += ["--body", target.body] if target.body else []
    command += ["--rate", str(rate)] if rate else []
    found: dict[str, Any] = json.loads(_run(command, {}, target, seconds).stdout)
    return Measure(
        requests=found["requests"],
        rate=found["requests"] / found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        errors=found["errors"],
        late=found["late"],
        answer_size=found["mean_size"],
    )


def _run(
    command: list[str], env: dict[str, str], target: Target, seconds: float
) -> subprocess.CompletedProcess[str]:
    try:
        with processes.pinned(target.cores):
            return subprocess.run(
                command,
                env={**os.environ, **env},
                check=True,
                capture_output=True,
                text=True,
                timeout=seconds + SLACK,
            )
    except subprocess.CalledProcessError as error:
        raise LoadError(f"{command[0]} failed: {error.stderr.strip()[-300:]}") from error
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{command[0]} did not end") from error
