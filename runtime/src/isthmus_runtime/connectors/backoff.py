"""Back-off: how long to wait before the next attempt."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from isthmus_api.quantities import Duration

PASSING: Final = frozenset({408, 429, 502, 503, 504})
"""Statuses that may be gone at the next attempt."""

MAX_RETRY_AFTER: Final = 3600.0


class Backoff(Protocol):
    """The first wait and the longest one."""

    @property
    def initial(self) -> Duration: ...

    @property
    def max(self) -> Duration: ...


def wait(
    attempt: int,
    backoff: Backoff,
    *,
    retry_after: float | None = None,
    jitter: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after attempt number `attempt` (from 1).

    Doubled each time and drawn between half and the whole of that, so that callers that failed
    together do not come back together. A longer wish of the other side (`Retry-After`) wins.
    """
    doublings = min(attempt - 1, 64)
    ceiling = min(backoff.initial.seconds * 2.0**doublings, backoff.max.seconds)
    drawn = ceiling * (0.5 + jitter() / 2)
    return max(drawn, retry_after or 0.0)


def retry_after(value: bytes | None, *, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After field asks for (RFC 9110, 10.2.3), or nothing readable."""
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:  # its zone was -0000, or left out
        at = at.replace(tzinfo=UTC)
    seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
