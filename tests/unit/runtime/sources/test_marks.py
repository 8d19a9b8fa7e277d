"""How far the records of a poll were read."""

from datetime import timedelta
from typing import Any

import pytest

from isthmus_runtime.sources.marks import earlier_by, later

EARLIER = {
    "a time in UTC": ("2026-03-01T00:00:30Z", "2026-02-28T23:59:30Z"),
    "with a fraction": ("2026-03-01T00:00:30.120Z", "2026-02-28T23:59:30.120Z"),
    "with microseconds and a zone": (
        "2026-03-01T00:00:30.123456+02:00",
        "2026-02-28T23:59:30.123456+02:00",
    ),
    "with a blank and no zone": ("2026-03-01 00:00:30", "2026-02-28 23:59:30"),
    "a day": ("2026-03-01", "2026-02-28"),
    "Unix seconds": (1_800_000_000, 1_799_999_940),
    "Unix milliseconds": (1_800_000_000_000, 1_799_999_940_000),
    "a fraction of Unix seconds": (1_800_000_000.5, 1_799_999_940.5),
    "no time": ("abc", "abc"),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("mark", "expected"), EARLIER.values(), ids=EARLIER.keys())
def test_an_overlap_is_taken_off_a_time_and_its_form_kept(mark: Any, expected: Any) -> None:
    assert earlier_by(mark, timedelta(minutes=1)) == expected


def test_the_later_of_two_marks() -> None:
    assert later(None, 3) == later(3, None) == 3
    assert later(9, 10) == later(10, 9) == 10
    assert later("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z") == "2026-01-01T00:00:01Z"
    assert later(None, None) is None
