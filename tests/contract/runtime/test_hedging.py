"""Reads that are slow are made a second time; the first answer is used."""

import asyncio
from typing import Any

import pytest
from manifests_text import connector, route
from served import Serve, Served, Start, problem
from upstreams import Arrival, answer, hangs, resets

CALL = "- call: {connector: hedged}"
SOON = {"after": "20ms"}
ALL = {"after": "20ms", "budget": 100}


async def hedging(serve: Serve, url: str, *, steps: str = CALL, **http: Any) -> Served:
    fields = {"hedge": SOON, "timeout": "10s", **http}
    return await serve(connector(url, name="hedged", **fields), route(steps, method="GET"))


async def results(served: Served) -> dict[str, int]:
    """How often each result was counted."""
    found: dict[str, int] = {}
    for line in (await served.metrics()).splitlines():
        if line.startswith("isthmus_connector_hedges_total"):
            result = line.partition('result="')[2].partition('"')[0]
            found[result] = int(float(line.rpartition(" ")[2]))
    return found


async def gained(served: Served, before: dict[str, int]) -> dict[str, int]:
    """What was counted since."""
    now = await results(served)
    return {key: more for key in now if (more := now[key] - before.get(key, 0))}


def deaf_to_the_first() -> Any:
    """What answers all requests but the first."""
    seen: list[Arrival] = []

    def choose(arrival: Arrival) -> Any:
        seen.append(arrival)
        return hangs() if len(seen) == 1 else answer("second")

    return choose


async def test_a_read_that_hangs_is_answered_by_its_second_attempt(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(deaf_to_the_first())
    served = await hedging(serve, erp.url)
    before = await results(served)

    assert (await served.get()).json() == "second"

    assert await gained(served, before) == {"won": 1}
    await erp.until(lambda erp: erp.open == 1)  # the first one was broken off
    assert len(erp.arrivals) == 2


async def test_the_first_attempt_may_still_be_the_one_that_is_answered(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("first", when=gate), hangs())
    served = await hedging(serve, erp.url)
    before = await results(served)

    asking = asyncio.create_task(served.get())
    await erp.until(lambda erp: len(erp.arrivals) == 2)
    gate.set()

    assert (await asking).json() == "first"
    assert await gained(served, before) == {"lost": 1}


async def test_a_read_that_is_quick_is_made_once(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer({}))
    served = await hedging(serve, erp.url, hedge={"after": "1h"}, timeout="2h")

    for _ in range(20):
        await served.get()

    assert len(erp.arrivals) == 20


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_changes_something_is_made_once(
    serve: Serve, upstream: Start, method: str
) -> None:
    erp = await upstream(answer({}, after=0.1))
    steps = f"- call: {{connector: hedged, method: {method}}}"
    served = await hedging(serve, erp.url, steps=steps)

    await served.get()

    assert len(erp.arrivals) == 1


async def test_a_system_that_is_slow_as_a_whole_gets_a_tenth_more_calls(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}, after=0.06))
    served = await hedging(serve, erp.url)

    await asyncio.gather(*(served.get() for _ in range(50)))

    assert 50 < len(erp.arrivals) <= 56


async def test_a_second_attempt_takes_a_turn_and_is_not_made_where_none_is_free(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}, after=0.2))
    limit = {"requests": 3, "per": "1h"}
    served = await hedging(serve, erp.url, hedge=ALL, rateLimit=limit, timeout="1s")
    before = await results(served)

    assert [(await served.get()).status_code for _ in range(2)] == [200, 200]

    assert len(erp.arrivals) == 3
    assert await gained(served, before) == {"lost": 1, "refused": 1}
    assert (await served.get()).json()["type"] == "urn:isthmus:problem:RateLimited"


async def test_a_failure_of_one_attempt_leaves_the_other_its_chance(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("first", when=gate), resets())
    served = await hedging(serve, erp.url)

    asking = asyncio.create_task(served.get())
    await erp.until(lambda erp: len(erp.arrivals) == 2 and erp.open == 1)
    gate.set()

    assert (await asking).json() == "first"


async def test_where_both_fail_the_failure_of_the_first_is_told(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(hangs(), answer(status=503))
    served = await hedging(serve, erp.url, timeout="1s")

    assert problem(await served.get())["type"] == "urn:isthmus:problem:Timeout"
    assert len(erp.arrivals) == 2


async def test_a_404_is_an_answer(serve: Serve, upstream: Start) -> None:
    erp = await upstream(hangs(), answer(status=404))
    served = await hedging(serve, erp.url)

    assert problem(await served.get())["detail"] == "hedged answered 404"


async def test_a_second_attempt_is_made_once_however_often_the_call_is_retried(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer(status=503, after=0.05))
    retry = {"attempts": 3, "backoff": {"initial": "1ms", "max": "1ms"}}
    served = await hedging(serve, erp.url, hedge=ALL, retry=retry)

    assert (await served.get()).status_code == 502
    assert len(erp.arrivals) == 4


async def test_nothing_is_left_of_a_call_whose_time_is_over(serve: Serve, upstream: Start) -> None:
    erp = await upstream(hangs())
    served = await hedging(serve, erp.url, timeout="1s")

    await served.get()

    assert len(erp.arrivals) == 2
    await erp.until(lambda erp: erp.open == 0)
