"""The cache of a call: what is kept, for how long, and who waits for whom."""

import asyncio
import itertools
import time

import pytest
from manifests_text import connector, route
from served import Serve, Served, Start
from upstreams import Arrival, Behave, Choose, answer, hangs

BY_QUERY = """- call: {connector: erp, path: "/x", query: {sku: "{% $request.query.sku %}"}}"""


def counting() -> Choose:
    """Answer each request with its number, from 1."""
    numbers = itertools.count(1)
    return lambda arrival: answer(next(numbers))


async def cached(serve: Serve, url: str, policy: str, *, call: str = BY_QUERY) -> Served:
    return await serve(connector(url), route(f"{call}\n  cache: {{{policy}}}"))


async def test_an_answer_is_used_until_its_time_is_over(serve: Serve, upstream: Start) -> None:
    erp = await upstream(counting())
    served = await cached(serve, erp.url, "ttl: 300ms")

    assert [(await served.get()).json() for _ in range(3)] == [1, 1, 1]
    async with asyncio.timeout(5):
        while (await served.get()).json() == 1:
            pass

    assert len(erp.arrivals) == 2
    assert erp.arrivals[1].at - erp.arrivals[0].at >= 0.29


async def test_without_a_key_the_address_tells_answers_apart(serve: Serve, upstream: Start) -> None:
    erp = await upstream(counting())
    served = await cached(serve, erp.url, "ttl: 1h")

    got = [(await served.get(params={"sku": n})).json() for n in (1, 2, 1, 2)]

    assert got == [1, 2, 1, 2]


async def test_without_a_key_the_body_tells_answers_apart(serve: Serve, upstream: Start) -> None:
    erp = await upstream(counting())
    call = "- call: {connector: erp, method: POST, body: '{% $request.query.sku %}'}"
    served = await cached(serve, erp.url, "ttl: 1h", call=call)

    assert [(await served.get(params={"sku": n})).json() for n in (1, 2, 1)] == [1, 2, 1]


async def test_without_a_key_what_one_caller_may_see_is_not_shown_to_another(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(counting())
    call = "- call: {connector: erp, headers: {authorization: '{% $request.headers.a %}'}}"
    served = await cached(serve, erp.url, "ttl: 1h", call=call)

    got = [(await served.get(headers={"a": who})).json() for who in ("ann", "bob", "ann")]

    assert got == [1, 2, 1]


async def test_a_key_alone_tells_answers_apart(serve: Serve, upstream: Start) -> None:
    erp = await upstream(counting())
    served = await cached(serve, erp.url, 'ttl: 1h, key: "{% $request.query.k %}"')

    got = [(await served.get(params={"sku": n, "k": n % 2})).json() for n in range(4)]

    assert got == [1, 2, 1, 2]


async def test_the_one_unused_for_longest_goes_first(serve: Serve, upstream: Start) -> None:
    erp = await upstream(counting())
    served = await cached(serve, erp.url, "ttl: 1h, maxEntries: 2")

    got = [(await served.get(params={"sku": n})).json() for n in "abacab"]

    assert got == [1, 2, 1, 3, 1, 4]


async def test_no_more_bytes_are_kept_than_allowed(serve: Serve, upstream: Start) -> None:
    sizes = {"a": 900, "b": 900, "c": 900, "big": 5000}

    def sized(arrival: Arrival) -> Behave:
        return answer("x" * sizes[arrival.query["sku"][0]])

    erp = await upstream(sized)
    served = await cached(serve, erp.url, 'ttl: 1h, maxSize: 2k, key: "{% $request.query.sku %}"')

    for name in ("a", "b", "a", "c", "a", "b", "big", "big", "a"):
        assert len((await served.get(params={"sku": name})).json()) == sizes[name]

    asked = [arrival.query["sku"][0] for arrival in erp.arrivals]
    assert asked == ["a", "b", "c", "b", "big", "big"]


async def test_fifty_who_ask_at_once_make_one_call(serve: Serve, upstream: Start) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("one", when=gate))
    served = await cached(serve, erp.url, "ttl: 1h")

    asking = [asyncio.create_task(served.get()) for _ in range(50)]
    await until_under_way(served, 50)
    gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.text for response in answered} == {'"one"'}
    assert len(erp.arrivals) == 1
    assert (await served.get()).text == '"one"'


async def until_under_way(served: Served, number: int) -> None:
    line = f'isthmus_route_in_flight_requests{{namespace="default",route="it"}} {number}.0'
    async with asyncio.timeout(10):
        while line not in await served.metrics():
            pass


async def test_a_failure_is_shared_and_not_kept(serve: Serve, upstream: Start) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer(status=500, when=gate), answer("well"))
    served = await cached(serve, erp.url, "ttl: 1h")

    asking = [asyncio.create_task(served.get()) for _ in range(10)]
    await until_under_way(served, 10)
    gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {502}
    assert {response.json()["detail"] for response in answered} == {"erp answered 500"}
    assert (await served.get()).json() == "well"
    assert len(erp.arrivals) == 2


@pytest.mark.parametrize("impatient_first", [True, False], ids=["the leader", "a follower"])
async def test_who_stops_waiting_does_not_end_the_call_for_the_others(
    serve: Serve, upstream: Start, impatient_first: bool
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("late", when=gate))
    served = await cached(serve, erp.url, "ttl: 1h")

    async def impatient() -> int:
        soon = str(int((time.time() + 0.15) * 1000))
        return (await served.get(headers={"x-request-deadline": soon})).status_code

    async def patient() -> object:
        return (await served.get()).json()

    if impatient_first:
        gone = asyncio.create_task(impatient())
        await erp.until(lambda erp: len(erp.arrivals) == 1)
        stayed = asyncio.create_task(patient())
    else:
        stayed = asyncio.create_task(patient())
        await erp.until(lambda erp: len(erp.arrivals) == 1)
        gone = asyncio.create_task(impatient())
    assert await gone == 504
    gate.set()

    assert await stayed == "late"
    assert len(erp.arrivals) == 1


async def test_a_cached_call_has_its_own_time_out(serve: Serve, upstream: Start) -> None:
    erp = await upstream(hangs())
    served = await serve(
        connector(erp.url, timeout="100ms"), route(f"{BY_QUERY}\n  cache: {{ttl: 1h}}")
    )

    response = await served.get()

    assert response.status_code == 504
    assert response.json()["detail"].startswith("erp did not answer in time")


async def test_the_outcome_of_every_look_up_is_counted(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url),
        route("- {name: counted-once, call: {connector: erp}, cache: {ttl: 1h}}", name="counted"),
    )

    for _ in range(4):
        await served.get()

    prefix = 'isthmus_cache_requests_total{namespace="default",result="%s",route="counted",'
    text = await served.metrics()
    assert (prefix % "hit") + 'step="counted-once"} 3.0' in text
    assert (prefix % "miss") + 'step="counted-once"} 1.0' in text
