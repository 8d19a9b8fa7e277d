"""Claims of a worker: kept while a message is under way, given back, lost, and bounded."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from journals import ROUTE, accepted, until, wish

from isthmus_runtime.delivery.gathering import Singles
from isthmus_runtime.delivery.tally import Tally
from isthmus_runtime.delivery.worker import Terms, Worker
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.entries import Memory, Message, Settlement, State
from isthmus_runtime.journal.journal import Journal


@pytest.fixture
async def journal(address: str) -> AsyncIterator[Journal]:
    opened = await opening.open(address)
    yield opened
    await opened.close()


class Work:
    """Attempts that end when they are told to, as they are told to."""

    def __init__(self, **end: Any) -> None:
        self.begun: list[Message] = []
        self.under_way = 0
        self.most_under_way = 0
        self.may_end = asyncio.Event()
        self.end = end
        self.fail_first = False

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]:
        (message,) = messages
        self.begun.append(message)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.fail_first and len(self.begun) == 1:
                raise RuntimeError("nobody foresaw this")
            await self.may_end.wait()
        finally:
            self.under_way -= 1
        return [Settlement(message=message, **{"state": State.FINISHED, **self.end})]


@pytest.fixture
async def working(journal: Journal) -> AsyncIterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(work: Work, **terms: Any) -> Worker:
        given = {"route": ROUTE, "owner": "me", "places": 4, **terms}
        worker = Worker(Terms(**given), journal, work, Singles(), Tally("shop", "orders-to-erp"))
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        await worker.stop(0)


Start = Callable[..., Worker]


async def settled(journal: Journal) -> bool:
    return await journal.backlog(ROUTE) == 0


async def until_begun(work: Work, count: int) -> None:
    async def begun() -> bool:
        return len(work.begun) >= count

    await until(begun)


async def test_a_claim_is_kept_for_as_long_as_the_message_is_under_way(
    journal: Journal, working: Start
) -> None:
    work, other = Work(), Work()
    other.may_end.set()
    working(work, lease=0.5, extended_every=0.1)
    await accepted(journal, "one")
    await until_begun(work, 1)
    working(other, owner="other", lease=0.5)

    await asyncio.sleep(1.5)  # three leases: that nobody claims has no event
    assert other.begun == []
    work.may_end.set()
    await until(lambda: settled(journal))

    assert other.begun == []


async def test_a_claim_that_ended_is_another_workers_and_the_first_writes_nothing(
    journal: Journal, working: Start, logged: list[dict[str, Any]]
) -> None:
    work, other = Work(state=State.DEAD, reason="Late"), Work()
    working(work, lease=0.2, extended_every=60)
    await accepted(journal, "one")
    await until_begun(work, 1)
    second = working(other, owner="other", places=1)
    await until_begun(other, 1)

    work.may_end.set()
    await until_logged(logged, "the claim was lost before its end was written")
    assert second.in_flight == 1
    other.may_end.set()
    await until(lambda: settled(journal))

    assert [line["state"] for line in logged if line["event"] == "attempt"] == ["finished"]


async def until_logged(logged: list[dict[str, Any]], event: str) -> None:
    async def is_logged() -> bool:
        return event in events(logged)

    await until(is_logged)


def events(logged: list[dict[str, Any]]) -> list[str]:
    return [line["event"] for line in logged]


async def test_an_attempt_that_fails_unforeseen_is_made_again_when_its_lease_ends(
    journal: Journal, working: Start, logged: list[dict[str, Any]]
) -> None:
    work = Work()
    work.fail_first = True
    work.may_end.set()
    working(work, lease=0.3, extended_every=0.1)

    await accepted(journal, "one")
    await until(lambda: settled(journal))

    assert len(work.begun) == 2
    assert "messages could not be attempted" in events(logged)


async def test_an_end_that_cannot_be_written_leaves_a_dead_letter(
    journal: Journal, working: Start, logged: list[dict[str, Any]]
) -> None:
    broken = Memory(namespace="shop", store="s", key="k", value=object())  # type: ignore[arg-type]
    work = Work(memories=(broken,))
    work.may_end.set()
    working(work)

    await accepted(journal, "one")
    await until(lambda: settled(journal))
    await until_logged(logged, "attempt")
    (line,) = [line for line in logged if line["event"] == "attempt"]

    assert (line["state"], line["reason"]) == ("dead", "InternalError")


async def test_no_more_are_under_way_than_there_are_places_and_slow_ones_are_not_claimed_ahead(
    journal: Journal, working: Start
) -> None:
    work = Work()
    worker = working(work, places=3)
    await accepted(journal, *map(str, range(20)))
    await until_begun(work, 3)

    async def rests() -> bool:
        return worker.in_flight == 3

    await until(rests)
    others = await journal.claim(wish())
    assert (work.under_way, len(others)) == (3, 17)
    await journal.release(others)
    work.may_end.set()
    await until(lambda: settled(journal))

    assert work.most_under_way == 3
    assert Counter(message.uid for message in work.begun).most_common(1)[0][1] == 1


async def test_what_is_claimed_ahead_is_given_back_when_the_worker_leaves(
    journal: Journal, working: Start
) -> None:
    quick = Work()
    quick.may_end.set()
    worker = working(quick, places=2)
    await accepted(journal, *map(str, range(40)))
    await until(lambda: settled(journal))  # it is quick, so it claims ahead from here on
    quick.may_end.clear()
    await accepted(journal, *map(str, range(10)))
    await until_begun(quick, 42)

    await worker.stop(0)
    left = await journal.claim(wish())

    assert len(left) == 10
    assert {message.attempt for message in left} == {1}


async def test_a_message_in_retry_is_taken_when_it_is_due(journal: Journal, working: Start) -> None:
    work = Work(state=State.RETRY, delay=0.3)
    work.may_end.set()
    working(work)
    await accepted(journal, "one")
    await until_begun(work, 2)
    work.end = {"state": State.FINISHED}
    await until(lambda: settled(journal))

    waited = work.begun[1].claimed_at - work.begun[0].claimed_at
    assert 0.3 <= waited < 3
