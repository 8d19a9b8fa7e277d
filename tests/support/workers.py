"""Processes of `journal_worker.py`, to be killed."""

import subprocess
import sys
from pathlib import Path
from typing import IO

SCRIPT = Path(__file__).with_name("journal_worker.py")


class Worker:
    """One process; what it said is read when it is gone."""

    def __init__(self, what: str, address: str, folder: Path) -> None:
        self._said = folder / f"{what}-{id(self)}.txt"
        self._output: IO[bytes] = self._said.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, SCRIPT, what, address], stdout=self._output
        )
        self.pid = self._process.pid

    def kill(self) -> None:
        """SIGKILL; it has no chance to do anything."""
        self._process.kill()
        self._process.wait()
        self._output.close()

    def said(self, word: str) -> list[str]:
        """What followed a word, of whole lines."""
        lines = self._said.read_text().split("\n")[:-1]
        return [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == word]

    def has_said(self, word: str) -> bool:
        """Whether it said so by now."""
        return bool(self.said(word))
