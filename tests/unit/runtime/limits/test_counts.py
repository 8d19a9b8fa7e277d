"""A rate counted in one process: never more than the limit, and no call waits without need."""

import math

from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.connectors.limits import counts
from isthmus_runtime.journal.permits import Rate

ASKED = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.01, 0.3, 0.999, 1.0, 5.0]), st.integers(1, 9)),
    max_size=60,
)
SMALL = 1e-6


def taken(rate: Rate, asked: list[tuple[float, int]]) -> list[float]:
    """When calls were let through, each time asking again once when there should be room."""
    count, now, granted = counts.of(rate), 100.0, list[float]()
    for gap, wanted in asked:
        now += gap
        found = count.take(now, wanted)
        granted += [now] * found.granted
        assert (found.wait == 0.0) == (found.granted == wanted)
        if found.wait:
            assert count.take(now + found.wait * 0.99 - SMALL, 1).granted == 0
            now += found.wait + SMALL
            assert count.take(now, 1).granted == 1, "waiting as told gives room"
            granted.append(now)
    return granted


@given(requests=st.integers(1, 7), asked=ASKED)
def test_no_window_holds_more_than_allowed(requests: int, asked: list[tuple[float, int]]) -> None:
    granted = taken(Rate(requests, 1.0), asked)

    for first, beyond in zip(granted, granted[requests:], strict=False):
        assert beyond >= first + 1.0


@given(requests=st.integers(1, 7), burst=st.integers(1, 9), asked=ASKED)
def test_no_time_brings_more_than_a_bucket_and_what_fills_it(
    requests: int, burst: int, asked: list[tuple[float, int]]
) -> None:
    granted = taken(Rate(requests, 1.0, burst), asked)

    for number, first in enumerate(granted):
        for more, last in enumerate(granted[number:], start=1):
            assert more <= burst + (last - first) * requests + SMALL


@given(requests=st.integers(1, 7), burst=st.integers(1, 9))
def test_a_bucket_is_full_at_first_and_again_in_time(requests: int, burst: int) -> None:
    count = counts.of(Rate(requests, 1.0, burst))

    assert count.take(0.0, 100).granted == burst
    assert count.take(burst / requests + SMALL, 100).granted == burst


@given(noted=st.integers(0, 9), burst=st.none() | st.integers(5, 5))
def test_what_others_counted_counts(noted: int, burst: int | None) -> None:
    """Also where that was more than this count would have let through."""
    count = counts.of(Rate(5, 1.0, burst))
    count.note(10.0, noted)

    found = count.take(10.0, 9)

    assert found.granted == max(0, 5 - noted)
    assert math.isfinite(found.wait)
    assert found.wait > 0
