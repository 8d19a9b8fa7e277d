"""Versions: which of two versions of a thing is the older one."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation


def is_older(version: str, than: str) -> bool:
    """Whether `version` comes before `than`.

    Two numbers are compared as numbers, two moments as moments (one without a zone is in UTC), any
    other two as text. A number and a text cannot be compared, and then neither is the older one.
    """
    mine, other = _read(version), _read(than)
    match mine, other:
        case Decimal(), Decimal():
            return mine < other
        case datetime(), datetime():
            return mine < other
        case None, None:
            return version < than
    return False


def latest(first: str | None, second: str | None) -> str | None:
    """The one that is not older; nothing is older than anything."""
    if first is None or second is None:
        return second if first is None else first
    return second if is_older(first, second) else first


def _read(text: str) -> Decimal | datetime | None:
    number = _number(text)
    return _moment(text) if number is None else number


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
