"""Learning: what an answer says of the system's own limit.

Understood are `Retry-After` (RFC 9110, 10.2.3) of a 429 or 503, and the fields of
draft-ietf-httpapi-ratelimit-headers in the forms that its versions had, with and without `X-`:

    RateLimit: "default";r=0;t=30                    since version 8
    RateLimit: limit=100, remaining=0, reset=30      version 7
    RateLimit-Remaining: 0 and RateLimit-Reset: 30   before, and with X- in front

A reset is in seconds; what is too large for that is a moment, as seconds or milliseconds since
1970, which is how many systems write it. What cannot be read is passed over.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from isthmus_runtime.connectors import backoff
from isthmus_runtime.http.messages import Header

_REFUSED: Final = frozenset({429, 503})
_FIELDS: Final = {
    name.encode(): name
    for name in (
        "retry-after",
        "ratelimit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    )
}
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_QUOTED: Final = re.compile(r'"[^"]*"')
_MOMENT: Final = 1e9
_MOMENT_IN_MILLISECONDS: Final = 1e11

Told = tuple[str | None, str | None]
"""What remains, and when that is reset, as written."""


def pause(status: int, headers: Sequence[Header], *, now: datetime | None = None) -> float | None:
    """For how many seconds the system wants no calls; nothing where it does not say so."""
    for key, _ in headers:
        if key in _FIELDS:
            return _pause(status, headers, now)
    return None


def _pause(status: int, headers: Sequence[Header], now: datetime | None) -> float | None:
    fields = {_FIELDS[key]: value.decode("latin-1") for key, value in headers if key in _FIELDS}
    is_refused = status in _REFUSED
    if is_refused and "retry-after" in fields:
        asked = backoff.retry_after(fields["retry-after"].encode("latin-1"), now=now)
        if asked is not None:
            return asked or None
    moment = (now or datetime.now(UTC)).timestamp()
    told = (
        _seconds(reset, moment)
        for remaining, reset in _told(fields)
        if is_zero(remaining) or (is_refused and remaining is None)
    )
    return max((seconds for seconds in told if seconds), default=None)


def is_zero(remaining: str | None) -> bool:
    """Whether nothing remains; a word that is no number says nothing."""
    return remaining is not None and _number(remaining) == 0


def _told(fields: dict[str, str]) -> Iterator[Told]:
    for prefix in ("", "x-"):
        remaining, reset = (fields.get(f"{prefix}ratelimit-{of}") for of in ("remaining", "reset"))
        if reset is not None:
            yield remaining, reset
    if "ratelimit" in fields:
        yield from _combined(fields["ratelimit"])


def _combined(text: str) -> Iterator[Told]:
    """Of each policy; or of the only one, in the form of version 7."""
    policies = [part.split(";") for part in _QUOTED.sub("policy", text).split(",")]
    older = _pairs(name for name, *_ in policies)
    yield older.get("remaining"), older.get("reset")
    for _, *parameters in policies:
        newer = _pairs(parameters)
        yield newer.get("r"), newer.get("t")


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    found = (text.partition("=") for text in texts)
    return {name.strip().lower(): value.strip() for name, _, value in found}


def _seconds(text: str | None, moment: float) -> float:
    number = _number(text or "")
    if number is None:
        return 0.0
    if number >= _MOMENT_IN_MILLISECONDS:
        return max(0.0, number / 1000 - moment)
    return max(0.0, number - moment) if number >= _MOMENT else number


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text.strip())
    return float(found[0]) if found else None
