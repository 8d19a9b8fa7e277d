"""Cron: the times that an expression such as `30 2 * * *` stands for, in a time zone.

What happens when clocks change is Debian's rule, which people know from their servers:

- Minute and hour both begin without a star (`30 2 * * *`): the times are those of a clock on the
  wall. One that the clock skips comes at the first minute after the change, one time for all that
  were skipped; one that the clock shows twice comes the first time only. So a job at 02:30 runs
  once in every night.
- Minute or hour begins with a star (`*/30 * * * *`): the times come in steps of real time. What
  the clock skips does not come, and what it shows twice comes twice.

When the day of the month or of the week begins with a star, a day must fit both; otherwise one of
them will do. Days may also be `L` (the last), `LW` (the last from Monday to Friday), `5L` (the last
Friday) and `FRI#2` (the second one).
"""

import heapq
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from isthmus_api import time_zones

MOST_MISSED: Final = 1000
"""How many missed times are told at most."""

_WORDS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS: Final = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31 (days that a month named has), L or LW",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7 where 0 and 7 are Sunday, SUN to SAT, FRI#2 or 5L",
}
_FORMS: Final = "*, a value, a list (1,2), a range (1-5), or one of them with a step (*/5)"
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)


class BadCron(ValueError):
    """No cron expression; `hint` says what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression that was checked, and the time zone it is read in."""

    text: str
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`; none when there is none in the next fifty years."""
        since = moment.astimezone(UTC)
        later = (time for time in self._times(since) if time > since)
        found = next(later, None)
        return found and found.astimezone(self.zone)

    def missed(
        self, since: datetime, until: datetime, *, limit: int = MOST_MISSED
    ) -> list[datetime]:
        """The times after `since` and up to `until`, in order; of more than `limit` the latest."""
        first, last = since.astimezone(UTC), until.astimezone(UTC)
        earlier = (time for time in self._times(last, backwards=True) if time <= last)
        found = itertools.takewhile(lambda time: time > first, itertools.islice(earlier, limit))
        return [time.astimezone(self.zone) for time in reversed(list(found))]

    @property
    def is_by_the_wall(self) -> bool:
        """Whether the times are those of a clock on the wall, and not in steps of real time."""
        minute, hour, *_ = self.text.split()
        return not minute.startswith("*") and not hour.startswith("*")

    def _times(self, moment: datetime, *, backwards: bool = False) -> Iterator[datetime]:
        """Times from about `moment` on, in UTC: two times of one zone would compare by its clock.

        What the clock shows twice is looked at from its beginning to its end, so a time on the far
        side of `moment` may be among the first.
        """
        clock = moment.astimezone(self.zone)
        overlap = _utc(clock.replace(fold=1)) - _utc(clock.replace(fold=0))
        start = clock.replace(tzinfo=None) + (overlap + _SECOND if backwards else -overlap)

        def clocks() -> Iterator[datetime]:
            return CronSim(self.text, start, reverse=backwards)

        ways: list[Iterator[datetime]] = (
            [map(self._first_shown, clocks())]
            if self.is_by_the_wall
            else [self._shown(clocks(), fold=fold) for fold in (0, 1)]
        )
        return (time for time, _ in itertools.groupby(heapq.merge(*ways, reverse=backwards)))

    def _first_shown(self, clock: datetime) -> datetime:
        """When the clock first shows this or, where it skips it, the next minute it shows."""
        while (time := self._when(clock)) is None:
            clock += _MINUTE
        return time

    def _shown(self, clocks: Iterable[datetime], *, fold: int) -> Iterator[datetime]:
        """When the clock shows each of these for the first (0) or last time (1)."""
        for clock in clocks:
            if (time := self._when(clock.replace(fold=fold))) is not None:
                yield time

    def _when(self, clock: datetime) -> datetime | None:
        """The moment at which the clock shows this, in UTC; none where it skips it."""
        moment = _utc(clock.replace(tzinfo=self.zone))
        shows = moment.astimezone(self.zone).replace(tzinfo=None, fold=clock.fold)
        return moment if shows == clock else None


def parse(text: str, time_zone: str = "UTC") -> Cron:
    """Check an expression and the name of a time zone; `BadCron` or `UnknownTimeZone`."""
    written = _WORDS.get(text.lower(), text)
    fields = written.split()
    if len(fields) != len(_FIELDS):
        raise BadCron(
            f"'{text}' has {len(fields)} fields",
            f"a cron has {len(_FIELDS)}: {', '.join(_FIELDS)}; or it is one of {', '.join(_WORDS)}",
        )
    cron = Cron(" ".join(fields), time_zones.named(time_zone))
    try:
        CronSim(cron.text, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as fault:
        raise _explained(text, dict(zip(_FIELDS, fields, strict=True)), fault) from fault
    return cron


def _explained(text: str, fields: dict[str, str], fault: CronSimError) -> BadCron:
    """What is wrong in words that name the field: the library says `Bad hour`."""
    name = re.sub("^Bad ", "", str(fault))
    return BadCron(
        f"'{fields[name]}' in '{text}' is no {name}",
        f"write {_FORMS}; values are {_FIELDS[name]}",
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
