"""Permits: limits that hold over all who share them, on a database that they share."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import turns
from journals import until

from isthmus_api.quantities import Duration
from isthmus_api.rate_limit import RateLimit
from isthmus_runtime.connectors import sharing
from isthmus_runtime.connectors.limits import places, rates
from isthmus_runtime.connectors.limits.limiter import Limiter
from isthmus_runtime.connectors.limits.lines import NoTurn, Overdue
from isthmus_runtime.connectors.sharing import Sharing
from isthmus_runtime.http.messages import Response
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.access import Access
from isthmus_runtime.journal.journal import Journal
from isthmus_runtime.journal.permits import Permits, Rate, on_the_way, pausing

SYSTEM = "shop/erp"
MINUTE = Rate(10, 60.0)


@pytest.fixture
async def replicas(database: str) -> AsyncIterator[list[Journal]]:
    """Three Routes of four replicas."""
    opened = [await opening.open(database) for _ in range(12)]
    yield opened
    for journal in opened:
        await journal.close()


@pytest.fixture
async def permits(database: str) -> AsyncIterator[Permits]:
    """Those of a database with nothing in it."""
    opened = await opening.open(database)
    yield of(opened)
    await opened.close()


async def known(journal: Journal) -> Access:
    """A journal that was opened already, as a process has one."""

    async def found() -> Journal:
        return journal

    access = Access(found)
    await access.open()
    return access


def of(journal: Journal) -> Permits:
    found = journal.permits
    assert found is not None
    return found


@pytest.fixture
async def limiting(
    replicas: list[Journal], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., list[Limiter]]]:
    """Makes a limiter for each replica. On a busy machine no journal is thought to be away."""
    monkeypatch.setattr(sharing, "ANSWER_SECONDS", 60.0)
    sharings = [Sharing(await known(journal)) for journal in replicas]
    made: list[Limiter] = []

    def make(**limit: Any) -> list[Limiter]:
        found = [
            Limiter(
                "shop",
                "erp",
                RateLimit(**limit),
                at_once=1000,
                sharing=each,
            )
            for each in sharings
        ]
        made.extend(found)
        return found

    yield make
    for each in made:
        await each.close()


def soon(seconds: float = 60) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_one_process_has_nothing_to_share(tmp_path: Path) -> None:
    journal = await opening.open(f"sqlite:{tmp_path / 'journal.db'}")

    assert journal.permits is None
    await journal.close()


async def test_so_many_calls_are_granted_in_a_window(permits: Permits) -> None:
    first = await permits.take(SYSTEM, MINUTE, wanted=7)
    second = await permits.take(SYSTEM, MINUTE, wanted=7)
    third = await permits.take(SYSTEM, MINUTE, wanted=1)

    assert (first.granted, first.wait) == (7, 0.0)
    assert second.granted == 3
    assert third.granted == 0
    assert 59 < second.wait <= 61
    assert 59 < third.wait <= 61


async def test_systems_and_windows_are_apart(permits: Permits) -> None:
    for name, per in ((SYSTEM, 60.0), ("shop/search", 60.0), (SYSTEM, 1.0)):
        assert (await permits.take(name, Rate(5, per), wanted=9)).granted == 5


async def test_a_limit_that_is_changed_holds_from_then_on(permits: Permits) -> None:
    assert (await permits.take(SYSTEM, MINUTE, wanted=8)).granted == 8
    assert (await permits.take(SYSTEM, Rate(5, 60.0), wanted=1)).granted == 0
    assert (await permits.take(SYSTEM, Rate(20, 60.0), wanted=99)).granted == 12


@pytest.mark.parametrize("burst", [None, 3], ids=["a window", "a bucket"])
async def test_there_is_room_again_in_time(permits: Permits, burst: int | None) -> None:
    rate = Rate(3, 0.2, burst)
    assert (await permits.take(SYSTEM, rate, wanted=3)).granted >= 2

    async def again() -> bool:
        return (await permits.take(SYSTEM, rate, wanted=3)).granted >= 1

    assert await until(again)


async def test_a_bucket_is_emptied_and_filled_at_its_rate(permits: Permits) -> None:
    rate = Rate(60, 3600.0, 5)  # one a minute

    first = await permits.take(SYSTEM, rate, wanted=3)
    second = await permits.take(SYSTEM, rate, wanted=9)
    third = await permits.take(SYSTEM, rate, wanted=1)

    assert (first.granted, first.wait) == (3, 0.0)
    assert second.granted == 2
    assert third.granted == 0
    assert 50 < third.wait <= 60


async def test_a_bucket_holds_less_from_when_its_burst_is_lowered(permits: Permits) -> None:
    assert (await permits.take(SYSTEM, Rate(60, 3600.0, 50), wanted=40)).granted == 40
    lowered = await permits.take(SYSTEM, Rate(60, 3600.0, 2), wanted=1)

    assert lowered.granted == 0
    assert lowered.wait <= 60


@pytest.mark.parametrize("burst", [None, 10], ids=["a window", "a bucket"])
async def test_late_calls_count_whether_there_is_room_or_not(
    permits: Permits, burst: int | None
) -> None:
    rate = Rate(10, 3600.0, burst)
    await permits.note(SYSTEM, rate, calls=4)
    assert (await permits.take(SYSTEM, rate, wanted=99)).granted == 6

    await permits.note(SYSTEM, rate, calls=3)

    full = await permits.take(SYSTEM, rate, wanted=1)
    assert full.granted == 0
    assert full.wait > 300


@pytest.mark.parametrize(("share", "counted"), [(0.6, 1), (-1.0, 2)], ids=["in time", "late"])
async def test_a_call_that_is_sent_late_counts_once_more(
    limiting: Callable[..., list[Limiter]],
    permits: Permits,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    counted: int,
) -> None:
    monkeypatch.setattr(rates, "OWN_SHARE", share)
    limiter, *_ = limiting(requests=10, per=Duration("1h"))
    async with turns.turn(limiter, deadline=soon()) as turn:
        assert turn.sent is not None
        turn.sent()
    await limiter.close()

    found = await permits.take(SYSTEM, Rate(10, 3600.0), wanted=99)
    assert found.granted == 10 - counted


async def test_what_was_granted_long_ago_is_asked_for_again(
    limiting: Callable[..., list[Limiter]], permits: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not for ever, where nothing comes in time."""
    monkeypatch.setattr(rates, "LATEST_SHARE", -1.0)
    limiter, *_ = limiting(requests=10, per=Duration("1h"))
    async with turns.turn(limiter, deadline=soon()):
        pass

    found = await permits.take(SYSTEM, Rate(10, 3600.0), wanted=99)
    assert found.granted == 10 - rates.TRIES


async def test_places_are_given_up_to_the_limit_and_come_back(permits: Permits) -> None:
    async def enter(owner: str, wanted: int) -> int:
        return await permits.enter(SYSTEM, limit=5, owner=owner, wanted=wanted, lease=60)

    assert await enter("a", 3) == 3
    assert await enter("b", 3) == 2
    assert await enter("b", 1) == 0
    await permits.leave(SYSTEM, owner="a", places=2)
    assert await enter("b", 9) == 2
    assert await enter("a", 0) == 0
    await permits.leave(SYSTEM, owner="a", places=99)
    assert await enter("c", 9) == 1


async def test_a_pause_is_kept_and_the_longest_wins(replicas: list[Journal]) -> None:
    here, there = of(replicas[0]), of(replicas[1])
    heard = asyncio.Event()
    there.listen(pausing(SYSTEM), heard.set)
    assert await there.paused(SYSTEM) == 0.0

    await here.pause(SYSTEM, 60)
    await here.pause(SYSTEM, 5)

    assert 50 < await there.paused(SYSTEM) <= 60
    assert await there.paused("shop/search") == 0.0
    async with asyncio.timeout(30):
        await heard.wait()


async def test_a_rate_holds_over_all_replicas(limiting: Callable[..., list[Limiter]]) -> None:
    """A window in which more calls were surely granted than the limit would be a lie: each grant
    lies between the moments before and after its call."""
    requests, per = 30, 1.0
    limiters = limiting(requests=requests)
    spans: list[tuple[float, float]] = []
    total = 4 * requests

    async def call(limiter: Limiter) -> None:
        while len(spans) < total:
            before = time.monotonic()
            async with turns.turn(limiter, deadline=soon()):
                spans.append((before, time.monotonic()))

    started = time.monotonic()
    async with asyncio.timeout(60):
        await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(4)))
    took = time.monotonic() - started

    ends = sorted(after for _, after in spans)
    for first, last in zip(ends, ends[requests:], strict=False):
        inside = [span for span in spans if span[0] >= first and span[1] <= last]
        assert len(inside) <= requests or last - first > per
    assert took > 3 * (per + on_the_way(per)), "three windows have to pass for four times the limit"


async def test_a_bucket_holds_over_all_replicas(limiting: Callable[..., list[Limiter]]) -> None:
    limiters = limiting(requests=40, per=Duration("1s"), burst=20)
    granted: list[float] = []

    async def call(limiter: Limiter) -> None:
        while len(granted) < 80:
            async with turns.turn(limiter, deadline=soon()):
                granted.append(time.monotonic())

    started = time.monotonic()
    async with asyncio.timeout(60):
        await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(4)))

    assert granted[79] - started >= (80 - 20) / 40


async def test_places_hold_over_all_replicas(
    limiting: Callable[..., list[Limiter]], replicas: list[Journal]
) -> None:
    limit = 5
    limiters = limiting(concurrency=limit)
    under_way = most = 0
    done = itertools.count(1)
    finished = 0

    async def call(limiter: Limiter) -> None:
        nonlocal under_way, most, finished
        for _ in range(4):
            async with turns.turn(limiter, deadline=soon()):
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
    free = await of(replicas[0]).enter(SYSTEM, limit=limit, owner="last", wanted=99, lease=60)
    assert free == limit, "all came back"


async def test_places_of_a_process_that_is_gone_come_back(replicas: list[Journal]) -> None:
    here, there = of(replicas[0]), of(replicas[1])
    assert await here.enter(SYSTEM, limit=2, owner="gone", wanted=2, lease=0.05) == 2

    async def enter() -> int:
        return await there.enter(SYSTEM, limit=2, owner="b", wanted=2, lease=60)

    assert await until(enter) == 2
    assert await here.enter(SYSTEM, limit=2, owner="gone", wanted=1, lease=60) == 0


async def test_a_call_whose_deadline_comes_first_is_told_at_once(
    limiting: Callable[..., list[Limiter]],
) -> None:
    here, there, *_ = limiting(requests=1, per=Duration("1h"))
    async with turns.turn(here, deadline=soon()):
        pass

    with pytest.raises(Overdue) as refused:
        async with turns.turn(there, deadline=soon(300)):
            pass
    assert refused.value.wait is not None
    assert 3000 < refused.value.wait < 4000


async def test_a_place_is_not_lost_by_a_call_that_gives_up(
    limiting: Callable[..., list[Limiter]], replicas: list[Journal]
) -> None:
    limiter, *_ = limiting(concurrency=1)

    async def call(seconds: float) -> bool:
        try:
            async with turns.turn(limiter, deadline=soon(seconds)):
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
    assert await of(replicas[1]).enter(SYSTEM, limit=1, owner="b", wanted=1, lease=60) == 1


async def test_a_call_that_takes_longer_than_the_lease_keeps_its_place(
    limiting: Callable[..., list[Limiter]],
    replicas: list[Journal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "LEASE_SECONDS", 0.3)
    limiter, *_ = limiting(concurrency=1)
    async with turns.turn(limiter, deadline=soon()):
        await asyncio.sleep(1.0)  # longer than the lease
        other = of(replicas[-1])
        assert await other.enter(SYSTEM, limit=1, owner="b", wanted=1, lease=60) == 0


async def test_all_replicas_keep_to_a_pause_that_one_was_told(
    limiting: Callable[..., list[Limiter]],
) -> None:
    here, *others = limiting(requests=1000)
    here.heed(Response(429, [(b"retry-after", b"40")], b""))

    async def all_know() -> bool:
        return all(30 < each.paused <= 40 for each in others)

    assert await until(all_know)
    for each in (here, *others):
        with pytest.raises(NoTurn):
            async with turns.turn(each, deadline=soon(10)):
                pass


async def test_a_replica_that_begins_later_knows_of_the_pause(
    limiting: Callable[..., list[Limiter]], replicas: list[Journal]
) -> None:
    await of(replicas[0]).pause(SYSTEM, 40)
    late, *_ = limiting(requests=1000, maxPause=Duration("20s"))

    async def knows() -> bool:
        return 10 < late.paused <= 20

    assert await until(knows)
