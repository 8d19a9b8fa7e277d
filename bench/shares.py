"""A share of a core for each of some processes, by the kernel's cgroups (version 1 or 2).

So many replicas can be compared on few cores: each has as much as it would have alone. Needs root;
groups are our own, made beside all others and taken away again.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path("/sys/fs/cgroup")
PERIOD: Final = 20_000
"""Microseconds in which a share is given out."""
PATIENCE: Final = 5.0
"""Seconds until the kernel has noticed that the processes of a group are gone."""

_NUMBERS = itertools.count(1)


class NoSharesError(Exception):
    """This machine gives out no shares; the text says why."""


@contextlib.contextmanager
def group(share: float) -> Iterator[Callable[[int], None]]:
    """Give what holds a process to a share of a core; it must have ended when the block ends."""
    version1 = (ROOT / "cpu").is_dir()
    folder = (ROOT / "cpu" if version1 else ROOT) / f"isthmus-bench-{os.getpid()}-{next(_NUMBERS)}"
    quota = int(share * PERIOD)
    if version1:
        limits = {"cpu.cfs_period_us": f"{PERIOD}", "cpu.cfs_quota_us": f"{quota}"}
    else:
        limits = {"cpu.max": f"{quota} {PERIOD}"}
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir()
            stack.callback(_remove, folder)
            for name, limit in limits.items():
                (folder / name).write_text(limit)
        except OSError as error:
            raise NoSharesError(f"no share of a core can be given out ({error})") from error
        yield lambda pid: _add(folder, pid)


def _add(folder: Path, pid: int) -> None:
    (folder / "cgroup.procs").write_text(str(pid))


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while folder.is_dir():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
