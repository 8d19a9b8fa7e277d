"""Dates: written and read with the clocks of named time zones."""

import datetime
import functools
import re
from typing import Any, Final

from isthmus_api import time_zones
from isthmus_api.expressions import engine, jlens_engine
from isthmus_api.expressions.functions.arguments import FunctionError, kind, shown, string

_UTC: Final = datetime.UTC
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=_UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_OFFSET: Final = re.compile(r"[+-][0-9]{2}:?[0-9]{2}")
_PICTURE_ZONE: Final = re.compile(r"(?<!\[)\[[Zz]")


def date_format(timestamp: Any, picture: Any, zone: Any = None) -> str | None:
    """$dateFormat(timestamp, picture, zone?)

    Write a point in time as a clock in `zone` shows it, daylight saving included. `timestamp` is
    ISO 8601 (without an offset: UTC) or milliseconds since 1970; `picture` is that of
    `$fromMillis`; `zone` is a name such as `Europe/Amsterdam` or an offset such as `+02:00`, and
    UTC when left out.

    Examples:
        $dateFormat("2026-07-01T10:00:00Z", "[H01]:[m01]", "Europe/Amsterdam") => "12:00"
        $dateFormat("2026-01-01T10:00:00Z", "[H01]:[m01]", "Europe/Amsterdam") => "11:00"
        $dateFormat(0, "[D01].[M01].[Y0001]") => "01.01.1970"
    """
    if timestamp is None or picture is None:
        return None
    moment = _moment(timestamp).astimezone(_UTC if zone is None else _zone(zone))
    value = {
        "millis": (moment - _EPOCH) // _MILLISECOND,
        "picture": string(picture, "picture"),
        "offset": _offset_text(moment.utcoffset() or datetime.timedelta()),
    }
    return str(_evaluated(_FROM_MILLIS, value))


def date_parse(text: Any, picture: Any, zone: Any = None) -> str | None:
    """$dateParse(text, picture, zone?)

    Read a date that a clock in `zone` showed and give it as ISO 8601 in UTC. `picture` is that of
    `$toMillis`; where it has a `[Z]` or `[z]`, the text itself says the offset and `zone` does not
    matter. Text that does not fit the picture gives undefined. An hour that the clock shows twice
    is the first of the two.

    Examples:
        $dateParse("01.07.2026 12:00", "[D01].[M01].[Y0001] [H01]:[m01]", "Europe/Amsterdam")
            => "2026-07-01T10:00:00.000Z"
        $dateParse("2026-01-01", "[Y0001]-[M01]-[D01]") => "2026-01-01T00:00:00.000Z"
    """
    if text is None or picture is None:
        return None
    shape = string(picture, "picture")
    millis = _evaluated(_TO_MILLIS, {"text": string(text, "text"), "picture": shape})
    if millis is None:
        return None
    moment: datetime.datetime = _EPOCH + millis * _MILLISECOND
    if zone is not None and _PICTURE_ZONE.search(shape) is None:
        moment = moment.replace(tzinfo=_zone(zone)).astimezone(_UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _moment(timestamp: Any) -> datetime.datetime:
    if isinstance(timestamp, str):
        return _iso(timestamp)
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        raise FunctionError(
            f"argument timestamp must be ISO 8601 or milliseconds, not {kind(timestamp)}"
        )
    try:
        return _EPOCH + timestamp * _MILLISECOND
    except OverflowError:
        raise FunctionError("argument timestamp is out of range") from None


def _iso(text: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise FunctionError("argument timestamp is a string that is not ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=_UTC)


@functools.lru_cache(maxsize=64)
def _named_zone(name: str) -> datetime.tzinfo:
    try:
        return time_zones.named(name)
    except time_zones.UnknownTimeZone as unknown:
        hint = f"; did you mean {unknown.near!r}?" if unknown.near else ""
        raise FunctionError(f"there is no time zone {shown(name)}{hint}") from None


def _zone(zone: Any) -> datetime.tzinfo:
    name = string(zone, "zone")
    if _OFFSET.fullmatch(name):
        hours, minutes = int(name[:3]), int(name[-2:])
        return datetime.timezone(
            datetime.timedelta(hours=hours, minutes=-minutes if name[0] == "-" else minutes)
        )
    return _named_zone(name)


def _offset_text(offset: datetime.timedelta) -> str:
    """Write an offset as `$fromMillis` reads it.

    It takes hours by rounding down and minutes by remainder, so that it reads -0330 as 4.5 hours
    (jlens 0.25.0, as the reference implementation does): what it reads as 3.5 hours is -0230.
    Nothing it reads lies between -1 hour and 0; no clock has shown such a time since 1972.
    """
    # Local mean times of the nineteenth century have seconds, which no offset can say.
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if minutes < 0 and rest:
        if hours == 0:
            raise FunctionError(f"the offset of {minutes} minutes cannot be written")
        return f"-{hours - 1:02}{rest:02}"
    return f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"


# The engine's own pictures, so that a picture means the same in $fromMillis and in $dateFormat.
_FROM_MILLIS: Final = jlens_engine.ENGINE.compile("$fromMillis(millis, picture, offset)")
_TO_MILLIS: Final = jlens_engine.ENGINE.compile("$toMillis(text, picture)")


def _evaluated(expression: engine.Expression, value: Any) -> Any:
    try:
        return expression.evaluate(value)
    except engine.ExpressionError as error:
        raise FunctionError(f"argument picture: {error.message}") from error
