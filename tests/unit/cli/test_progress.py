"""Progress: what a terminal shows of something that takes long."""

import io

import pytest

from isthmus_cli.cluster.progress import AFTER_SECONDS, Progress

CLEAR = "\r\x1b[K"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_quick_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)

    clock.now = AFTER_SECONDS / 2
    progress.tell("routes read", 500, 5000)
    progress.clear()

    assert stream.getvalue() == ""


def test_each_line_takes_the_place_of_the_one_before_and_the_last_one_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)

    clock.now = AFTER_SECONDS
    progress.tell("routes read", 1500, 5000)
    progress.tell("routes read", 1501, 5000)  # at the same moment
    clock.now += 1
    progress.tell("pods asked", 7)
    progress.clear()
    progress.clear()

    told = ["isthmus: 1,500 of 5,000 routes read", "isthmus: 7 pods asked"]
    assert stream.getvalue() == f"{CLEAR}{told[0]}{CLEAR}{told[1]}{CLEAR}"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["a pipe", "a dumb terminal"])
def test_only_a_terminal_that_can_clear_a_line_is_told(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb" if stream.isatty() else "xterm")
    clock = Clock()
    progress = Progress(stream, clock)

    clock.now = AFTER_SECONDS + 1
    progress.tell("routes read", 1)

    assert stream.getvalue() == ""
