"""Cron: which times an expression stands for, above all in nights in which clocks change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus_api import cron, time_zones

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MINUTE = timedelta(minutes=1)


def at(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)


def shown(times: Iterable[datetime]) -> list[str]:
    return [f"{time:%d %H:%M%z}" for time in times]


SPRING = ("2026-03-28T12:00+01:00", "2026-03-30T03:00+02:00")
AUTUMN = ("2026-10-24T12:00+02:00", "2026-10-26T03:00+01:00")

NIGHTS = {
    "a time that is skipped comes when the clock goes on": (
        "30 2 * * *", SPRING, ["29 03:00+0200", "30 02:30+0200"],
    ),
    "several that are skipped come as one": (
        "0,15,30 2 * * *", SPRING,
        ["29 03:00+0200", "30 02:00+0200", "30 02:15+0200", "30 02:30+0200"],
    ),
    "one that is skipped and one that is due then come as one": (
        "0 2,3 29 * *", SPRING, ["29 03:00+0200"],
    ),
    "a time that comes twice is taken the first time": (
        "30 2 * * *", AUTUMN, ["25 02:30+0200", "26 02:30+0100"],
    ),
    "a time outside the change is what it is": (
        "30 4 * * *", AUTUMN, ["25 04:30+0100"],
    ),
    "with a star for the minute what is skipped does not come": (
        "*/30 2 * * *", SPRING, ["30 02:00+0200", "30 02:30+0200"],
    ),
    "with a star for the hour an hour is an hour in spring": (
        "0 * 29 * *", ("2026-03-29T00:30+01:00", "2026-03-29T04:00+02:00"),
        ["29 01:00+0100", "29 03:00+0200", "29 04:00+0200"],
    ),
    "with a star for the hour an hour is an hour in autumn": (
        "0 * 25 * *", ("2026-10-25T01:30+02:00", "2026-10-25T03:00+01:00"),
        ["25 02:00+0200", "25 02:00+0100", "25 03:00+0100"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "span", "times"), NIGHTS.values(), ids=NIGHTS)
def test_a_night_in_which_the_clock_changes(
    text: str, span: tuple[str, str], times: list[str]
) -> None:
    since, until = (at(moment) for moment in span)
    made = cron.parse(text, "Europe/Amsterdam")

    assert shown(made.missed(since, until)) == times
    assert shown(_onwards(made, since, until)) == times


def _onwards(made: cron.Cron, since: datetime, until: datetime) -> Iterator[datetime]:
    """The same times, one after the other."""
    time = made.after(since)
    while time is not None and time.astimezone(UTC) <= until.astimezone(UTC):
        yield time
        time = made.after(time)


@dataclass(frozen=True, slots=True)
class Written:
    """An expression whose meaning the test knows by itself."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]

    @property
    def is_by_the_wall(self) -> bool:
        minute, hour, *_ = self.text.split()
        return not minute.startswith("*") and not hour.startswith("*")

    def fits(self, clock: datetime) -> bool:
        is_time = clock.minute in self.minutes and clock.hour in self.hours
        return is_time and clock.day in self.days


def field(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    values = st.integers(low, high)
    some = st.sets(values, min_size=1, max_size=4)
    step = st.integers(1, high)
    return st.one_of(
        st.just(("*", frozenset(range(low, high + 1)))),
        step.map(lambda n: (f"*/{n}", frozenset(range(low, high + 1, n)))),
        some.map(lambda found: (",".join(map(str, sorted(found))), frozenset(found))),
        st.tuples(values, values).map(
            lambda ends: (f"{min(ends)}-{max(ends)}", frozenset(range(min(ends), max(ends) + 1)))
        ),
    )


@st.composite
def expressions(draw: st.DrawFn) -> Written:
    minute, hour = draw(field(0, 59)), draw(field(0, 23))
    day = draw(field(1, 31))
    return Written(f"{minute[0]} {hour[0]} {day[0]} * *", minute[1], hour[1], day[1])


CHANGES = st.sampled_from(
    [
        ("Europe/Amsterdam", "2026-03-29T01:00+00:00"),
        ("Europe/Amsterdam", "2026-10-25T01:00+00:00"),
        ("America/New_York", "2026-03-08T07:00+00:00"),
        ("America/New_York", "2026-11-01T06:00+00:00"),
        ("America/Sao_Paulo", "2018-11-04T03:00+00:00"),  # midnight is skipped
        ("America/Sao_Paulo", "2019-02-17T02:00+00:00"),  # and comes twice
        ("Australia/Lord_Howe", "2026-04-04T15:00+00:00"),  # by half an hour
        ("Australia/Lord_Howe", "2026-10-03T15:30+00:00"),
        ("Africa/Casablanca", "2026-02-15T02:00+00:00"),
        ("Asia/Kolkata", "2026-06-01T00:00+00:00"),  # no change
        ("UTC", "2026-06-01T00:00+00:00"),
    ]
)


def expected(written: Written, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """What the rule says, minute by minute, in UTC. `since` and `until` are in UTC, too."""
    if written.is_by_the_wall:
        clock = (since - timedelta(days=1)).astimezone(zone).replace(tzinfo=None, second=0)
        found = set()
        while clock.replace(tzinfo=zone).astimezone(UTC) <= until + timedelta(days=1):
            if written.fits(clock):
                found.add(_on_the_wall(clock, zone))
            clock += MINUTE
        return sorted(time for time in found if since < time <= until)
    moments = (since + n * MINUTE for n in range(1, int((until - since) / MINUTE) + 1))
    return [moment for moment in moments if written.fits(moment.astimezone(zone))]


def _on_the_wall(clock: datetime, zone: ZoneInfo) -> datetime:
    """When a clock first shows this, or the first minute it shows after it."""
    while True:
        moment = clock.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == clock:
            return moment
        clock += MINUTE


@settings(deadline=None, max_examples=150)
@given(expressions(), CHANGES, st.integers(1, 240), st.integers(1, 1800))
def test_times_around_a_change_of_the_clock(
    written: Written, change: tuple[str, str], before: int, after: int
) -> None:
    name, moment = change
    zone, middle = ZoneInfo(name), at(moment, ZoneInfo("UTC")).astimezone(UTC)
    since, until = middle - before * MINUTE, middle + after * MINUTE
    made = cron.parse(written.text, name)

    times = expected(written, zone, since, until)

    assert in_utc(_onwards(made, since, until)) == times
    assert in_utc(made.missed(since, until)) == times[-cron.MOST_MISSED :]


def in_utc(times: Iterable[datetime]) -> list[datetime]:
    return [time.astimezone(UTC) for time in times]


@settings(deadline=None, max_examples=60)
@given(expressions(), CHANGES, st.integers(0, 400), st.integers(1, 5))
def test_what_was_missed_is_split_at_any_moment(
    written: Written, change: tuple[str, str], offset: int, limit: int
) -> None:
    """Nobody fires a time twice, or not at all, because it looked at another moment."""
    name, moment = change
    since = at(moment) - timedelta(hours=5)
    until = since + timedelta(hours=10)
    between = since + offset * timedelta(minutes=1, seconds=29, milliseconds=7)
    made = cron.parse(written.text, name)

    whole = made.missed(since, until)

    assert made.missed(since, between) + made.missed(between, until) == whole
    assert made.missed(since, until, limit=limit) == whole[-limit:]


def test_a_year_of_missed_minutes_is_told_by_its_end() -> None:
    made = cron.parse("* * * * *")
    until = at("2026-06-01T00:00:30+00:00")

    times = made.missed(until - timedelta(days=365), until)

    assert len(times) == cron.MOST_MISSED
    assert times[-1] == at("2026-06-01T00:00+00:00")
    assert times == sorted(times)


def test_nothing_is_missed_before_the_time_has_come() -> None:
    made = cron.parse("0 2 * * *")
    due = at("2026-06-01T02:00+00:00")

    assert made.missed(due - timedelta(hours=1), due - timedelta(seconds=1)) == []
    assert made.missed(due - timedelta(seconds=1), due) == [due]
    assert made.missed(due, due + timedelta(hours=1)) == []
    assert made.missed(due, due - timedelta(hours=1)) == []
    assert made.after(due) == due + timedelta(days=1)


WORDS = {
    "@hourly": "2026-01-01T01:00+00:00",
    "@daily": "2026-01-02T00:00+00:00",
    "@midnight": "2026-01-02T00:00+00:00",
    "@weekly": "2026-01-04T00:00+00:00",
    "@monthly": "2026-02-01T00:00+00:00",
    "@yearly": "2027-01-01T00:00+00:00",
    "@annually": "2027-01-01T00:00+00:00",
    "@DAILY": "2026-01-02T00:00+00:00",
    "0 9 * * MON-FRI": "2026-01-01T09:00+00:00",
    "0 9 * jan,feb mon": "2026-01-05T09:00+00:00",
    "0 0 L * *": "2026-01-31T00:00+00:00",
    "0 0 * * FRI#2": "2026-01-09T00:00+00:00",
    "0 0 * * 5L": "2026-01-30T00:00+00:00",
    "0 0 13 * 5": "2026-01-02T00:00+00:00",
    "0 0 29 2 *": "2028-02-29T00:00+00:00",
}


@pytest.mark.parametrize(("text", "time"), WORDS.items(), ids=WORDS)
def test_the_first_time_of_2026(text: str, time: str) -> None:
    assert cron.parse(text).after(at("2026-01-01T00:00:00+00:00")) == at(time)


BAD = {
    "a field too few": (
        "* * * *", "'* * * *' has 4 fields",
        "a cron has 5: minute, hour, day-of-month, month, day-of-week; or it is one of @hourly, "
        "@daily, @midnight, @weekly, @monthly, @yearly, @annually",
    ),
    "seconds": ("0 * * * * *", "'0 * * * * *' has 6 fields", "a cron has 5: minute,"),
    "another word": ("@reboot", "'@reboot' has 1 fields", "or it is one of @hourly"),
    "a minute too late": ("60 * * * *", "'60' in '60 * * * *' is no minute", "values are 0 to 59"),
    "an hour too late": ("0 24 * * *", "'24' in '0 24 * * *' is no hour", "values are 0 to 23"),
    "a day that no month named has": (
        "0 0 30 FEB *", "'30' in '0 0 30 FEB *' is no day-of-month", "(days that a month named has)"
    ),
    "a month in full": ("0 0 1 JUNE *", "'JUNE' in '0 0 1 JUNE *' is no month", "JAN to DEC"),
    "an eighth day": ("0 0 * * 8", "'8' in '0 0 * * 8' is no day-of-week", "0 and 7 are Sunday"),
    "a range that goes back": ("9-5 * * * *", "'9-5' in '9-5 * * * *' is no minute", "(1-5)"),
    "a step of nothing": ("*/0 * * * *", "'*/0' in '*/0 * * * *' is no minute", "(*/5)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), BAD.values(), ids=BAD)
def test_what_is_no_cron(text: str, message: str, hint: str) -> None:
    with pytest.raises(cron.BadCron) as refused:
        cron.parse(text)

    assert str(refused.value) == message
    assert hint in refused.value.hint


PARTS = st.text(alphabet="0123456789*/,-#LWMONA", min_size=1, max_size=8)


@settings(max_examples=500)
@given(st.lists(PARTS, min_size=4, max_size=6).map(" ".join))
def test_any_text_is_a_cron_or_told_what_to_write(text: str) -> None:
    try:
        made = cron.parse(text)
    except cron.BadCron as refused:
        told = refused.hint
    else:
        told = made.text if cron.parse(made.text) == made else ""
    assert told


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Amsterdm", "Europe/Amsterdam"),
        ("America", None),
        ("../../etc/passwd", None),
        ("", None),
        ("q", ""),
    ],
)
def test_what_is_no_time_zone(name: str, near: str | None) -> None:
    with pytest.raises(time_zones.UnknownTimeZone, match="there is no time zone") as unknown:
        cron.parse("@daily", name)

    assert near in (None, unknown.value.near)
