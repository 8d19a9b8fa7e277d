"""Moments and durations of options."""

import time

import click
import pytest

from isthmus_cli.moments import Moment, Span


def test_an_age_counts_from_now() -> None:
    assert Moment().convert("2h", None, None) == pytest.approx(time.time() - 7200, abs=600)


def test_a_time_is_that_time() -> None:
    assert Moment().convert("2026-01-01T00:00:03Z", None, None) == 1_767_225_603.0


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90", 90), ("5m", 300), ("1h30m", 5400)])
def test_a_duration(text: str, seconds: float) -> None:
    assert Span().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 m", "-5m", "5d", "1.5"])
def test_what_is_neither(text: str) -> None:
    for kind in (Moment(), Span()):
        with pytest.raises(click.BadParameter, match="write "):
            kind.convert(text, None, None)
