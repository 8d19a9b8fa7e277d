"""Time as the systems write it: RFC 3339 in UTC with milliseconds, which sorts as text."""

from datetime import UTC, datetime


def now() -> str:
    """Read the clock."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """Write a moment."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text: str) -> datetime:
    """Read a moment; a `ValueError` says that the text is none, or names no time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
