"""Which of two versions is the older one."""

import pytest

from isthmus_runtime.delivery.versions import is_older, latest

PAIRS = {
    "numbers by value, not by text": ("9", "10", True),
    "the same number written differently": ("1.0", "1", False),
    "a number below zero": ("-2", "1", True),
    "moments": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", True),
    "moments of different zones": ("2026-01-01T01:30:00+02:00", "2026-01-01T00:00:00Z", True),
    "a moment without a zone is in UTC": ("2026-01-01T00:00:00", "2026-01-01T00:00:01Z", True),
    "a day and a moment of it": ("2026-01-01", "2026-01-01T00:00:01Z", True),
    "texts": ("a", "b", True),
    "not a number to us": ("NaN", "Nbb", True),
}


@pytest.mark.parametrize(("first", "second", "older"), PAIRS.values(), ids=PAIRS.keys())
def test_a_version_is_older_than_another(first: str, second: str, older: bool) -> None:
    assert is_older(first, second) is older
    assert not is_older(second, first)
    assert not is_older(first, first)


def test_what_cannot_be_compared_is_not_older() -> None:
    assert not is_older("7", "2026-01-01T00:00:00Z")
    assert not is_older("2026-01-01T00:00:00Z", "7")
    assert not is_older("7", "b")
    assert not is_older("b", "7")


def test_the_latest_of_two() -> None:
    assert latest(None, None) is None
    assert latest("1", None) == latest(None, "1") == "1"
    assert latest("10", "9") == latest("9", "10") == "10"
