"""What answers say of limits, in the forms that systems write."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.connectors.limits import learning

FIELDS = (
    *("retry-after", "ratelimit", "ratelimit-remaining", "ratelimit-reset"),
    *("x-ratelimit-remaining", "x-ratelimit-reset"),
)
NOW = datetime(2026, 8, 20, 9, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())

ASKED: dict[str, tuple[int, dict[str, str], float | None]] = {
    "nothing is said": (200, {"content-type": "text/plain"}, None),
    "too many, for seconds": (429, {"retry-after": "7"}, 7),
    "too many, until a date": (429, {"retry-after": "Thu, 20 Aug 2026 09:00:30 GMT"}, 30),
    "away, for seconds": (503, {"retry-after": "120"}, 120),
    "too many, until now": (429, {"retry-after": "0"}, None),
    "too many, in words": (429, {"retry-after": "soon"}, None),
    "created, look later": (202, {"retry-after": "7"}, None),
    "another failure": (500, {"retry-after": "7"}, None),
    "some remain": (200, {"ratelimit-remaining": "3", "ratelimit-reset": "9"}, None),
    "none remain": (200, {"ratelimit-remaining": "0", "ratelimit-reset": "9"}, 9),
    "none remain, who knows until when": (200, {"ratelimit-remaining": "0"}, None),
    "none remain, with X": (201, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1.5"}, 1.5),
    "until a moment": (
        200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH + 20}"}, 20,
    ),
    "until a moment in milliseconds": (
        200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH * 1000 + 2500}"}, 2.5,
    ),
    "until a moment that is over": (
        200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH - 20}"}, None,
    ),
    "too many, and only the reset": (429, {"x-ratelimit-reset": "4"}, 4),
    "too many of something else": (
        429, {"ratelimit-remaining": "8", "ratelimit-reset": "4"}, None,
    ),
    "the date wins": (
        429, {"retry-after": "2", "ratelimit-remaining": "0", "ratelimit-reset": "9"}, 2,
    ),
    "the reset, where the date is none": (
        429, {"retry-after": "?", "ratelimit-remaining": "0", "ratelimit-reset": "9"}, 9,
    ),
    "version 8": (200, {"ratelimit": '"default";r=0;t=30'}, 30),
    "version 8, some remain": (200, {"ratelimit": '"default";r=5;t=30'}, None),
    "version 8, the longest of those that are used up": (
        200, {"ratelimit": '"burst";r=0;t=2, "a;r=0,b";r=0;t=40, "day";r=900;t=8000'}, 40,
    ),
    "version 8, too many": (429, {"ratelimit": '"default";t=3'}, 3),
    "version 7": (200, {"ratelimit": "limit=100, remaining=0, reset=30"}, 30),
    "version 7, some remain": (200, {"ratelimit": "limit=100, remaining=50, reset=30"}, None),
    "a control character at the end": (429, {"retry-after": "7\x1f"}, 7),
    "words": (200, {"ratelimit-remaining": "none", "ratelimit-reset": "later"}, None),
}  # fmt: skip


def pause(status: int, headers: dict[str, str]) -> float | None:
    fields = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return learning.pause(status, fields, now=NOW)


@pytest.mark.parametrize(("status", "headers", "seconds"), ASKED.values(), ids=ASKED)
def test_a_pause_is_read(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert pause(status, headers) == seconds


@given(
    st.sampled_from([200, 429, 503]),
    st.dictionaries(
        st.sampled_from(FIELDS),
        st.text(st.characters(max_codepoint=255), max_size=30)
        | st.text('0123456789;,="rt.- ', max_size=30),
    ),
)
def test_whatever_is_written_is_a_positive_number_or_nothing(
    status: int, headers: dict[str, str]
) -> None:
    found = pause(status, headers)

    assert found is None or found > 0
