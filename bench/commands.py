"""Commands: how long the command line takes, from its start to its end.

Each runs as people start it, in a process of its own, with its modules compiled by a run before.
The value is the median of wall time; beside it the CPU that the median run took.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import diffs
from goals import Row

ROUTES: Final = 1000
LARGE_ROUNDS: Final = 3
"""At most: a folder of many Routes takes seconds, and its times differ by little."""
_EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_NO_CACHE: Final = "PYTHONDONTWRITEBYTECODE"
"""Modules that are compiled at each start are not what users have."""


@dataclasses.dataclass(frozen=True, slots=True)
class Goal:
    """A command, and in how many seconds it is to end."""

    what: str
    arguments: tuple[str, ...]
    floor: float
    aim: float
    code: int = 0


SMALL: Final = (
    Goal("version", ("version",), floor=0.15, aim=0.1),
    Goal("--help", ("--help",), floor=0.15, aim=0.1),
    Goal("completion", ("completion", "bash"), floor=0.15, aim=0.1),
    Goal(
        "render, one Route",
        ("render", str(_EXAMPLES / "search-with-prices"), "--image", "example/runtime:1"),
        floor=0.3,
        aim=0.2,
    ),
    Goal("mapping eval", ("mapping", "eval", "1 + 1"), floor=0.5, aim=0.3),
)
LARGE: Final = (
    Goal("lint", ("lint", "."), floor=5.0, aim=2.0),
    Goal("diff --from", ("diff", ".", "--from", "HEAD"), floor=5.0, aim=2.0, code=1),
)
BOTH: Final = (10.0, 3.0)
"""Floor and aim of both together."""


@dataclasses.dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one command, a figure for each run."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of wall time."""
        return statistics.median(self.wall)


def measure(rounds: int, *, say: Callable[[str], None]) -> Iterator[Row]:
    """Every command; those on many Routes in fewer rounds."""
    for goal in SMALL:
        say(f"isthmus {goal.what}")
        yield row("commands", goal, timed(goal, rounds))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        diffs.repository(folder, ROUTES)
        (folder / "c0.yaml").write_text(diffs.connector(0, "5s"))
        found: list[Times] = []
        for goal in LARGE:
            say(f"isthmus {goal.what} on {ROUTES} Routes")
            found.append(timed(goal, min(rounds, LARGE_ROUNDS), folder=folder))
            yield row("commands", goal, found[-1], among=ROUTES)
        yield _row(f"lint and diff, {ROUTES:,} Routes", *_together(found), *BOTH)


def timed(
    goal: Goal,
    rounds: int,
    *,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> Times:
    """Run a command; the first run compiles and warms, and is not counted."""
    command = [str(diffs.COMMAND), *goal.arguments]
    env = {name: value for name, value in os.environ.items() if name != _NO_CACHE}
    env |= environment or {}
    runs = [_once(command, goal.code, folder, env) for _ in range(rounds + 1)][1:]
    wall, cpu = zip(*runs, strict=True)
    return Times(wall, cpu)


def row(work: str, goal: Goal, times: Times, *, among: int = 0) -> Row:
    """What is said of one command."""
    what = f"{goal.what}, {among:,} Routes" if among else goal.what
    cpu = statistics.median(times.cpu)
    return _row(what, times.median, cpu, goal.floor, goal.aim, work=work)


def _together(found: Sequence[Times]) -> tuple[float, float]:
    return sum(each.median for each in found), sum(statistics.median(each.cpu) for each in found)


def _once(
    command: list[str], code: int, folder: Path | None, env: dict[str, str]
) -> tuple[float, float]:
    """Seconds of wall time and of CPU."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != code:
        said = ended.stderr.decode("utf-8", "replace").strip()[-300:]
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {said}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _row(
    what: str, wall: float, cpu: float, floor: float, aim: float, *, work: str = "commands"
) -> Row:
    return Row.of_seconds(work, what, wall, beside=f"CPU {cpu:.2f} s", floor=floor, aim=aim)
