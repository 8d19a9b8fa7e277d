"""Permits: limits that hold over all who share them."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator

import pytest
from journals import until

from isthmus_runtime.connectors import shared
from isthmus_runtime.connectors.rate import Overdue
from isthmus_runtime.connectors.shared import Limits, SharedLimiter
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.journal import Journal

SYSTEM = "shop/erp"


async def test_so_many_calls_are_granted_in_a_window(journal: Journal) -> None:
    first = await journal.take(SYSTEM, requests=10, per=60, wanted=7)
    second = await journal.take(SYSTEM, requests=10, per=60, wanted=7)
    third = await journal.take(SYSTEM, requests=10, per=60, wanted=1)

    assert (first.granted, first.wait) == (7, 0.0)
    assert second.granted == 3
    assert third.granted == 0
    assert 59 < second.wait <= 61
    assert 59 < third.wait <= 61


async def test_systems_and_windows_are_apart(journal: Journal) -> None:
    for name, per in ((SYSTEM, 60.0), ("shop/search", 60.0), (SYSTEM, 1.0)):
        assert (await journal.take(name, requests=5, per=per, wanted=9)).granted == 5


async def test_a_limit_that_is_changed_holds_from_then_on(journal: Journal) -> None:
    assert (await journal.take(SYSTEM, requests=10, per=60, wanted=8)).granted == 8
    assert (await journal.take(SYSTEM, requests=5, per=60, wanted=1)).granted == 0
    assert (await journal.take(SYSTEM, requests=20, per=60, wanted=99)).granted == 12


async def test_there_is_room_again_after_the_window(journal: Journal) -> None:
    assert (await journal.take(SYSTEM, requests=3, per=0.2, wanted=3)).granted == 3
    full = await journal.take(SYSTEM, requests=3, per=0.2, wanted=3)
    assert full.granted == 0 or full.wait == 0.0  # on a machine that stood still meanwhile

    async def again() -> bool:
        return (await journal.take(SYSTEM, requests=3, per=0.2, wanted=3)).granted == 3

    assert await until(again)


async def test_places_are_given_up_to_the_limit_and_come_back(journal: Journal) -> None:
    async def enter(owner: str, wanted: int) -> int:
        return await journal.enter(SYSTEM, limit=5, owner=owner, wanted=wanted, lease=60)

    assert await enter("a", 3) == 3
    assert await enter("b", 3) == 2
    assert await enter("b", 1) == 0
    await journal.leave(SYSTEM, owner="a", places=2)
    assert await enter("b", 9) == 2
    assert await enter("a", 0) == 0
    await journal.leave(SYSTEM, owner="a", places=99)
    assert await enter("c", 9) == 1


@pytest.fixture
async def replicas(address: str) -> AsyncIterator[list[Journal]]:
    """Three Routes of four replicas, where the home is for several; else one."""
    count = 12 if address.startswith("postgresql") else 1
    opened = [await opening.open(address) for _ in range(count)]
    yield opened
    for journal in opened:
        await journal.close()


async def test_a_rate_holds_over_all_replicas(replicas: list[Journal]) -> None:
    """A window in which more calls were surely granted than the limit would be a lie: each grant
    lies between the moments before and after its call."""
    requests, per = 30, 0.5
    limits = Limits(SYSTEM, requests=requests, per=per, concurrency=None)
    limiters = [SharedLimiter(journal, limits, owner=str(n)) for n, journal in enumerate(replicas)]
    spans: list[tuple[float, float]] = []
    total = 5 * requests

    async def call(limiter: SharedLimiter) -> None:
        while len(spans) < total:
            before = time.monotonic()
            async with limiter.turn(deadline=asyncio.get_running_loop().time() + 60):
                spans.append((before, time.monotonic()))

    started = time.monotonic()
    async with asyncio.timeout(60):
        await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(4)))
    took = time.monotonic() - started
    for limiter in limiters:
        await limiter.close()

    ends = sorted(after for _, after in spans)
    for first, last in zip(ends, ends[requests:], strict=False):
        inside = [span for span in spans if span[0] >= first and span[1] <= last]
        assert len(inside) <= requests or last - first > per
    assert took > 4 * per, "four windows have to pass for five times the limit"


async def test_places_hold_over_all_replicas(replicas: list[Journal]) -> None:
    limit = 5
    limits = Limits(SYSTEM, requests=None, per=1.0, concurrency=limit)
    limiters = [SharedLimiter(journal, limits, owner=str(n)) for n, journal in enumerate(replicas)]
    under_way = most = 0
    done = itertools.count(1)
    finished = 0

    async def call(limiter: SharedLimiter) -> None:
        nonlocal under_way, most, finished
        for _ in range(4):
            async with limiter.turn(deadline=asyncio.get_running_loop().time() + 60):
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0.005)
                under_way -= 1
            finished = next(done)

    async with asyncio.timeout(90):
        await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(8)))
    for limiter in limiters:
        await limiter.close()

    assert finished == 32 * len(limiters)
    assert most == limit, "never more, and all of them are used"
    free = await replicas[0].enter(SYSTEM, limit=limit, owner="last", wanted=99, lease=60)
    assert free == limit, "all came back"


async def test_places_of_a_process_that_is_gone_come_back(replicas: list[Journal]) -> None:
    if len(replicas) == 1:
        return  # what a process holds goes with it
    assert await replicas[0].enter(SYSTEM, limit=2, owner="gone", wanted=2, lease=0.05) == 2

    async def enter() -> int:
        return await replicas[1].enter(SYSTEM, limit=2, owner="b", wanted=2, lease=60)

    assert await until(enter) == 2
    assert await replicas[0].enter(SYSTEM, limit=2, owner="gone", wanted=1, lease=60) == 0


async def test_a_call_whose_deadline_comes_first_is_told_at_once(journal: Journal) -> None:
    limits = Limits(SYSTEM, requests=1, per=3600.0, concurrency=None)
    limiter = SharedLimiter(journal, limits, owner="a")
    now = asyncio.get_running_loop().time
    async with limiter.turn(deadline=now() + 60):
        pass

    started = now()
    with pytest.raises(Overdue):
        async with limiter.turn(deadline=now() + 60):
            pass
    assert now() - started < 30
    await limiter.close()


async def test_a_place_is_not_lost_by_a_call_that_gives_up(journal: Journal) -> None:
    limits = Limits(SYSTEM, requests=None, per=1.0, concurrency=1)
    limiter = SharedLimiter(journal, limits, owner="a")
    now = asyncio.get_running_loop().time

    async def call(seconds: float) -> bool:
        try:
            async with limiter.turn(deadline=now() + seconds):
                await asyncio.sleep(0.002)
        except Overdue:
            return False
        return True

    for _ in range(20):
        tasks = [asyncio.create_task(call(0.003)) for _ in range(5)]
        await asyncio.sleep(0.001)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert await call(30)
    await limiter.close()
    assert await journal.enter(SYSTEM, limit=1, owner="b", wanted=1, lease=60) == 1


async def test_a_process_that_was_killed_and_one_that_lives_keep_the_lease_apart(
    replicas: list[Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that takes longer than the lease keeps its place."""
    monkeypatch.setattr(shared, "LEASE_SECONDS", 0.3)
    limits = Limits(SYSTEM, requests=None, per=1.0, concurrency=1)
    limiter = SharedLimiter(replicas[0], limits, owner="a")
    async with limiter.turn(deadline=asyncio.get_running_loop().time() + 60):
        await asyncio.sleep(1.0)  # longer than the lease
        other = replicas[-1]
        assert await other.enter(SYSTEM, limit=1, owner="b", wanted=1, lease=60) == 0
    await limiter.close()
