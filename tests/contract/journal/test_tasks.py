"""Schedules that fire once, one that leads, watermarks that follow the delivery."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from journals import ROUTE, bodies, broken, draft, ended, one, until, wish

from isthmus_runtime.journal.entries import State
from isthmus_runtime.journal.journal import Journal

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


async def test_a_schedule_fires_once_for_a_time(journal: Journal) -> None:
    fired = [await journal.fire(ROUTE, NOON, [draft("fired")]) for _ in range(3)]

    assert fired == [True, False, False]
    assert await bodies(journal) == ["fired"]
    assert await journal.fire("shop/other", NOON, [])
    assert await journal.fire(ROUTE, NOON + timedelta(minutes=5), [draft("again")])


async def test_a_schedule_fires_once_whoever_is_quickest(journal: Journal) -> None:
    fired = await asyncio.gather(*(journal.fire(ROUTE, NOON, [draft("x")]) for _ in range(10)))

    assert sorted(fired) == [False] * 9 + [True]
    assert await bodies(journal) == ["x"]


async def test_a_fire_wakes_who_listens(journal: Journal) -> None:
    woken = asyncio.Event()
    journal.listen(ROUTE, woken.set)
    await bodies(journal)
    woken.clear()

    await journal.fire(ROUTE, NOON, [draft("x")])

    await asyncio.wait_for(woken.wait(), 5)


async def test_the_last_fire_is_the_latest_time(journal: Journal) -> None:
    assert await journal.last_fire(ROUTE) is None
    await journal.fire(ROUTE, NOON, [])
    await journal.fire(ROUTE, NOON - timedelta(hours=1), [])

    assert await journal.last_fire(ROUTE) == NOON


async def test_a_fire_whose_message_cannot_be_written_did_not_happen(journal: Journal) -> None:
    with pytest.raises(Exception, match=r".+"):
        await journal.fire(ROUTE, NOON, [broken()])

    assert await journal.last_fire(ROUTE) is None
    assert await journal.fire(ROUTE, NOON, [draft("x")])


async def test_one_leads_until_it_resigns(journal: Journal) -> None:
    assert await journal.lead("poll", "a", 60)
    assert await journal.lead("poll", "a", 60)
    assert not await journal.lead("poll", "b", 60)
    assert await journal.lead("other", "b", 60)

    await journal.resign("poll", "b")
    assert not await journal.lead("poll", "b", 60)
    await journal.resign("poll", "a")

    assert await journal.lead("poll", "b", 60)
    assert not await journal.lead("poll", "a", 60)


async def test_a_leader_that_is_gone_is_followed_by_another(journal: Journal) -> None:
    assert await journal.lead("poll", "a", 0.05)

    assert await until(lambda: journal.lead("poll", "b", 60))


async def test_a_watermark_is_committed_when_all_of_its_run_is_settled(journal: Journal) -> None:
    run = await journal.begin_run(ROUTE)
    await journal.accept([draft("1", run=run), draft("2", run=run)])
    await journal.end_run(ROUTE, run, '"10:00"')
    first, second = await journal.claim(wish())

    assert await journal.watermark(ROUTE) is None
    await journal.settle(ended(first))
    assert await journal.watermark(ROUTE) is None
    await journal.settle(ended(second, State.RETRY, delay=0))
    assert await journal.watermark(ROUTE) is None
    [again] = await until(lambda: journal.claim(wish()))
    await journal.settle(ended(again, State.DEAD, holds=True))

    assert await journal.watermark(ROUTE) == '"10:00"', "a dead message is settled"


async def test_a_watermark_waits_for_earlier_runs(journal: Journal) -> None:
    first = await journal.begin_run(ROUTE)
    await journal.accept([draft("1", run=first)])
    await journal.end_run(ROUTE, first, '"10:00"')
    second = await journal.begin_run(ROUTE)
    assert second > first
    await journal.accept([draft("2", run=second)])
    await journal.end_run(ROUTE, second, '"11:00"')
    early, late = await journal.claim(wish())

    await journal.settle(ended(late))
    assert await journal.watermark(ROUTE) is None
    await journal.settle(ended(early))

    assert await journal.watermark(ROUTE) == '"11:00"'


async def test_a_run_that_found_nothing_commits_at_once(journal: Journal) -> None:
    await journal.end_run(ROUTE, await journal.begin_run(ROUTE), '"10:00"')
    assert await journal.watermark(ROUTE) == '"10:00"'
    await journal.end_run(ROUTE, await journal.begin_run(ROUTE), None)

    assert await journal.watermark(ROUTE) == '"10:00"'
    assert await journal.watermark("shop/other") is None


async def test_a_run_that_never_ended_holds_back_what_follows_until_its_messages_are_settled(
    journal: Journal,
) -> None:
    lost = await journal.begin_run(ROUTE)
    await journal.accept([draft("1", run=lost)])
    await journal.end_run(ROUTE, await journal.begin_run(ROUTE), '"11:00"')

    assert await journal.watermark(ROUTE) is None
    await journal.settle(ended(await one(journal)))

    assert await journal.watermark(ROUTE) == '"11:00"'
