"""Order per key: one message of a key at a time, the oldest first."""

import asyncio
from collections import defaultdict

from journals import accepted, bodies, draft, ended, one, until, wish

from isthmus_runtime.journal.entries import Message, State
from isthmus_runtime.journal.journal import Journal


async def test_the_next_of_a_key_waits_until_the_one_before_is_settled(journal: Journal) -> None:
    for key, body in (("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")):
        await accepted(journal, body, key=key)

    a1, b1 = await journal.claim(wish(serial=True))
    assert [a1.body, b1.body] == [b"a1", b"b1"]
    assert await bodies(journal, serial=True) == []

    await journal.settle(ended(b1))
    assert await bodies(journal, serial=True) == []
    await journal.settle(ended(a1))

    assert await bodies(journal, serial=True) == ["a2"]


async def test_a_retry_keeps_its_place(journal: Journal) -> None:
    await accepted(journal, "a1", "a2", key="a")
    await journal.settle(ended(await one(journal, serial=True), State.RETRY, delay=3600))

    assert await bodies(journal, serial=True) == []


async def test_a_retry_comes_before_what_came_after_it(journal: Journal) -> None:
    await accepted(journal, "a1", "a2", key="a")
    await journal.settle(ended(await one(journal, serial=True), State.RETRY, delay=0))

    assert await until(lambda: bodies(journal, serial=True)) == ["a1"]
    assert await bodies(journal, serial=True) == []


async def test_a_lost_claim_keeps_its_place(journal: Journal) -> None:
    await accepted(journal, "a1", "a2", key="a")
    await one(journal, serial=True, lease=0.01)

    assert await until(lambda: bodies(journal, serial=True)) == ["a1"]
    assert await bodies(journal, serial=True) == []


async def test_what_is_released_keeps_its_place(journal: Journal) -> None:
    await accepted(journal, "a1", "a2", key="a")
    await journal.release([await one(journal, serial=True)])

    assert await bodies(journal, serial=True) == ["a1"]


async def test_a_dead_message_lets_its_key_go_on_unless_it_holds(journal: Journal) -> None:
    for key in ("parked", "blocked"):
        await accepted(journal, f"{key}1", f"{key}2", key=key)
    parked, blocked = await journal.claim(wish(serial=True))

    await journal.settle(ended(parked, State.DEAD, holds=False))
    await journal.settle(ended(blocked, State.DEAD, holds=True))

    assert await bodies(journal, serial=True) == ["parked2"]
    assert await journal.next_due(parked.route) is not None
    await accepted(journal, "blocked3", key="blocked")
    assert await bodies(journal, serial=True) == []


async def test_messages_without_a_key_do_not_wait(journal: Journal) -> None:
    await accepted(journal, "1", "2", "3")

    assert await bodies(journal, serial=True) == ["1", "2", "3"]


async def test_the_same_key_of_another_route_does_not_matter(journal: Journal) -> None:
    await accepted(journal, "1", key="a")
    await accepted(journal, "2", key="a", route="shop/other")

    assert await bodies(journal, serial=True, route="shop/other") == ["2"]


async def test_without_order_a_key_is_worked_on_side_by_side(journal: Journal) -> None:
    await accepted(journal, "1", "2", "3", key="a")

    assert await bodies(journal) == ["1", "2", "3"]


async def test_a_route_that_gives_up_order_loses_nothing(journal: Journal) -> None:
    await accepted(journal, "1", "2", "3", key="a")
    assert await bodies(journal, serial=True) == ["1"]

    assert await bodies(journal) == ["2", "3"]


async def test_a_route_that_wants_order_from_now_on_gets_it(journal: Journal) -> None:
    await accepted(journal, "1", "2", "3", key="a")
    first, second = await journal.claim(wish(limit=2))

    assert await bodies(journal, serial=True) == []
    await journal.settle(ended(first))
    assert await bodies(journal, serial=True) == []
    await journal.settle(ended(second))
    assert await bodies(journal, serial=True) == ["3"]


async def test_many_behind_one_key_do_not_keep_others_from_being_found(journal: Journal) -> None:
    await journal.accept([draft(f"a{n}", key="a") for n in range(500)])
    await accepted(journal, "b1", key="b")

    assert await bodies(journal, serial=True, limit=2) == ["a0", "b1"]


async def test_workers_side_by_side_keep_the_order_of_each_key(journal: Journal) -> None:
    """1,000 events on 50 keys with 8 workers, of which some fail the first time."""
    for start in range(0, 1000, 100):
        await journal.accept(
            [draft(f"{n}", key=f"k{n * 7 % 50}") for n in range(start, start + 100)]
        )
    seen: dict[str, list[int]] = defaultdict(list)
    under_way: set[str] = set()
    done = 0

    async def deliver(message: Message) -> None:
        nonlocal done
        key = message.key or ""
        assert key not in under_way, f"{key} is worked on twice"
        under_way.add(key)
        await asyncio.sleep(0.001 * (message.sequence % 3))
        number = int(message.body)
        under_way.discard(key)
        if number % 13 == 0 and message.attempt == 1:
            assert await journal.settle(ended(message, State.RETRY, delay=0.001))
            return
        seen[key].append(number)
        done += 1
        assert await journal.settle(ended(message))

    async def work(name: str) -> None:
        while done < 1000:
            claimed = await journal.claim(wish(serial=True, limit=3, owner=name))
            if not claimed:
                await asyncio.sleep(0.001)
            for message in claimed:
                await deliver(message)

    async with asyncio.timeout(60), asyncio.TaskGroup() as workers:
        for name in range(8):
            workers.create_task(work(str(name)))

    assert sum(map(len, seen.values())) == 1000
    for key, numbers in seen.items():
        assert numbers == sorted(numbers), key
