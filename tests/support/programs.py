"""Programs that a test starts, and whose lines it waits for."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import pytest

PATIENCE = 30


@dataclass
class Program:
    """A started program whose lines can be awaited."""

    process: subprocess.Popen[str]
    lines: "Queue[str]" = field(default_factory=Queue)
    said: list[str] = field(default_factory=list)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line that fits; fails when none comes."""
        while True:
            try:
                line = self.lines.get(timeout=PATIENCE)
            except Empty:
                pytest.fail(f"no line like {pattern!r} among:\n" + "".join(self.said))
            self.said.append(line)
            if found := re.search(pattern, line):
                return found

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()


Start = Callable[..., Program]


def start(*command: str | Path) -> Program:
    """Start a Python program; both its outputs are its lines."""
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
    )
    program = Program(process)
    threading.Thread(target=_collect, args=(program,), daemon=True).start()
    return program


def _collect(program: Program) -> None:
    if program.process.stdout:
        for line in program.process.stdout:
            program.lines.put(line)
