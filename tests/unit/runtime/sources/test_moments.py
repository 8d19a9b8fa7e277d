"""Which times of a schedule get a message."""

from datetime import UTC, datetime, timedelta

import pytest

from isthmus_api import cron
from isthmus_runtime.sources.moments import Missed, made_up_for


def at(minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, 25, 12, minute, second, tzinfo=UTC)


HOURS = timedelta(hours=1)
CASES: dict[str, tuple[Missed, list[int], timedelta | None, list[int]]] = {
    "a time that has come fires": ("skip", [30], None, [30]),
    "none has passed": ("once", [], None, []),
    "one for the latest of several": ("once", [10, 20, 30], None, [30]),
    "one for each": ("all", [10, 20, 30], None, [10, 20, 30]),
    "none for those that passed": ("skip", [10, 20, 28], None, []),
    "the one that has come though others passed": ("skip", [10, 20, 30], None, [30]),
    "none that is too late": ("once", [10, 20], timedelta(minutes=5), []),
    "those that are not too late": ("all", [10, 26, 28], timedelta(minutes=5), [26, 28]),
}


@pytest.mark.parametrize(("missed", "passed", "deadline", "expected"), CASES.values(), ids=CASES)
def test_after(
    missed: Missed, passed: list[int], deadline: timedelta | None, expected: list[int]
) -> None:
    moments = [at(minute) for minute in passed]

    found = made_up_for(moments, now=at(30, 5), missed=missed, deadline=deadline)

    assert found == [at(minute) for minute in expected]


@pytest.mark.parametrize("restarted_after", [0, 10, 59])
def test_a_pod_that_was_replaced_at_the_time_is_in_time(restarted_after: int) -> None:
    assert made_up_for([at(30)], now=at(30, restarted_after), missed="skip", deadline=None)


@pytest.mark.parametrize(("day", "clock"), [(29, "03:00"), (30, "02:30")])
def test_a_cron_at_half_past_two_fires_once_in_the_night_in_which_that_is_skipped(
    day: int, clock: str
) -> None:
    nightly = cron.parse("30 2 * * *", "Europe/Amsterdam")
    evening = datetime(2026, 3, day - 1, 12, tzinfo=UTC)
    passed = nightly.missed(evening, evening + timedelta(days=1))

    (found,) = made_up_for(passed, now=evening + timedelta(days=1), missed="all", deadline=None)

    assert found.strftime("%d %H:%M") == f"{day} {clock}"


def test_a_cron_at_half_past_two_fires_once_in_the_night_in_which_that_comes_twice() -> None:
    nightly = cron.parse("30 2 * * *", "Europe/Amsterdam")
    evening = datetime(2026, 10, 24, 12, tzinfo=UTC)
    passed = nightly.missed(evening, evening + timedelta(days=1))

    assert len(passed) == 1
    assert passed[0].utcoffset() == timedelta(hours=2)
