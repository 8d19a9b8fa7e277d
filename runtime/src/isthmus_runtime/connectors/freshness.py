"""Freshness: what an answer says of how long it may be used (RFC 9111), and how to ask again.

The rules are those of a cache that several callers share: `private` is not kept, and `s-maxage`
comes before `max-age`. Pure: the time of arrival is handed in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from isthmus_runtime.http.messages import Header, Response, header, header_values

_KEPT: Final = frozenset({200, 203, 204})
_LONGEST: Final = 2**31
"""More seconds mean so many (RFC 9111, 1.2.2)."""
_OF_THE_BODY: Final = frozenset({b"content-length", b"content-encoding", b"content-type"})
"""Fields that belong to the body that is kept, and stay with it."""
_OF_THE_AGE: Final = frozenset({b"age", b"date"})
_DIRECTIVE: Final = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,]*)))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Of one answer, in seconds from its arrival: until when it is fresh, and until when it may be
    used all the same, while another one is fetched or when that fails."""

    fresh: float
    while_revalidating: float
    if_error: float


def of(answer: Response, *, ttl: float, arrived: float, took: float) -> Freshness | None:
    """How long an answer may be used, or nothing where it must not be kept.

    `ttl` counts where the answer does not say how long it is fresh. It arrived at this Unix time,
    so many seconds after it was asked for.
    """
    said = directives(answer.headers)
    if answer.status not in _KEPT or said.keys() & {"no-store", "private"}:
        return None
    if b"*" in header_values(answer.headers, b"vary"):
        return None
    age = _age(answer.headers, arrived) + took
    lifetime = 0.0 if "no-cache" in said else _lifetime(answer.headers, said, ttl, arrived)
    fresh = max(lifetime - age, 0.0)
    if said.keys() & {"no-cache", "must-revalidate", "proxy-revalidate", "s-maxage"}:
        return Freshness(fresh=fresh, while_revalidating=fresh, if_error=fresh)
    return Freshness(
        fresh=fresh,
        while_revalidating=max(lifetime + _stale(said, "stale-while-revalidate") - age, 0.0),
        if_error=max(lifetime + _stale(said, "stale-if-error") - age, 0.0),
    )


def conditions(answer: Response) -> list[Header]:
    """The fields that ask whether an answer is still the right one; none where it has no mark."""
    marks = (
        (b"if-none-match", header(answer.headers, b"etag")),
        (b"if-modified-since", header(answer.headers, b"last-modified")),
    )
    return [(name, value) for name, value in marks if value]


def confirmed(kept: Response, confirmation: Response) -> Response:
    """A kept answer with what a 304 says anew (RFC 9111, 3.2). Its age begins again."""
    given = {name for name, _ in confirmation.headers} - _OF_THE_BODY
    stay = [pair for pair in kept.headers if pair[0] not in given | _OF_THE_AGE]
    news = [pair for pair in confirmation.headers if pair[0] in given]
    return Response(kept.status, stay + news, kept.body)


def directives(headers: Iterable[Header]) -> dict[str, str]:
    """What all `Cache-Control` fields say; of a name that comes twice, the first counts."""
    text = ",".join(v.decode("latin-1") for name, v in headers if name == b"cache-control")
    said: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        said.setdefault(name.lower(), quoted or plain)
    return said


def _lifetime(headers: Sequence[Header], said: dict[str, str], ttl: float, arrived: float) -> float:
    """For how long it is fresh from when the system made it (RFC 9111, 4.2.1)."""
    for name in ("s-maxage", "max-age"):
        if name in said:
            return _seconds(said[name]) or 0.0
    expires = header(headers, b"expires")
    if expires is None:
        return ttl
    until, made = _moment(expires), _moment(header(headers, b"date"))
    if until is None:  # such as 0: it is old already
        return 0.0
    return max(until - (arrived if made is None else made), 0.0)


def _age(headers: Sequence[Header], arrived: float) -> float:
    """How old it was when it arrived (RFC 9111, 4.2.3)."""
    made = _moment(header(headers, b"date"))
    told = header(headers, b"age")
    apparent = 0.0 if made is None else max(arrived - made, 0.0)
    return max(apparent, (_seconds(told.decode("latin-1")) if told else None) or 0.0)


def _stale(said: dict[str, str], name: str) -> float:
    return _seconds(said.get(name, "")) or 0.0


def _seconds(text: str) -> float | None:
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return float(min(int(text[:20]), _LONGEST))


def _moment(value: bytes | None) -> float | None:
    """A date as Unix time, or nothing readable."""
    if value is None:
        return None
    try:
        at = parsedate_to_datetime(value.decode("latin-1"))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
