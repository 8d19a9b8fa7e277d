"""The rate limit: in no window more calls than allowed, in the order they came."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.connector import RateLimit
from isthmus_api.quantities import Duration
from isthmus_runtime import testing
from isthmus_runtime.connectors import rate

NEVER = float("inf")


def limiter(requests: int, per: str, *, at_once: int = 1000) -> rate.RateLimiter:
    return rate.RateLimiter(RateLimit(requests=requests, per=Duration(per)), at_once=at_once)


GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.3, 0.9999, 1.0, 5.0]), max_size=60)


@given(requests=st.integers(1, 7), gaps=GAPS)
def test_no_window_ever_holds_more_starts_than_allowed(requests: int, gaps: list[float]) -> None:
    limit = limiter(requests, "1s")
    now, starts = 0.0, []
    for gap in gaps:
        now += gap
        starts.append(limit.reserve(now=now, deadline=NEVER))

    assert starts == sorted(starts)
    for first, beyond in zip(starts, starts[requests:], strict=False):
        assert beyond >= first + 1.0


@given(requests=st.integers(1, 7), gaps=GAPS)
def test_no_call_waits_without_need(requests: int, gaps: list[float]) -> None:
    limit = limiter(requests, "1s")
    now = 0.0
    starts: list[float] = []
    for gap in gaps:
        now += gap
        earliest = starts[-requests] + 1.0 if len(starts) >= requests else now
        starts.append(limit.reserve(now=now, deadline=NEVER))
        assert starts[-1] == max(now, earliest)


def test_a_call_that_would_be_late_takes_no_place() -> None:
    limit = limiter(1, "1s")
    assert limit.reserve(now=0.0, deadline=0.5) == 0.0

    with pytest.raises(rate.Overdue):
        limit.reserve(now=0.1, deadline=1.0)

    assert limit.reserve(now=0.2, deadline=1.1) == 1.0


@given(
    requests=st.integers(1, 4),
    at_once=st.integers(1, 4),
    lengths=st.lists(st.sampled_from([0.0, 0.1, 0.7, 3.0]), min_size=1, max_size=20),
)
def test_turns_come_in_order_within_the_limit_and_never_too_many_at_once(
    requests: int, at_once: int, lengths: list[float]
) -> None:
    begun: list[tuple[int, float]] = []
    under_way = most = 0

    async def call(limit: rate.RateLimiter, number: int, length: float) -> None:
        nonlocal under_way, most
        loop = asyncio.get_running_loop()
        async with limit.turn(deadline=loop.time() + 1000) as waited:
            assert waited == pytest.approx(loop.time())
            begun.append((number, loop.time()))
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(length)
            under_way -= 1

    async def everything() -> None:
        limit = limiter(requests, "1s", at_once=at_once)
        await asyncio.gather(*(call(limit, n, length) for n, length in enumerate(lengths)))

    testing.run(everything())

    assert [number for number, _ in begun] == list(range(len(lengths)))
    times = [at for _, at in begun]
    for first, beyond in zip(times, times[requests:], strict=False):
        assert beyond - first >= 1.0 - 1e-9
    assert most <= at_once


def test_a_call_that_finds_no_turn_in_time_is_overdue() -> None:
    async def everything() -> float:
        limit = limiter(100, "1s", at_once=1)
        loop = asyncio.get_running_loop()
        async with limit.turn(deadline=NEVER):
            with pytest.raises(rate.Overdue):
                async with limit.turn(deadline=loop.time() + 2):
                    pytest.fail("there was no turn")
        async with limit.turn(deadline=loop.time() + 1):
            return loop.time()

    assert testing.run(everything()) == pytest.approx(2.0)


@given(concurrency=st.integers(1, 5), connections=st.integers(1, 5), calls=st.integers(1, 20))
def test_calls_at_once_are_limited_by_the_lesser_of_both(
    concurrency: int, connections: int, calls: int
) -> None:
    """Without a number of requests nothing else is waited for: only as long as others take."""
    under_way = most = 0

    async def call(limit: rate.RateLimiter) -> None:
        nonlocal under_way, most
        async with limit.turn(deadline=NEVER):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(1)
            under_way -= 1

    async def everything() -> float:
        limit = rate.RateLimiter(RateLimit(concurrency=concurrency), at_once=connections)
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(call(limit) for _ in range(calls)))
        return asyncio.get_running_loop().time() - started

    at_once = min(concurrency, connections)
    assert testing.run(everything()) == pytest.approx(math.ceil(calls / at_once))
    assert most == min(at_once, calls)
