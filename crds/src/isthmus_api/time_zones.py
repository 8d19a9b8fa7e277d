"""Time zones by their names in the IANA data."""

import difflib
import zoneinfo
from typing import Final

_NEAR: Final = 0.5


class UnknownTimeZone(ValueError):
    """There is no time zone of that name; `near` is the name most like it, or empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no time zone '{name}'")
        known = zoneinfo.available_timezones()
        self.near = next(iter(difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)), "")


def named(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of that name, or `UnknownTimeZone`."""
    try:
        return zoneinfo.ZoneInfo(name)
    # A folder of the data, such as America, is no zone and no file.
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimeZone(name) from None
