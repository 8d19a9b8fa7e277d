"""The work queue: no duplicates, never two workers on one key, delays that grow."""

import asyncio

import pytest

from isthmus_operator.queue import Backoff, Queue


def _queue() -> Queue[str]:
    return Queue(Backoff(first=0.01, longest=0.04, spread=lambda: 0.0))


async def test_a_key_that_waits_is_not_added_again() -> None:
    queue = _queue()
    queue.add("a")
    queue.add("a")
    queue.add("b")

    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_that_comes_while_under_way_is_worked_on_afterwards() -> None:
    queue = _queue()
    queue.add("a")
    key = await queue.get()
    queue.add("a")

    assert len(queue) == 0
    queue.done(key)
    assert await queue.get() == "a"


async def test_a_failure_brings_the_key_back_later_and_later() -> None:
    queue = _queue()
    queue.add("a")
    delays = [queue.retry(await queue.get()) for _ in range(4)]

    assert delays == [0.01, 0.02, 0.04, 0.04]


async def test_success_forgets_the_failures() -> None:
    queue = _queue()
    queue.add("a")
    queue.retry(await queue.get())
    queue.done(await queue.get())
    queue.add("a")

    assert queue.retry(await queue.get()) == 0.01


async def test_an_event_overtakes_a_delay() -> None:
    queue = _queue()
    queue.add_in("a", 3600)
    queue.add("a")

    assert await asyncio.wait_for(queue.get(), 1) == "a"
    assert len(queue) == 0


async def test_the_sooner_of_two_delays_counts() -> None:
    queue = _queue()
    queue.add_in("a", 0.01)
    queue.add_in("a", 3600)

    assert await asyncio.wait_for(queue.get(), 1) == "a"


async def test_a_worker_that_was_cancelled_does_not_swallow_a_key() -> None:
    queue = _queue()
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    first.cancel()
    queue.add("a")

    assert await asyncio.wait_for(second, 1) == "a"


async def test_a_worker_cancelled_after_it_was_woken_leaves_the_key_to_another() -> None:
    queue = _queue()
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()

    assert await asyncio.wait_for(second, 1) == "a"


async def test_a_queue_is_stuck_while_keys_wait_and_none_is_finished() -> None:
    queue, loop = _queue(), asyncio.get_running_loop()
    assert queue.stuck_for() == 0.0
    for key in "abc":
        queue.add(key)
    came = loop.time()
    await queue.get()
    await asyncio.sleep(0.02)

    assert 0.02 <= queue.stuck_for() <= loop.time() - came + 0.001
    finished = loop.time()
    queue.done("a")
    assert queue.stuck_for() <= loop.time() - finished
    await queue.get()
    await queue.get()
    assert queue.stuck_for() == 0.0


async def test_how_long_a_key_waited_is_told() -> None:
    told: list[float] = []
    queue: Queue[str] = Queue(waited=told.append)
    came = asyncio.get_running_loop().time()
    queue.add("a")
    await asyncio.sleep(0.02)
    await queue.get()

    assert 0.02 <= told[0] <= asyncio.get_running_loop().time() - came


@pytest.mark.parametrize("failures", [1, 5, 10_000])
def test_no_delay_exceeds_the_longest(failures: int) -> None:
    assert 0 < Backoff(first=0.1, longest=60.0).delay(failures) <= 60.0
