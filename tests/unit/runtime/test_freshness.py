"""How long answers may be used by what they say, and how they are asked for again."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.connectors import freshness
from isthmus_runtime.connectors.freshness import Freshness
from isthmus_runtime.http.messages import Header, Response

NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC).timestamp()
TTL = 7.0


def at(seconds: float) -> str:
    """The date so many seconds after noon."""
    return format_datetime(datetime.fromtimestamp(NOON + seconds, UTC), usegmt=True)


def headers(fields: str) -> list[Header]:
    pairs = (line.partition(": ") for line in fields.splitlines())
    return [(name.lower().encode(), value.encode()) for name, _, value in pairs]


def found(fields: str, *, status: int = 200, took: float = 0.0) -> Freshness | None:
    answer = Response(status, headers(fields), b"{}")
    return freshness.of(answer, ttl=TTL, arrived=NOON, took=took)


FRESH: dict[str, tuple[str, float]] = {
    "nothing is said": ("", TTL),
    "something else is said": ("Cache-Control: public", TTL),
    "max-age": ("Cache-Control: max-age=60", 60),
    "max-age in capitals": ("Cache-Control: public, MAX-AGE=60", 60),
    "max-age in quotes": ('Cache-Control: max-age="60"', 60),
    "max-age twice": ("Cache-Control: max-age=60, max-age=90", 60),
    "max-age on another line": ("Cache-Control: public\nCache-Control: max-age=60", 60),
    "a name within a quoted list": ('Cache-Control: no="max-age=9", max-age=60', 60),
    "max-age that is no number": ("Cache-Control: max-age=soon", 0),
    "max-age below nothing": ("Cache-Control: max-age=-1", 0),
    "max-age without a value": ("Cache-Control: max-age", 0),
    "max-age beyond all numbers": (f"Cache-Control: max-age={'9' * 40}", 2.0**31),
    "s-maxage comes first": ("Cache-Control: max-age=60, s-maxage=5", 5),
    "no-cache": ("Cache-Control: no-cache, max-age=60", 0),
    "must-revalidate": ("Cache-Control: must-revalidate, max-age=60", 60),
    "Age": ("Cache-Control: max-age=60\nAge: 20", 40),
    "Age beyond max-age": ("Cache-Control: max-age=60\nAge: 70", 0),
    "Age that is none": ("Cache-Control: max-age=60\nAge: old", 60),
    "a Date in the past": (f"Cache-Control: max-age=60\nDate: {at(-20)}", 40),
    "a Date in the past and a greater Age": (
        f"Cache-Control: max-age=60\nDate: {at(-20)}\nAge: 30",
        30,
    ),
    "a Date ahead of our clock": (f"Cache-Control: max-age=60\nDate: {at(20)}", 60),
    "Expires": (f"Expires: {at(90)}", 90),
    "Expires from a clock that is not ours": (f"Date: {at(30)}\nExpires: {at(90)}", 60),
    "Expires, of an answer that is on its way for long": (
        f"Date: {at(-30)}\nExpires: {at(90)}",
        90,
    ),
    "Expires in the past": (f"Expires: {at(-1)}", 0),
    "Expires: 0": ("Expires: 0", 0),
    "max-age comes before Expires": (f"Cache-Control: max-age=60\nExpires: {at(5)}", 60),
}


@pytest.mark.parametrize(("fields", "seconds"), FRESH.values(), ids=FRESH)
def test_an_answer_is_fresh_for(fields: str, seconds: float) -> None:
    judged = found(fields)

    assert judged is not None
    assert judged.fresh == seconds


NOT_KEPT: dict[str, Any] = {
    "no-store": {"fields": "Cache-Control: max-age=60, no-store"},
    "private": {"fields": "Cache-Control: private, max-age=60"},
    "private fields": {"fields": 'Cache-Control: private="set-cookie", max-age=60'},
    "it varies by what is not in the request": {"fields": "Vary: accept, *"},
    "a part": {"fields": "Cache-Control: max-age=60", "status": 206},
    "something was made": {"fields": "Cache-Control: max-age=60", "status": 201},
}


@pytest.mark.parametrize("case", NOT_KEPT.values(), ids=NOT_KEPT)
def test_an_answer_is_not_kept(case: dict[str, Any]) -> None:
    assert found(**case) is None


STALE: dict[str, tuple[str, float, float]] = {
    "not unless it says so": ("Cache-Control: max-age=60", 60, 60),
    "while another is fetched": ("Cache-Control: max-age=60, stale-while-revalidate=30", 90, 60),
    "when none can be had": ("Cache-Control: max-age=60, stale-if-error=600", 60, 660),
    "beyond a ttl of ours": ("Cache-Control: stale-if-error=600", TTL, TTL + 600),
    "counted with its age": (
        "Cache-Control: max-age=60, stale-while-revalidate=30, stale-if-error=50\nAge: 70",
        20,
        40,
    ),
    **{
        f"never with {word}": (
            f"Cache-Control: {word}, max-age=60, stale-while-revalidate=9, stale-if-error=9",
            60,
            60,
        )
        for word in ("must-revalidate", "proxy-revalidate", "s-maxage=60")
    },
    "never with no-cache": ("Cache-Control: no-cache, stale-while-revalidate=9", 0, 0),
}


@pytest.mark.parametrize(("fields", "meanwhile", "if_error"), STALE.values(), ids=STALE)
def test_an_answer_is_used_when_it_is_stale(fields: str, meanwhile: float, if_error: float) -> None:
    judged = found(fields)

    assert judged is not None
    assert (judged.while_revalidating, judged.if_error) == (meanwhile, if_error)


def test_what_it_took_to_arrive_counts_as_age() -> None:
    judged = found("Cache-Control: max-age=60\nAge: 10", took=5.0)

    assert judged is not None
    assert judged.fresh == 45


TOKENS = st.sampled_from(
    ["max-age", "no-cache", "private", "=", '"', "\\", ",", " ", "1", "99999999999", "\xff", "x"]
)
TEXTS = st.lists(TOKENS, max_size=12).map(lambda parts: "".join(parts).encode("latin-1"))
FIELDS = st.sampled_from(
    [b"cache-control", b"age", b"date", b"expires", b"vary", b"etag", b"last-modified"]
)


@given(fields=st.lists(st.tuples(FIELDS, TEXTS | st.binary(max_size=20)), max_size=6))
def test_no_field_breaks_it(fields: list[Header]) -> None:
    answer = Response(200, fields, b"")
    judged = freshness.of(answer, ttl=TTL, arrived=NOON, took=0.0)

    freshness.conditions(answer)
    if judged is not None:
        assert 0 <= judged.fresh <= min(judged.while_revalidating, judged.if_error)


def test_marks_become_conditions() -> None:
    marked = Response(200, headers(f'ETag: W/"a"\nLast-Modified: {at(0)}'))

    assert freshness.conditions(marked) == [
        (b"if-none-match", b'W/"a"'),
        (b"if-modified-since", at(0).encode()),
    ]
    assert freshness.conditions(Response(200, headers("Cache-Control: max-age=1"))) == []


def test_a_confirmation_renews_what_it_names_and_the_age() -> None:
    kept = headers(
        f'ETag: "a"\nCache-Control: max-age=1\nX-Kept: 1\nDate: {at(-99)}\nAge: 9\n'
        "Content-Type: application/json\nContent-Length: 2"
    )
    news = headers('ETag: "a"\nCache-Control: max-age=60\nContent-Length: 0')

    confirmed = freshness.confirmed(Response(200, kept, b"{}"), Response(304, news))

    assert (confirmed.status, confirmed.body) == (200, b"{}")
    assert dict(confirmed.headers) == {
        b"etag": b'"a"',
        b"cache-control": b"max-age=60",
        b"x-kept": b"1",
        b"content-type": b"application/json",
        b"content-length": b"2",
    }
