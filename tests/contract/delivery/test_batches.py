"""Several messages as one call, and what becomes of each."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from carriers import Carry
from manifests_text import connector, delivering
from served import Start
from upstreams import Arrival, Behave, answer, hangs

HOOK = {"webhook": {"path": "/hook", "open": True, "split": "{% $ %}"}}
SEND = "- call: {connector: erp, method: POST, path: /bulk}"


def batching(batch: dict[str, Any], steps: str = SEND, **delivery: Any) -> str:
    retry = {"attempts": 3, "backoff": {"initial": "10ms", "max": "40ms"}}
    return delivering(HOOK, steps, delivery={"retry": retry, **delivery, "batch": batch})


def lists(arrivals: list[Arrival]) -> list[list[Any]]:
    return [json.loads(arrival.body) for arrival in arrivals]


async def test_of_100_items_of_which_3_fail_97_finish_and_3_are_tried_again_alone(
    carry: Carry, upstream: Start
) -> None:
    failing = {13, 14, 77}

    def choose(arrival: Arrival) -> Behave:
        items = json.loads(arrival.body)
        wrong = [{"index": at} for at, item in enumerate(items) if item["n"] in failing]
        failing.clear()
        return answer({"errors": wrong})

    erp = await upstream(choose)
    it = await carry(
        connector(erp.url),
        batching({"count": 100, "wait": "200ms", "failures": "{% errors.index %}"}),
    )

    await it.send([{"n": n} for n in range(100)])
    kept = await it.until_settled(100)

    first, second = lists(erp.arrivals)
    assert [item["n"] for item in first] == list(range(100))
    assert sorted(item["n"] for item in second) == [13, 14, 77]
    assert Counter((each.state, each.attempts) for each in kept) == {
        ("finished", 1): 97,
        ("finished", 2): 3,
    }


async def test_items_that_fail_for_good_are_dead_and_the_others_are_not(
    carry: Carry, upstream: Start
) -> None:
    def choose(arrival: Arrival) -> Behave:
        items = json.loads(arrival.body)
        return answer({"errors": [at for at, item in enumerate(items) if item["n"] == 1]})

    erp = await upstream(choose)
    it = await carry(
        connector(erp.url), batching({"count": 3, "failures": "{% errors %}", "wait": "50ms"})
    )

    await it.send([{"n": n} for n in range(3)])
    kept = await it.until_settled(3)

    assert [each.state for each in kept] == ["finished", "dead", "finished"]
    assert (kept[1].reason, kept[1].attempts) == ("RefusedInBatch", 3)


async def test_a_poisoned_message_is_found_in_its_batch(carry: Carry, upstream: Start) -> None:
    def choose(arrival: Arrival) -> Behave:
        return answer(status=422) if b"poison" in arrival.body else answer({})

    erp = await upstream(choose)
    it = await carry(connector(erp.url), batching({"count": 8, "wait": "50ms"}))

    await it.send([{"n": n, **({"poison": 1} if n == 5 else {})} for n in range(8)])
    kept = await it.until_settled(8)

    assert [each.state for each in kept] == ["finished"] * 5 + ["dead"] + ["finished"] * 2
    assert [len(items) for items in lists(erp.arrivals)] == [8, 4, 4, 2, 1, 1, 2]


async def test_a_batch_that_may_pass_is_tried_again(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=503), answer({}))
    it = await carry(connector(erp.url), batching({"count": 4, "wait": "50ms"}))

    await it.send([{"n": n} for n in range(4)])
    kept = await it.until_settled(4)

    assert Counter((each.state, each.attempts) for each in kept) == {("finished", 2): 4}


async def test_what_is_no_json_does_not_take_its_batch_with_it(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream()
    hook = {"webhook": {"path": "/hook", "open": True}}
    it = await carry(
        connector(erp.url),
        delivering(hook, SEND, delivery={"batch": {"count": 3, "wait": "1s"}}),
    )

    for body in (b'{"n":1}', b"{broken", b'{"n":12345678901234567890}'):
        assert (await it.post(content=body)).status_code == 202
    kept = await it.until_settled(3)

    assert [each.state for each in kept] == ["finished", "rejected", "finished"]
    assert [arrival.body for arrival in erp.arrivals] == [b'[{"n":1},{"n":12345678901234567890}]']


async def test_batches_are_bounded_in_number_bytes_and_time(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    it = await carry(
        connector(erp.url), batching({"count": 4, "size": "1Ki", "wait": "100ms"}, concurrency=1)
    )

    await it.send([{"n": n} for n in range(10)])
    await it.until_settled(10)
    by_number = [len(items) for items in lists(erp.arrivals)]
    await it.send([{"x": "y" * 600}, {"x": "y" * 600}])
    await it.until_settled(12)

    assert by_number == [4, 4, 2]
    assert [len(items) for items in lists(erp.arrivals)[3:]] == [1, 1]


async def test_messages_of_a_batch_are_told_of_each_in_an_expression(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream()
    steps = "- call: {connector: erp, method: POST, path: /, body: '{% [$messages.id] %}'}"
    it = await carry(connector(erp.url), batching({"count": 2, "wait": "50ms"}, steps))

    await it.send([1, 2])
    kept = await it.until_settled(2)

    assert lists(erp.arrivals) == [[each.uid for each in kept]]
    assert "steps" in json.loads(kept[0].journey)
    assert json.loads(kept[1].journey) == {"batch": {"toldWith": kept[0].uid}}


async def test_a_slow_target_leaves_what_waits_in_the_journal(
    carry: Carry, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    it = await carry(
        connector(erp.url), batching({"count": 10, "wait": "10ms"}, concurrency=2, timeout="60s")
    )

    await it.send([{"n": n} for n in range(100)])
    await erp.until(lambda erp: erp.under_way == 2)
    status = (await it.status())["routes"][0]
    gate.set()
    kept = await it.until_settled(100)

    assert status["inFlight"] <= 30
    assert {each.state for each in kept} == {"finished"}


def sent(arrivals: list[Arrival]) -> list[tuple[str | None, list[int]]]:
    """The key and the numbers of each call."""
    return [
        (arrival.header("idempotency-key"), [item["n"] for item in json.loads(arrival.body)])
        for arrival in arrivals
    ]


BOTH_HOMES = pytest.mark.parametrize("home", ["sqlite", "postgresql"])


@BOTH_HOMES
async def test_a_batch_whose_answer_is_lost_is_sent_again_as_it_was(
    carry: Carry, upstream: Start
) -> None:
    """Its target honours the key: whatever came meanwhile must not mix with it."""
    erp = await upstream(hangs(), answer({}))
    it = await carry(
        connector(erp.url, idempotencyKey={}, timeout="500ms"),
        batching({"count": 3, "wait": "50ms"}, concurrency=1),
    )

    await it.send([{"n": n} for n in range(3)])
    await erp.until(lambda erp: len(erp.arrivals) == 1)
    await it.send([{"n": n} for n in range(3, 5)])
    kept = await it.until_settled(5)

    calls = sent(erp.arrivals)
    assert calls.count(calls[0]) == 2
    assert calls[0][1] == [0, 1, 2]
    assert sorted(numbers for _, numbers in calls) == [[0, 1, 2], [0, 1, 2], [3, 4]]
    assert len({key for key, _ in calls}) == 2
    assert {each.state for each in kept} == {"finished"}


@BOTH_HOMES
async def test_what_was_refused_of_a_batch_is_another_call(carry: Carry, upstream: Start) -> None:
    """The system has answered under the first key, and would answer the same again."""
    refusals = iter([[0, 2], [0, 1], []])
    erp = await upstream(lambda _: answer({"errors": next(refusals)}))
    it = await carry(
        connector(erp.url, idempotencyKey={}),
        batching({"count": 3, "wait": "50ms", "failures": "{% errors %}"}),
    )

    await it.send([{"n": n} for n in range(3)])
    await it.until_settled(3)

    calls = sent(erp.arrivals)
    assert [numbers for _, numbers in calls] == [[0, 1, 2], [0, 2], [0, 2]]
    assert len({key for key, _ in calls}) == 3


async def test_a_batch_of_other_messages_has_another_key(carry: Carry, upstream: Start) -> None:
    def choose(arrival: Arrival) -> Behave:
        return answer(status=422) if b"poison" in arrival.body else answer({})

    erp = await upstream(choose)
    it = await carry(connector(erp.url, idempotencyKey={}), batching({"count": 4, "wait": "50ms"}))

    await it.send([{"n": n, **({"poison": 1} if n == 2 else {})} for n in range(4)])
    await it.until_settled(4)

    keys = [key for key, _ in sent(erp.arrivals)]
    assert None not in keys
    assert len(set(keys)) == len(keys) == 5


async def test_a_batch_waits_for_a_system_that_is_left_alone_and_comes_as_it_was(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream(answer(status=500), answer({}))
    breaker = {"minCalls": 1, "pause": "500ms"}
    it = await carry(
        connector(erp.url, circuitBreaker=breaker, idempotencyKey={}),
        batching({"count": 3, "wait": "200ms"}),
    )

    await it.send([{"n": n} for n in range(3)])
    kept = await it.until_settled(3)

    assert [(each.state, each.attempts) for each in kept] == [("finished", 2)] * 3
    assert lists(erp.arrivals) == [[{"n": 0}, {"n": 1}, {"n": 2}]] * 2
    assert len({arrival.header("idempotency-key") for arrival in erp.arrivals}) == 1
