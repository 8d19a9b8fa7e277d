"""The limits of a Connector in one process, on a clock that jumps."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import turns
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.quantities import Duration
from isthmus_api.rate_limit import RateLimit
from isthmus_runtime import testing
from isthmus_runtime.connectors.limits.limiter import Limiter
from isthmus_runtime.connectors.limits.lines import Crowded, NoTurn, Overdue
from isthmus_runtime.http.messages import Response

NEVER = 1e9
TOO_MANY = Response(429, [(b"retry-after", b"5")], b"")


def limiter(at_once: int = 1000, **limit: Any) -> Limiter:
    return Limiter("shop", "erp", RateLimit(**limit), at_once=at_once)


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return testing.run(work())


async def call(limit: Limiter, *, length: float = 0.0, within: float = NEVER) -> float:
    """When a call that takes so long was let through."""
    loop = asyncio.get_running_loop()
    async with turns.turn(limit, deadline=loop.time() + within):
        at = loop.time()
        await asyncio.sleep(length)
    return at


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

    async def one(limit: Limiter, number: int, length: float) -> None:
        nonlocal under_way, most
        loop = asyncio.get_running_loop()
        async with turns.turn(limit, deadline=NEVER) as turn:
            assert turn.waited == pytest.approx(loop.time())
            begun.append((number, loop.time()))
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(length)
            under_way -= 1

    async def everything() -> None:
        limit = limiter(at_once, requests=requests)
        await asyncio.gather(*(one(limit, n, length) for n, length in enumerate(lengths)))

    run(everything)

    assert [number for number, _ in begun] == list(range(len(lengths)))
    times = [at for _, at in begun]
    for first, beyond in zip(times, times[requests:], strict=False):
        assert beyond - first >= 1.0 - 1e-6
    assert most <= at_once


@given(concurrency=st.integers(1, 5), connections=st.integers(1, 5), calls=st.integers(1, 20))
def test_calls_at_once_are_limited_by_the_lesser_of_both(
    concurrency: int, connections: int, calls: int
) -> None:
    """Without a number of requests nothing else is waited for: only as long as others take."""

    async def everything() -> float:
        limit = limiter(connections, concurrency=concurrency)
        await asyncio.gather(*(call(limit, length=1) for _ in range(calls)))
        return asyncio.get_running_loop().time()

    at_once = min(concurrency, connections)
    assert run(everything) == pytest.approx(math.ceil(calls / at_once))


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    async def everything() -> list[float]:
        limit = limiter(requests=2, burst=3)
        return list(await asyncio.gather(*(call(limit) for _ in range(6))))

    assert run(everything) == pytest.approx([0, 0, 0, 0.5, 1.0, 1.5])


def test_a_call_that_would_be_late_is_told_at_once_and_takes_no_place() -> None:
    async def everything() -> None:
        limit = limiter(requests=1, per=Duration("10s"))
        await call(limit)
        with pytest.raises(Overdue) as refused:
            await call(limit, within=9)
        assert asyncio.get_running_loop().time() < 0.1
        assert refused.value.wait == pytest.approx(10)
        assert await call(limit) == pytest.approx(10)

    run(everything)


def test_who_comes_while_others_wait_for_the_window_is_told_at_once_too() -> None:
    async def everything() -> None:
        limit = limiter(requests=1, per=Duration("1h"))
        await call(limit)
        patient = asyncio.create_task(call(limit))
        await asyncio.sleep(10)
        with pytest.raises(Overdue) as refused:
            await call(limit, within=60)
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.1)
        assert refused.value.wait == pytest.approx(3590, abs=0.1)
        assert await patient == pytest.approx(3600)

    run(everything)


def test_a_call_that_finds_no_connection_in_time_is_overdue() -> None:
    async def everything() -> None:
        limit = limiter(1, requests=100)
        async with turns.turn(limit, deadline=NEVER):
            with pytest.raises(Overdue):
                await call(limit, within=2)
        assert await call(limit, within=1) == pytest.approx(2)

    run(everything)


def test_calls_beyond_those_that_may_wait_fail_at_once() -> None:
    async def everything() -> None:
        limit = limiter(requests=1, maxWaiting=2)
        await call(limit)
        calls = [asyncio.create_task(call(limit)) for _ in range(2)]
        await asyncio.sleep(0.5)
        assert limit.waiting == 2
        with pytest.raises(Crowded):
            await call(limit)
        assert await asyncio.gather(*calls) == pytest.approx([1, 2])
        assert limit.waiting == 0
        assert await call(limit) == pytest.approx(3)

    run(everything)


@pytest.mark.parametrize("of", [{"requests": 100}, {"concurrency": 9}], ids=str)
def test_a_pause_holds_calls_back(of: dict[str, Any]) -> None:
    async def everything() -> None:
        limit = limiter(**of)
        limit.heed(TOO_MANY)
        assert limit.paused == pytest.approx(5)
        with pytest.raises(Overdue) as refused:
            await call(limit, within=4)
        assert asyncio.get_running_loop().time() == 0
        assert refused.value.wait == pytest.approx(5)
        assert await call(limit, within=6) == pytest.approx(5)
        assert limit.paused == 0

    run(everything)


def test_a_pause_that_comes_while_calls_wait_holds_them_too() -> None:
    async def everything() -> list[Any]:
        limit = limiter(requests=1)
        calls = [
            asyncio.create_task(call(limit, within=within)) for within in (NEVER, NEVER, 3, NEVER)
        ]
        await asyncio.sleep(0.5)
        limit.heed(TOO_MANY)
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second, third, fourth = run(everything)

    assert first == 0
    assert second == pytest.approx(5.5)
    assert isinstance(third, NoTurn)
    assert fourth == pytest.approx(6.5)


def test_a_pause_is_bounded_and_a_longer_one_wins() -> None:
    async def everything() -> None:
        limit = limiter(requests=100, maxPause=Duration("20s"))
        limit.heed(Response(503, [(b"retry-after", b"3000")], b""))
        limit.heed(TOO_MANY)
        assert limit.paused == pytest.approx(20)

    run(everything)


def test_nothing_is_learnt_where_that_is_not_wanted() -> None:
    async def everything() -> float:
        limit = limiter(requests=100, learn=False)
        limit.heed(TOO_MANY)
        return await call(limit)

    assert run(everything) == 0


def test_a_call_that_is_given_up_leaves_its_place_to_others() -> None:
    async def everything() -> None:
        limit = limiter(1, requests=1000)
        async with turns.turn(limit, deadline=NEVER):
            given_up = asyncio.create_task(call(limit))
            await asyncio.sleep(1)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
        assert limit.waiting == 0
        assert await call(limit, within=1) == pytest.approx(1)

    run(everything)


@pytest.mark.parametrize(
    ("limit", "done"),
    [
        pytest.param({"requests": 1}, "went", id="the rate is used up"),
        pytest.param({"requests": 1, "burst": 1}, "went", id="the bucket is empty"),
        pytest.param({"concurrency": 1}, "goes", id="the one that may go is under way"),
        pytest.param({"requests": 9}, "was told", id="the system wants a pause"),
    ],
)
def test_a_call_that_would_have_to_wait_does_not_go_at_once(
    limit: dict[str, Any], done: str
) -> None:
    async def everything() -> None:
        limits = limiter(**limit)
        turn = limits.at_once(NEVER)
        assert turn is not None
        if done != "goes":
            limits.leave(turn, TOO_MANY if done == "was told" else None)
        assert limits.at_once(NEVER) is None

    run(everything)


def test_no_call_goes_before_those_that_wait() -> None:
    async def everything() -> None:
        limit = limiter(2, requests=2)
        held = [limit.at_once(NEVER), limit.at_once(NEVER)]
        waiting = asyncio.create_task(limit.come(NEVER))
        await asyncio.sleep(0.5)
        for turn in held:
            assert turn is not None
            limit.leave(turn)
        await asyncio.sleep(0.499)
        assert limit.at_once(NEVER) is None, "a place is free, and the rate is not"
        assert (await waiting).waited == pytest.approx(1.0)
        assert limit.at_once(NEVER) is not None

    run(everything)


def test_a_call_that_is_too_late_takes_nothing() -> None:
    async def everything() -> None:
        limit = limiter(1, requests=1)
        assert limit.at_once(asyncio.get_running_loop().time()) is None
        assert limit.at_once(NEVER) is not None

    run(everything)
