"""How long to wait before the next attempt."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.connector import Backoff
from isthmus_api.quantities import Duration
from isthmus_runtime.connectors import backoff

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
USUAL = Backoff(initial=Duration("200ms"), max=Duration("1s"))


@pytest.mark.parametrize(
    ("attempt", "jitter", "expected"),
    [
        (1, 0.0, 0.1),
        (1, 1.0, 0.2),
        (2, 1.0, 0.4),
        (3, 0.5, 0.6),
        (4, 1.0, 1.0),
        (10, 0.0, 0.5),
    ],
)
def test_waits_double_up_to_the_longest(attempt: int, jitter: float, expected: float) -> None:
    assert backoff.wait(attempt, USUAL, jitter=lambda: jitter) == pytest.approx(expected)


@given(attempt=st.integers(1, 10), wish=st.none() | st.floats(0, 3600))
def test_jitter_stays_between_half_and_all_of_the_wait_and_a_longer_wish_wins(
    attempt: int, wish: float | None
) -> None:
    whole = min(0.2 * 2 ** (attempt - 1), 1.0)

    wait = backoff.wait(attempt, USUAL, retry_after=wish)

    assert max(whole / 2, wish or 0.0) <= wait <= max(whole, wish or 0.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="none given"),
        pytest.param(b"120", 120.0, id="seconds"),
        pytest.param(b" 7 ", 7.0, id="blanks around"),
        pytest.param(b"99999999999999999999", 3600.0, id="very long"),
        pytest.param(b"Mon, 23 Nov 2026 12:01:00 GMT", 60.0, id="a date"),
        pytest.param(b"Mon, 23 Nov 2026 12:01:00 -0000", 60.0, id="a date of no known zone"),
        pytest.param(b"Mon, 23 Nov 2026 12:01:00", 60.0, id="a date without a zone"),
        pytest.param(b"Mon, 23 Nov 2026 11:00:00 GMT", 0.0, id="a date that is over"),
        pytest.param(b"-5", None, id="below zero"),
        pytest.param(b"1.5", None, id="a fraction"),
        pytest.param(b"soon", None, id="a word"),
        pytest.param("١".encode(), None, id="digits of another script"),
        pytest.param(b"Mon, 99 Foo 2026 99:99:99 GMT", None, id="no date"),
    ],
)
def test_what_retry_after_asks_for(value: bytes | None, expected: float | None) -> None:
    assert backoff.retry_after(value, now=NOW) == expected


@given(st.binary(max_size=40))
def test_no_retry_after_makes_it_fail(value: bytes) -> None:
    seconds = backoff.retry_after(value, now=NOW)

    assert seconds is None or 0 <= seconds <= backoff.MAX_RETRY_AFTER


@given(st.integers(0, 3600))
def test_a_date_says_the_same_as_its_seconds(seconds: int) -> None:
    at = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert backoff.retry_after(at.encode(), now=NOW) == seconds
