"""Programs of the examples, ended when the tests of a module are over."""

from collections.abc import Iterator
from pathlib import Path

import programs
import pytest
from programs import Program, Start


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    started: list[Program] = []

    def begin(*command: str | Path) -> Program:
        started.append(programs.start(*command))
        return started[-1]

    yield begin
    for program in started:
        program.end()
