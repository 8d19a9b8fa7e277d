"""What becomes of messages: retries, dead letters, order, versions, what was delivered before."""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from typing import Any

import pytest
from carriers import Carry, Kept
from manifests_text import connector, delivering
from served import Start
from upstreams import Arrival, Behave, answer, hangs, resets, unused_port

HOOK = {"webhook": {"path": "/hook", "open": True}}
SEND = "- call: {connector: erp, method: POST, path: /orders}"
QUICK = {"retry": {"attempts": 4, "backoff": {"initial": "10ms", "max": "40ms"}}}
BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])


def it_sends(**spec: Any) -> str:
    delivery = {**QUICK, **spec.pop("delivery", {})}
    return delivering(HOOK, spec.pop("steps", SEND), delivery=delivery, **spec)


def bodies(arrivals: list[Arrival]) -> list[Any]:
    return [json.loads(arrival.body) for arrival in arrivals]


async def attempts_in(logged: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The lines of so many attempts; each is written just after the journal has it."""
    async with asyncio.timeout(10):
        while True:
            lines = [line for line in logged if line["event"] == "attempt"]
            if len(lines) >= count:
                return lines
            await asyncio.sleep(0.01)


PASSING: dict[str, tuple[Behave, str]] = {
    "503": (answer(status=503), "UnexpectedStatus"),
    "500": (answer(status=500), "UnexpectedStatus"),
    "429": (answer(status=429), "UnexpectedStatus"),
    "408": (answer(status=408), "UnexpectedStatus"),
    "a broken connection": (resets(), "ConnectionBroken"),
    "no answer in time": (hangs(), "Timeout"),
}


@pytest.mark.parametrize(("failure", "reason"), PASSING.values(), ids=PASSING.keys())
async def test_a_failure_that_may_pass_is_tried_again(
    carry: Carry,
    upstream: Start,
    logged: list[dict[str, Any]],
    failure: Behave,
    reason: str,
) -> None:
    erp = await upstream(failure, failure, answer({}))
    it = await carry(connector(erp.url, timeout="300ms"), it_sends())

    await it.send({"n": 1})
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.attempts) == ("finished", 3)
    assert bodies(erp.arrivals) == [{"n": 1}] * 3
    lines = await attempts_in(logged, 3)
    assert [(line["attempt"], line["state"], line.get("reason")) for line in lines] == [
        (1, "retry", reason),
        (2, "retry", reason),
        (3, "finished", None),
    ]


async def test_a_system_that_cannot_be_reached_is_tried_again(
    carry: Carry, upstream: Start
) -> None:
    port = unused_port()
    it = await carry(connector(f"http://127.0.0.1:{port}"), it_sends(delivery={"retry": LONG}))
    await it.send({"n": 1})
    await it.until(lambda found: found[0].reason == "ConnectFailed")

    erp = await upstream()
    await erp.stop()
    erp.port = port
    await erp.start()
    (kept,) = await it.until_settled(1)

    assert kept.state == "finished"


LONG = {"attempts": 1000, "backoff": {"initial": "20ms", "max": "50ms"}}


async def test_a_failure_that_passes_no_more_ends_dead(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer({"canary": 1}, status=503))
    it = await carry(connector(erp.url), it_sends())

    await it.send({"n": 1})
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.reason, kept.attempts) == ("dead", "UnexpectedStatus", 4)
    assert kept.detail == "call-0: erp answered 503 (4 attempts, no more are made)"
    assert len(erp.arrivals) == 4


async def test_a_retry_after_is_kept_to(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=429, headers=("retry-after: 1",)), answer({}))
    it = await carry(connector(erp.url), it_sends())

    await it.send({})
    await it.until_settled(1)

    first, second = (arrival.at for arrival in erp.arrivals)
    assert 1.0 <= second - first < 3.0


@BOTH
async def test_messages_wait_for_a_system_that_is_left_alone_and_use_up_no_attempt(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(answer(status=500), answer({}))
    breaker = {"minCalls": 1, "pause": "500ms"}
    it = await carry(
        connector(erp.url, circuitBreaker=breaker),
        it_sends(delivery={"retry": {**QUICK["retry"], "attempts": 2}, "concurrency": 1}),
    )

    await it.send(*({"n": n} for n in range(5)))
    kept = await it.until_settled(5)

    assert [each.state for each in kept] == ["finished"] * 5
    assert sorted(each.attempts for each in kept) == [1, 1, 1, 1, 2]
    assert len(erp.arrivals) == 6
    first, second = (arrival.at for arrival in erp.arrivals[:2])
    assert second - first >= 0.45  # uvloop's clock stands still during a turn of its loop
    refused = [line for line in logged if line.get("reason") == "CircuitOpen"]
    assert len(refused) >= 5


OPEN = {"minCalls": 1, "pause": "1h", "maxPause": "1h"}


async def test_a_message_that_was_sent_to_another_system_before_has_used_up_an_attempt(
    carry: Carry, upstream: Start
) -> None:
    crm, erp = await upstream(), await upstream(answer(status=500))
    steps = f"- call: {{connector: crm, method: POST}}\n{SEND}"
    it = await carry(
        connector(erp.url, circuitBreaker=OPEN),
        connector(crm.url, name="crm"),
        it_sends(steps=steps, delivery={"retry": {**QUICK["retry"], "attempts": 2}}),
    )

    await it.send({"n": 1})
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.reason, kept.attempts) == ("dead", "CircuitOpen", 2)
    assert (len(crm.arrivals), len(erp.arrivals)) == (2, 1)


async def test_a_message_does_not_wait_beyond_its_deadline(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=500))
    delivery = {"deadline": "30m", "retry": LONG}
    it = await carry(connector(erp.url, circuitBreaker=OPEN), it_sends(delivery=delivery))

    await it.send({"n": 1})
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.reason) == ("dead", "DeadlineExceeded")
    assert "erp is left alone" in kept.detail


PERMANENT = {
    "another 4xx": (SEND, {"n": 1}, "dead", "UnexpectedStatus"),
    "an expression that fails": (
        "- map: {expression: \"$error('canary')\"}",
        {"n": 1},
        "dead",
        "ExpressionFailed",
    ),
    "a guard": (
        "- map: {expression: '($f := function($n){ $f($n + 1) }; $f(0))'}",
        {"n": 1},
        "dead",
        "GuardExceeded",
    ),
    "what does not fit its schema": (
        "- validate: {schema: {type: object, required: [canary]}}",
        {"n": 1},
        "rejected",
        "SchemaMismatch",
    ),
}


@pytest.mark.parametrize(
    ("steps", "body", "state", "reason"), PERMANENT.values(), ids=PERMANENT.keys()
)
async def test_a_failure_that_stays_is_not_tried_again(
    carry: Carry, upstream: Start, steps: str, body: Any, state: str, reason: str
) -> None:
    erp = await upstream(answer({}, status=422))
    it = await carry(connector(erp.url), it_sends(steps=steps))

    await it.send(body)
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.reason, kept.attempts) == (state, reason, 1)
    assert len(erp.arrivals) == (reason == "UnexpectedStatus")


async def test_what_is_no_json_is_accepted_and_rejected_where_it_is_seen(
    carry: Carry, upstream: Start
) -> None:
    it = await carry(it_sends(steps="- map: {expression: '$.n'}", message={"key": "{% n %}"}))

    response = await it.post(content=b"{broken")
    (kept,) = await it.until_settled(1)

    assert response.status_code == 202
    assert (kept.state, kept.reason) == ("rejected", "KeyMissing")


async def test_a_message_without_its_key_or_version_is_rejected(carry: Carry) -> None:
    message = {"key": "{% n %}", "version": "{% v %}"}
    it = await carry(it_sends(steps="- filter: '{% true %}'", message=message))

    await it.send({"n": 1, "v": 1}, {"n": 1}, {"v": 1})
    kept = await it.until_settled(3)

    assert [each.reason for each in kept] == ["", "VersionMissing", "KeyMissing"]


async def test_a_message_that_a_filter_stops_is_skipped(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    it = await carry(connector(erp.url), it_sends(steps=f"- filter: '{{% n = 2 %}}'\n{SEND}"))

    await it.send({"n": 1}, {"n": 2})
    kept = await it.until_settled(2)

    assert [(each.state, each.reason) for each in kept] == [
        ("skipped", "Filtered"),
        ("finished", ""),
    ]
    assert bodies(erp.arrivals) == [{"n": 2}]


async def test_a_failure_that_is_handled_is_none(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=500))
    steps = "- {call: {connector: erp}, onError: {use: {}}}"
    it = await carry(connector(erp.url), it_sends(steps=steps))

    await it.send({})
    (kept,) = await it.until_settled(1)

    assert kept.state == "finished"
    assert kept.steps[0]["failure"] == {"reason": "UnexpectedStatus", "handled": True}


async def test_an_attempt_has_its_time(carry: Carry, upstream: Start) -> None:
    erp = await upstream(hangs(), answer({}))
    it = await carry(connector(erp.url, timeout="60s"), it_sends(delivery={"timeout": "200ms"}))

    await it.send({})
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.attempts) == ("finished", 2)


async def test_a_message_has_a_deadline(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=503))
    it = await carry(connector(erp.url), it_sends(delivery={"deadline": "300ms", "retry": LONG}))

    await it.send({})
    (kept,) = await it.until_settled(1)

    assert (kept.state, kept.reason) == ("dead", "DeadlineExceeded")
    assert kept.detail.startswith("it could not be delivered within 0.3 seconds")
    assert len(erp.arrivals) > 1


@BOTH
async def test_the_same_webhook_three_times_is_one_write_at_a_target_that_honours_the_key(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream(answer(status=503), answer({}))
    it = await carry(
        connector(erp.url, idempotencyKey={}),
        it_sends(message={"key": "{% n %}", "version": "{% v %}"}),
    )

    await it.send({"n": 1, "v": 1}, {"n": 1, "v": 1}, {"n": 1, "v": 1}, {"n": 1, "v": 2})
    kept = await it.until_settled(4)

    assert Counter(each.state for each in kept) == {"finished": 4}
    keys = [arrival.header("idempotency-key") for arrival in erp.arrivals]
    assert len(keys) == 5  # one of them was tried again
    assert len(set(keys)) == 2
    assert {each.identity for each in kept} == set(keys)


@BOTH
async def test_what_was_delivered_is_skipped_where_the_route_says_so(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream()
    it = await carry(
        connector(erp.url),
        it_sends(message={"key": "{% n %}"}, delivery={"skipIfDelivered": True, "order": "key"}),
    )

    await it.send({"n": 1}, {"n": 1}, {"n": 2}, {"n": 1, "more": 1})
    kept = await it.until_settled(4)

    assert [each.reason for each in kept] == ["", "AlreadyDelivered", "", ""]
    assert sorted(map(str, bodies(erp.arrivals))) == [
        "{'n': 1, 'more': 1}",
        "{'n': 1}",
        "{'n': 2}",
    ]


@BOTH
async def test_an_older_version_never_overwrites_a_newer_one(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=404), answer({}))
    it = await carry(connector(erp.url), it_sends(message={"key": "{% n %}", "version": "{% v %}"}))

    # The first dies, so what comes after it was never overwritten.
    for version in (1, 9, 10, 9, 11, 10):
        await it.send({"n": 1, "v": version})
    kept = await it.until_settled(6)

    assert [(each.version, each.state, each.reason) for each in kept] == [
        ("1", "dead", "UnexpectedStatus"),
        ("9", "finished", ""),
        ("10", "finished", ""),
        ("9", "skipped", "StaleVersion"),
        ("11", "finished", ""),
        ("10", "skipped", "StaleVersion"),
    ]
    assert [body["v"] for body in bodies(erp.arrivals)] == [1, 9, 10, 11]


@BOTH
async def test_a_thousand_events_on_fifty_keys_arrive_in_order_per_key(
    carry: Carry, upstream: Start
) -> None:
    chance = random.Random(7)
    at_once: Counter[int] = Counter()
    met: list[int] = []

    everything = asyncio.Event()

    def choose(arrival: Arrival) -> Behave:
        key = json.loads(arrival.body)["key"]
        at_once[key] += 1
        met.append(max(at_once.values()))
        behave = answer({}, when=everything, after=chance.random() * 0.01)

        async def leave(wire: Any) -> bool:
            try:
                return await behave(wire)
            finally:
                at_once[key] -= 1

        return leave

    erp = await upstream(choose)
    it = await carry(
        connector(erp.url, timeout="1h"),  # nothing is answered until everything is accepted
        it_sends(
            message={"key": "{% key %}"},
            delivery={"order": "key", "concurrency": 8, "timeout": "1h"},
        ),
    )

    sent: dict[int, list[int]] = defaultdict(list)
    for number in range(1000):
        key = chance.randrange(50)
        sent[key].append(number)
        await it.send({"key": key, "number": number})
    everything.set()
    kept = await it.until_settled(1000, within=60)

    arrived: dict[int, list[int]] = defaultdict(list)
    for body in bodies(erp.arrivals):
        arrived[body["key"]].append(body["number"])
    assert Counter(each.state for each in kept) == {"finished": 1000}
    assert arrived == sent
    assert max(met) == 1
    assert erp.most_under_way == 8


@BOTH
@pytest.mark.parametrize("on_failure", ["park", "block"])
async def test_a_poisoned_message_holds_back_only_its_own_key(
    carry: Carry, upstream: Start, on_failure: str
) -> None:
    def choose(arrival: Arrival) -> Behave:
        return answer(status=503) if b"poison" in arrival.body else answer({})

    erp = await upstream(choose)
    it = await carry(
        connector(erp.url),
        it_sends(message={"key": "{% key %}"}, delivery={"order": "key", "onFailure": on_failure}),
    )

    await it.send({"key": "a", "poison": 1}, {"key": "a", "n": 2}, {"key": "b", "n": 3})
    count = {"park": 3, "block": 2}[on_failure]
    kept = await it.until_settled(count)

    def is_dead(each: Kept) -> bool:
        return each.state == "dead"

    poisoned, behind, other = kept
    assert is_dead(poisoned)
    assert other.state == "finished"
    assert poisoned.holds is (on_failure == "block")
    assert behind.state == ("finished" if on_failure == "park" else "new")
    # While the poisoned one is tried, nothing of its key goes before it.
    order = [(body["key"], "poison" in body) for body in bodies(erp.arrivals)]
    of_a = [poison for key, poison in order if key == "a"]
    assert of_a == [True] * 4 + [False] * (on_failure == "park")


async def test_concurrency_bounds_what_is_under_way(carry: Carry, upstream: Start) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    it = await carry(connector(erp.url), it_sends(delivery={"concurrency": 3}))

    await it.send(*({"n": n} for n in range(10)))
    await erp.until(lambda erp: erp.under_way == 3)
    status = await it.status()
    gate.set()
    await it.until_settled(10)

    assert erp.most_under_way == 3
    assert status["routes"][0]["inFlight"] == 3


async def test_a_message_goes_on_its_trace(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    it = await carry(connector(erp.url), it_sends())
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    await it.post(
        json={},
        headers={
            "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01",
            "tracestate": "shop=1",
            "x-correlation-id": "order-7",
        },
    )
    (kept,) = await it.until_settled(1)

    call = erp.arrivals[0]
    assert (call.header("traceparent") or "").split("-")[1::2] == [trace_id, "01"]
    assert call.header("tracestate") == "shop=1"
    assert call.header("x-correlation-id") == kept.correlation_id == "order-7"


async def test_what_message_is_in_an_expression(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=503), answer({}))
    steps = "- call: {connector: erp, method: POST, path: /, body: '{% $message %}'}"
    it = await carry(
        connector(erp.url),
        it_sends(steps=steps, message={"key": "{% n %}", "version": "{% v %}"}),
    )
    before = time.time() * 1000 - 1000

    await it.send({"n": 7, "v": "2026-01-01"})
    (kept,) = await it.until_settled(1)

    first, second = bodies(erp.arrivals)
    assert before < first.pop("acceptedAt") < time.time() * 1000 + 1000
    assert first == {
        "id": kept.uid,
        "identity": kept.identity,
        "key": "7",
        "version": "2026-01-01",
        "attempt": 1,
    }
    assert second["attempt"] == 2


async def test_calls_of_one_message_have_keys_of_their_own(carry: Carry, upstream: Start) -> None:
    erp, crm = await upstream(), await upstream()
    it = await carry(
        connector(erp.url, idempotencyKey={"header": "X-Once"}),
        connector(crm.url, name="crm", idempotencyKey={}),
        it_sends(
            steps="""
            - call: {connector: erp, path: /read}
              into: read
            - call: {connector: erp, method: POST, path: /first}
              into: one
            - call: {connector: crm, method: PUT, path: /only}
              into: two
            - split: {items: "{% lines %}", branch: line, concurrency: 1}
            """,
            branches="line: [{name: each, call: {connector: erp, method: POST, path: /line}}]",
            message={"key": "{% n %}"},
        ),
    )

    await it.send({"n": 1, "lines": [1, 2]})
    (kept,) = await it.until_settled(1)

    assert [(each.path, each.header("x-once")) for each in erp.arrivals] == [
        ("/read", None),
        ("/first", kept.identity),
        ("/line", f"{kept.identity}-each.0"),
        ("/line", f"{kept.identity}-each.1"),
    ]
    assert crm.arrivals[0].header("idempotency-key") == kept.identity


async def test_a_route_feeds_others_each_with_its_own_delivery(
    carry: Carry, upstream: Start
) -> None:
    erp, crm = await upstream(answer({})), await upstream(answer(status=503), answer({}))
    it = await carry(
        connector(erp.url),
        connector(crm.url, name="crm"),
        delivering(HOOK, "- map: {expression: \"{'no': n, 'v': 1}\"}", message={"key": "{% n %}"}),
        delivering({"route": {"name": "it"}}, SEND, name="to-erp"),
        delivering(
            {"route": {"name": "it"}},
            "- call: {connector: crm, method: POST, path: /}",
            name="to-crm",
            message={"key": "{% 'c' & no %}", "version": "{% v %}"},
            delivery=QUICK,
        ),
    )

    await it.post(json={"n": 7}, headers={"x-correlation-id": "seven"})
    (fed,) = await it.until_settled(1)
    (to_erp,) = await it.until_settled(1, route="default/to-erp")
    (to_crm,) = await it.until_settled(1, route="default/to-crm")

    assert bodies(erp.arrivals) == [{"no": 7, "v": 1}]
    assert len(crm.arrivals) == 2
    assert (to_erp.key, to_erp.parent, to_erp.correlation_id) == (None, fed.uid, "seven")
    assert (to_crm.key, to_crm.version, to_crm.attempts) == ("c7", "1", 2)
    assert to_erp.identity != to_crm.identity


async def test_a_filtered_message_feeds_nobody(carry: Carry) -> None:
    it = await carry(
        delivering(HOOK, "- filter: '{% false %}'"),
        delivering({"route": {"name": "it"}}, "- filter: '{% true %}'", name="fed"),
    )

    await it.send({})
    await it.until_settled(1)

    assert await it.messages("default/fed") == []
