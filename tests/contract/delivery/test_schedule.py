"""A schedule fires at its times, once, whatever happens to the processes that watch the clock."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from carriers import Carry
from manifests_text import connector, delivering
from served import Start
from upstreams import answer

from isthmus_api.schedule import ScheduleSource
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.entries import Claim, Message, Settlement, State
from isthmus_runtime.journal.journal import Journal
from isthmus_runtime.sources.replacing import Replacing
from isthmus_runtime.sources.schedule import Schedule
from isthmus_runtime.steps.bound import Binder

BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])
START = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)


@dataclass
class Wall:
    """A clock that is set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def journal(address: str) -> AsyncIterator[Journal]:
    opened = await opening.open(address)
    yield opened
    await opened.close()


@dataclass
class Watch:
    """A schedule of one replica, looked at as its clock goes on."""

    journal: Journal
    wall: Wall = field(default_factory=Wall)
    spec: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew, as another process does."""
        spec = ScheduleSource.model_validate({"cron": "* * * * *", **self.spec})
        binder = Binder()
        self.schedule = Schedule(
            "default",
            "it",
            spec,
            journal=lambda: self.journal,
            binder=binder,
            drafter=Drafter("default/it", None, binder, {}),
            variables={},
            clock=self.wall,
        )

    async def at(self, minute: int, second: int = 0, *, hour: int = 12) -> None:
        """Let the clock show this, and the schedule look at it."""
        self.wall.now = START.replace(hour=hour, minute=minute, second=second)
        await self.schedule.look()


async def claim(journal: Journal, *, serial: bool = False) -> list[Message]:
    wish = Claim(route="default/it", owner="test", limit=100, lease=60, serial=serial)
    return await journal.claim(wish)


async def fired(journal: Journal) -> list[str]:
    """The minutes whose messages wait; they are done with after this."""
    messages = await claim(journal)
    for message in messages:
        await journal.settle(Settlement(message=message, state=State.FINISHED))
    return [json.loads(message.body)["scheduledAt"][14:16] for message in messages]


async def test_every_time_fires_once(journal: Journal) -> None:
    watch = Watch(journal)

    await watch.at(0, 30)
    for second in (0, 1, 30):
        await watch.at(1, second)
    await watch.at(2)

    assert await fired(journal) == ["01"]  # the second one let itself pass: see overlap
    await watch.at(3)
    assert await fired(journal) == ["03"]


async def test_a_new_schedule_begins_with_the_next_time(journal: Journal) -> None:
    watch = Watch(journal)

    await watch.at(5)
    assert await fired(journal) == []


OVERLAP = {
    "skip": ["01"],
    "queue": ["01", "02", "03"],
    "replace": ["01", "02", "03"],
}


@pytest.mark.parametrize(("overlap", "minutes"), OVERLAP.items())
async def test_times_that_come_while_a_message_is_under_way(
    journal: Journal, overlap: str, minutes: list[str]
) -> None:
    watch = Watch(journal, spec={"overlap": overlap})
    await watch.at(0, 30)

    for minute in (1, 2, 3):
        await watch.at(minute)

    serial = await claim(journal, serial=True)
    assert len(serial) == (1 if overlap != "replace" else 3)
    await journal.release(serial)
    assert await fired(journal) == minutes
    await watch.at(4)
    assert await fired(journal) == ["04"]


MISSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "one message for all": ({}, ["09"]),
    "one for each": ({"missed": "all"}, ["06", "07", "08", "09"]),
    "none that is too late": ({"startingDeadline": "30s"}, []),
    "those that are not too late": (
        {"missed": "all", "startingDeadline": "3m"},
        ["07", "08", "09"],
    ),
}


@pytest.mark.parametrize(("spec", "minutes"), MISSED.values(), ids=MISSED.keys())
async def test_times_that_passed_while_nothing_ran(
    journal: Journal, spec: dict[str, Any], minutes: list[str]
) -> None:
    watch = Watch(journal, spec={"overlap": "queue", **spec})
    await watch.at(0, 30)
    for minute in range(1, 6):
        await watch.at(minute)
    await fired(journal)

    watch.restart()
    await watch.at(9, 50)
    assert await fired(journal) == minutes
    await watch.at(9, 55)

    assert await fired(journal) == []


async def test_times_that_are_missed_may_get_no_message(journal: Journal) -> None:
    watch = Watch(journal, spec={"missed": "skip", "cron": "*/5 * * * *"})
    await watch.at(1)

    await watch.at(12)
    assert await fired(journal) == []
    await watch.at(15)

    assert await fired(journal) == ["15"]


async def test_a_schedule_that_never_fired_knows_when_it_began(journal: Journal) -> None:
    watch = Watch(journal, spec={"cron": "30 * * * *"})
    await watch.at(10)

    watch.restart()
    await watch.at(40)

    assert await fired(journal) == ["30"]


async def test_a_clock_that_is_set_back_fires_nothing_again(journal: Journal) -> None:
    watch = Watch(journal, spec={"overlap": "queue"})
    await watch.at(0, 30)
    await watch.at(10)
    await watch.at(11)

    for minute in (5, 6, 10, 11):
        await watch.at(minute)
    watch.restart()
    await watch.at(11, 30)
    await watch.at(12)

    assert await fired(journal) == ["10", "11", "12"]


async def test_a_clock_that_jumps_ahead_is_as_if_nothing_had_run(journal: Journal) -> None:
    watch = Watch(journal)
    await watch.at(0, 30)
    await watch.at(1)
    await fired(journal)

    await watch.at(30, hour=18)

    assert await fired(journal) == ["30"]


@pytest.mark.parametrize("home", ["postgresql"])
async def test_three_replicas_fire_once(address: str) -> None:
    journals = [await opening.open(address) for _ in range(3)]
    replicas = [Watch(journal, spec={"overlap": "queue"}) for journal in journals]
    for replica in replicas:
        await replica.at(0, 30)

    for minute in range(1, 11):
        await asyncio.gather(*(replica.at(minute) for replica in replicas))

    assert await fired(journals[0]) == [f"{minute:02}" for minute in range(1, 11)]
    for journal in journals:
        await journal.close()


async def test_the_body_is_what_the_route_says(journal: Journal) -> None:
    watch = Watch(
        journal,
        spec={
            "timeZone": "Europe/Amsterdam",
            "body": {"since": "{% $scheduledAt %}", "full": True},
        },
    )
    await watch.at(0, 30)
    await watch.at(1)

    (message,) = await claim(journal)
    assert json.loads(message.body) == {"since": "2026-11-25T13:01:00+01:00", "full": True}


async def missed_a_minute(address: str) -> None:
    """Let the schedule of a Route have fired some minutes ago, so that it fires at once."""
    journal = await opening.open(address)
    await journal.fire("default/it", datetime.now(UTC) - timedelta(minutes=5), ())
    await journal.close()


@BOTH
async def test_a_schedule_delivers(carry: Carry, address: str, upstream: Start) -> None:
    erp = await upstream()
    await missed_a_minute(address)
    it = await carry(
        connector(erp.url),
        delivering({"schedule": {"cron": "* * * * *"}}, "- call: {connector: erp, method: POST}"),
    )

    (kept,) = await it.until_settled(1)
    (status,) = (await it.status())["routes"]

    assert kept.state == "finished"
    assert json.loads(erp.arrivals[0].body).keys() == {"scheduledAt"}
    assert status["source"]["kind"] == "schedule"
    assert datetime.fromisoformat(status["source"]["next"]) > datetime.now(UTC)


@pytest.mark.parametrize("home", ["postgresql"])
async def test_a_message_is_given_up_when_another_replica_fires_again(
    carry: Carry, address: str, upstream: Start
) -> None:
    erp = await upstream(answer({}, when=asyncio.Event()), answer({}))
    await missed_a_minute(address)
    it = await carry(
        connector(erp.url, timeout="60s"),
        delivering(
            {"schedule": {"cron": "* * * * *", "overlap": "replace"}},
            "- call: {connector: erp, method: POST}",
            delivery={"timeout": "60s"},
        ),
    )
    await erp.until(lambda erp: erp.under_way == 1)

    other = await opening.open(address)
    watch = Watch(other, spec={"overlap": "replace"})
    watch.wall.now = datetime.now(UTC) + timedelta(minutes=2)
    await watch.schedule.look()
    kept = await it.until_settled(2)

    assert [(each.state, each.reason) for each in kept] == [
        ("skipped", "Replaced"),
        ("finished", ""),
    ]
    await other.close()


class Work:
    """Attempts that end when they are told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.under_way = 0
        self.most_under_way = 0
        self.may_end = asyncio.Event()

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]:
        (message,) = messages
        self.begun.append(json.loads(message.body)["scheduledAt"][14:16])
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.may_end.wait()
        finally:
            self.under_way -= 1
        return [Settlement(message=message, state=State.FINISHED)]


async def test_only_the_newest_message_is_attempted_and_one_at_a_time(journal: Journal) -> None:
    watch = Watch(journal, spec={"overlap": "replace"})
    work = Work()
    replacing = Replacing(work, "default/it", journal)
    await watch.at(0, 30)

    attempts = []
    for minute in (1, 2, 3):
        await watch.at(minute)
        (message,) = await claim(journal)
        attempts.append(asyncio.create_task(replacing.attempt([message])))
        async with asyncio.timeout(10):
            while len(work.begun) < minute:  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0.01)
    work.may_end.set()
    ends = [settlement for attempt in attempts for settlement in await attempt]

    assert [(end.state, end.reason) for end in ends] == [
        (State.SKIPPED, "Replaced"),
        (State.SKIPPED, "Replaced"),
        (State.FINISHED, ""),
    ]
    assert work.most_under_way == 1


async def test_an_attempt_that_is_cancelled_takes_its_work_with_it(journal: Journal) -> None:
    watch = Watch(journal, spec={"overlap": "replace"})
    work = Work()
    await watch.at(0, 30)
    await watch.at(1)
    (message,) = await claim(journal)

    attempting = asyncio.create_task(Replacing(work, "default/it", journal).attempt([message]))
    async with asyncio.timeout(10):
        while not work.begun:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)
    attempting.cancel()
    await asyncio.gather(attempting, return_exceptions=True)

    assert work.under_way == 0
