"""Marks: watermarks, how far the records of a poll were read."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from isthmus_api.expressions import templates
from isthmus_runtime.delivery.versions import is_older

_FRACTION: Final = re.compile(r"\.(\d+)")
_MILLISECONDS: Final = 1e11


def later(first: Any, second: Any) -> Any:
    """The one of two marks that is further; nothing is before anything."""
    if first is None or second is None:
        return second if first is None else first
    is_behind = is_older(templates.as_text(first), templates.as_text(second))
    return second if is_behind else first


def earlier_by(mark: Any, overlap: timedelta) -> Any:
    """A mark that is a time, so much earlier and written the same way; any other as it is.

    A number is a time in Unix seconds, or in milliseconds.
    """
    if isinstance(mark, bool) or mark is None:
        return mark
    if isinstance(mark, int | float):
        seconds = overlap.total_seconds()
        earlier = mark - (seconds * 1000 if abs(mark) > _MILLISECONDS else seconds)
        return int(earlier) if isinstance(mark, int) and earlier == int(earlier) else earlier
    return _earlier_text(mark, overlap) if isinstance(mark, str) else mark


def _earlier_text(mark: str, overlap: timedelta) -> str:
    try:
        moment = datetime.fromisoformat(mark)
    except ValueError:
        return mark
    earlier = moment - overlap
    if len(mark) == len("2026-01-01"):
        return earlier.date().isoformat()
    digits = len(found[1]) if (found := _FRACTION.search(mark)) else 0
    text = earlier.replace(microsecond=0, tzinfo=None).isoformat(sep=mark[10])
    fraction = f".{earlier.microsecond:06d}"[: digits + 1] if digits else ""
    return text + fraction + _zone(mark, earlier)


def _zone(mark: str, moment: datetime) -> str:
    if moment.tzinfo is None:
        return ""
    if mark[-1] in "Zz":
        return mark[-1]
    return moment.replace(microsecond=0).isoformat()[19:]
