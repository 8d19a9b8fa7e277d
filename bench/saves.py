"""Saves: how long a watch of the command line takes to answer one.

A file of a copied example is saved with a comment more, some time after the answer to the save
before; the clock runs from the save to the end of the answer, as it comes through a pipe.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from goals import Row

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "search-with-prices"
SAVED: Final = "mapping.yaml"
PAUSE: Final = 0.2
"""Seconds in which a person looks at an answer: the watch is at rest again."""
FLOOR: Final = 0.1
AIM: Final = 0.05

_ENDS: Final = {
    "test --watch": (("test", "--watch"), "passed,"),
    "mapping eval --watch": (
        ("mapping", "eval", "--test", "a hit gets its price", "--watch", "-f"),
        "}\n",
    ),
}
"""Commands before the name of the folder, and what is in the last line of an answer."""


def measure(count: int, *, say: Callable[[str], None]) -> Iterator[Row]:
    """Nine of ten saves are answered within the value of a row."""
    for name, (command, end) in _ENDS.items():
        say(f"{count} saves under isthmus {name}")
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "manifests"
            shutil.copytree(EXAMPLE, folder)
            yield _row(name, list(_answers(command, end, folder, count)))


def _row(name: str, seconds: list[float]) -> Row:
    value = statistics.quantiles(seconds, n=10)[-1]
    median = f"median {1000 * statistics.median(seconds):.0f} ms"
    return Row.of_seconds("saves", f"{name}, 9 of 10", value, beside=median, floor=FLOOR, aim=AIM)


def _answers(command: tuple[str, ...], end: str, folder: Path, count: int) -> Iterator[float]:
    """Seconds of each save."""
    saved = folder / SAVED
    text = saved.read_text()
    process = subprocess.Popen(
        [sys.executable, "-m", "isthmus_cli", *command, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the command has no output")
        _wait(process.stdout, end)
        for number in range(count):
            time.sleep(PAUSE)
            started = time.perf_counter()
            saved.write_text(f"{text}# {number}\n")
            _wait(process.stdout, end)
            yield time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def _wait(lines: IO[str], end: str) -> None:
    for line in lines:
        if end in line and not line.startswith(" "):
            return
    raise RuntimeError("the command has ended")
