"""Moments and durations, as people write them in options."""

import datetime
from typing import Any, Final

import click

from isthmus_api.quantities import Duration

_MOMENT: Final = "write an age such as 2h, or a time such as 2026-01-31T12:00Z"
_DURATION: Final = "write seconds, or a number and a unit: 90s, 5m, 2h"


class Moment(click.ParamType[float]):
    """An age or a moment, as Unix seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The moment that a text means; ages count from now, times without a zone are local."""
        if isinstance(value, float):
            return value
        now = datetime.datetime.now(datetime.UTC)
        try:
            return now.timestamp() - Duration.parse(value).seconds
        except ValueError:
            pass
        try:
            return datetime.datetime.fromisoformat(value).timestamp()
        except ValueError:
            self.fail(f"'{value}' is no time; {_MOMENT}", param, ctx)


class Span(click.ParamType[float]):
    """A duration, as seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds that a text means."""
        if isinstance(value, float):
            return value
        try:
            return float(value) if value.isdecimal() else Duration.parse(value).seconds
        except ValueError:
            self.fail(f"'{value}' is no duration; {_DURATION}", param, ctx)
