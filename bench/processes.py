"""Processes of a run: started on a core of their own, weighed, and stopped by their own id.

Nothing is ever stopped by name: other work may share the machine.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import wire

PATIENCE: Final = 60.0  # seconds that a process may take to give its first answer
GRACE: Final = 5.0  # seconds between asking a process to end and ending it


class StartError(Exception):
    """A process ended early, or gave no answer in time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where. With one core only, everything shares it and nothing is pinned apart."""

    server: frozenset[int]
    load: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> Cores:
        cores = sorted(os.sched_getaffinity(0))
        return cls(server=frozenset(cores[-1:]), load=frozenset(cores[:1]))

    @property
    def apart(self) -> bool:
        return self.server != self.load


@dataclasses.dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process and its children, in bytes."""

    rss: int
    pss: int  # pages shared between the processes counted once


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """A running process, its log, and where it listens."""

    popen: subprocess.Popen[bytes]
    log: Path
    port: int
    first_answer: float = 0.0  # seconds from start to the first 200

    def memory(self) -> Memory:
        found = [_memory(pid) for pid in tree(self.popen.pid)]
        return Memory(rss=sum(m.rss for m in found), pss=sum(m.pss for m in found))

    def cpu(self) -> float:
        """Seconds of processor time so far, user and system, of all threads and children alive."""
        return cpu(self.popen.pid)

    def last_words(self) -> str:
        text = self.log.read_text(errors="replace").strip()
        return " | ".join(text.splitlines()[-3:])[-400:]


@contextlib.contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """Move this process for a while, so that what it starts begins life on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start(
    command: Sequence[str],
    *,
    cores: frozenset[int],
    log: Path,
    port: int,
    ready: wire.Request,
    env: Mapping[str, str],
) -> Process:
    """Start a process and wait for its first 200; stop it again when there is none."""
    if listening(port):
        raise StartError(f"port {port} is taken by another process")
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with log.open("wb") as output, pinned(cores):
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            cwd=log.parent,
            start_new_session=True,
        )
    process = Process(popen, log, port)
    try:
        _await_answer(process, ready, deadline=began + PATIENCE)
    except BaseException:
        stop(process)
        raise
    return dataclasses.replace(process, first_answer=time.perf_counter() - began)


def listening(port: int) -> bool:
    try:
        wire.ask(port, wire.Request("GET", "/", b""), timeout=1)
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def stop(process: Process) -> None:
    """Ask the process to end, then end what is left of it and its children."""
    pids = tree(process.popen.pid)
    process.popen.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.popen.wait(GRACE)
    if process.popen.poll() is None:
        process.popen.kill()
        process.popen.wait()
    for pid in pids[1:]:
        if _session(pid) == process.popen.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def cpu(root: int) -> float:
    """Seconds of processor time so far, user and system, of a process and all below it alive."""
    return sum(_cpu_ticks(pid) for pid in tree(root)) / os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """List a process and everything below it, the root first."""
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _await_answer(process: Process, ready: wire.Request, *, deadline: float) -> None:
    while True:
        if process.popen.poll() is not None:
            code = process.popen.returncode
            raise StartError(f"ended with {code}: {process.last_words()}")
        with contextlib.suppress(OSError):
            if wire.ask(process.port, ready).status == 200:
                return
        if time.perf_counter() > deadline:
            raise StartError(f"no 200 within {PATIENCE:.0f} s: {process.last_words()}")
        time.sleep(0.002)


def _cpu_ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it ended meanwhile
        return 0
    user, system = text.rpartition(")")[2].split()[11:13]  # the name before may hold blanks
    return int(user) + int(system)


def _memory(pid: int) -> Memory:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return Memory(rss=0, pss=0)
    kib = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines[1:])}
    return Memory(rss=int(kib["Rss"]) * 1024, pss=int(kib["Pss"]) * 1024)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0
