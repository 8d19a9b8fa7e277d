"""A cache that heeds what answers say: what is kept, what is asked for again, what is used old."""

import asyncio
import itertools
from collections import Counter
from typing import Any

import pytest
from manifests_text import connector, route
from served import Serve, Served, Start
from upstreams import Arrival, Behave, Choose, answer, hangs

CALL = '- call: {connector: erp, path: /x, query: {sku: "{% $request.query.sku %}"}}'


async def cached(serve: Serve, url: str, *, call: str = CALL, **http: Any) -> Served:
    steps = f"{call}\n  cache: {{mode: http, ttl: 0s}}"
    return await serve(connector(url, **http), route(steps, name="cached"))


def counting(*fields: str) -> Choose:
    """Answer each request with its number, from 1."""
    numbers = itertools.count(1)
    return lambda arrival: answer(next(numbers), headers=fields)


def marked(mark: str, value: Any, *fields: str) -> Choose:
    """Answer a value that has a mark, or 304 to who has it."""

    def choose(arrival: Arrival) -> Behave:
        told = (f"etag: {mark}", *fields)
        if arrival.header("if-none-match") == mark:
            return answer(status=304, body=b"", content_type=None, headers=told)
        return answer(value, headers=told)

    return choose


async def values(served: Served, number: int) -> list[Any]:
    return [(await served.get()).json() for _ in range(number)]


async def outcomes(served: Served) -> Counter[str]:
    """How often each outcome was counted."""
    found: Counter[str] = Counter()
    for line in (await served.metrics()).splitlines():
        if line.startswith("isthmus_cache_requests_total") and 'route="cached"' in line:
            result = line.partition('result="')[2].partition('"')[0]
            found[result] = int(float(line.rpartition(" ")[2]))
    return found


async def gained(served: Served, before: Counter[str]) -> Counter[str]:
    return await outcomes(served) - before


async def test_an_answer_is_used_as_long_as_it_says(serve: Serve, upstream: Start) -> None:
    erp = await upstream(counting("cache-control: max-age=3600"))
    served = await cached(serve, erp.url)

    assert await values(served, 3) == [1, 1, 1]
    assert len(erp.arrivals) == 1


@pytest.mark.parametrize(
    "said",
    [
        "cache-control: max-age=3600, no-store",
        "cache-control: max-age=3600, private",
        "cache-control: max-age=3600\r\nage: 3600",
        "cache-control: no-cache",
        "expires: 0",
        "vary: *\r\ncache-control: max-age=3600",
        "x-nothing: said",
    ],
)
async def test_an_answer_is_not_used_again(serve: Serve, upstream: Start, said: str) -> None:
    erp = await upstream(counting(said))
    served = await cached(serve, erp.url)

    assert await values(served, 3) == [1, 2, 3]


async def test_an_answer_that_says_nothing_is_used_for_the_ttl(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(counting())
    served = await serve(connector(erp.url), route(f"{CALL}\n  cache: {{mode: http, ttl: 1h}}"))

    assert await values(served, 3) == [1, 1, 1]


async def test_an_old_answer_is_asked_for_by_its_mark_and_used_when_it_is_confirmed(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(marked('"v1"', "one", "cache-control: no-cache"))
    served = await cached(serve, erp.url)
    before = await outcomes(served)

    assert await values(served, 3) == ["one"] * 3
    assert [each.header("if-none-match") for each in erp.arrivals] == [None, '"v1"', '"v1"']
    assert await gained(served, before) == {"miss": 1, "revalidated": 2}

    erp.choose = marked('"v2"', "two", "cache-control: no-cache")
    assert await values(served, 2) == ["two"] * 2
    assert [each.header("if-none-match") for each in erp.arrivals[3:]] == ['"v1"', '"v2"']


async def test_an_answer_without_an_etag_is_asked_for_by_its_date(
    serve: Serve, upstream: Start
) -> None:
    date = "Wed, 25 Nov 2026 12:00:00 GMT"
    erp = await upstream(
        answer("one", headers=(f"last-modified: {date}", "cache-control: max-age=0")),
        answer(status=304, body=b"", content_type=None),
    )
    served = await cached(serve, erp.url)

    assert await values(served, 2) == ["one", "one"]
    assert erp.arrivals[1].header("if-modified-since") == date


async def test_a_confirmation_can_make_an_answer_fresh_again(serve: Serve, upstream: Start) -> None:
    erp = await upstream(
        answer("one", headers=('etag: "a"', "cache-control: max-age=0")),
        answer(status=304, body=b"", content_type=None, headers=("cache-control: max-age=3600",)),
        answer("two"),
    )
    served = await cached(serve, erp.url)

    assert await values(served, 4) == ["one"] * 4
    assert len(erp.arrivals) == 2


async def test_a_304_that_nobody_asked_for_is_a_failure(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=304, body=b"", content_type=None))
    served = await cached(serve, erp.url)

    response = await served.get()

    assert (response.status_code, response.json()["detail"]) == (502, "erp answered 304")


async def test_a_step_that_asks_by_a_mark_of_its_own_gets_the_answer_to_that(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(marked('"v1"', "one", "cache-control: no-cache"))
    call = """- call: {connector: erp, headers: {if-none-match: '{% $request.query.mark %}'}}"""
    served = await cached(serve, erp.url, call=call)

    first = await served.get(params={"mark": '"v0"'})
    asked = await served.get(params={"mark": '"v1"'})

    assert first.json() == "one"
    assert asked.json()["detail"] == "erp answered 304"
    assert [each.header("if-none-match") for each in erp.arrivals] == ['"v0"', '"v1"']


async def test_a_stale_answer_is_used_while_a_new_one_is_fetched(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    said = ("cache-control: max-age=0, stale-while-revalidate=3600",)
    erp = await upstream(answer("one", headers=said), answer("two", headers=said, when=gate))
    served = await cached(serve, erp.url)
    before = await outcomes(served)

    assert await values(served, 4) == ["one"] * 4
    assert len(erp.arrivals) == 2  # one is fetched, not three
    gate.set()
    async with asyncio.timeout(10):
        while await values(served, 1) == ["one"]:
            pass

    counted = await gained(served, before)
    assert (counted["miss"], set(counted)) == (1, {"miss", "stale"})


FAILURES = {
    "500": answer(status=500),
    "503": answer(status=503),
    "no answer": hangs(),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_stale_answer_is_used_when_the_system_fails_if_it_says_so(
    serve: Serve, upstream: Start, failure: Behave
) -> None:
    said = ("cache-control: max-age=0, stale-if-error=3600",)
    erp = await upstream(answer("one", headers=said), failure)
    served = await cached(serve, erp.url, timeout="500ms")
    before = await outcomes(served)

    assert await values(served, 3) == ["one"] * 3
    assert len(erp.arrivals) > 1
    assert await gained(served, before) == {"miss": 1, "stale": 2}


async def test_a_stale_answer_is_used_while_the_circuit_is_open(
    serve: Serve, upstream: Start
) -> None:
    said = ("cache-control: max-age=0, stale-if-error=3600",)
    erp = await upstream(answer("one", headers=said), answer(status=503))
    breaker = {"calls": 2, "minCalls": 2, "pause": "1h", "maxPause": "1h"}
    served = await cached(serve, erp.url, circuitBreaker=breaker)

    assert await values(served, 5) == ["one"] * 5
    assert len(erp.arrivals) == 2


@pytest.mark.parametrize("status", [404, 410, 403])
async def test_a_stale_answer_is_not_used_when_the_system_refuses(
    serve: Serve, upstream: Start, status: int
) -> None:
    said = ("cache-control: max-age=0, stale-if-error=3600",)
    erp = await upstream(answer("one", headers=said), answer(status=status))
    served = await cached(serve, erp.url)

    responses = [await served.get() for _ in range(2)]

    assert [each.status_code for each in responses] == [200, 502]


async def test_an_answer_must_not_be_used_old_unless_it_says_so(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(
        answer("one", headers=("cache-control: max-age=0", 'etag: "a"')), answer(status=503)
    )
    served = await cached(serve, erp.url)

    assert [(await served.get()).status_code for _ in range(2)] == [200, 502]


async def test_what_one_caller_may_see_is_not_shown_to_another(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(counting("cache-control: max-age=3600", "vary: authorization"))
    call = "- call: {connector: erp, headers: {authorization: '{% $request.headers.a %}'}}"
    served = await cached(serve, erp.url, call=call)

    got = [(await served.get(headers={"a": who})).json() for who in ("ann", "bob", "ann")]

    assert got == [1, 2, 1]


async def test_those_who_ask_at_once_ask_for_an_old_answer_once(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(
        answer("one", headers=('etag: "a"', "cache-control: no-cache")),
        answer(status=304, body=b"", content_type=None, when=gate),
    )
    served = await cached(serve, erp.url)
    await served.get()

    asking = [asyncio.create_task(served.get()) for _ in range(20)]
    line = 'isthmus_route_in_flight_requests{namespace="default",route="cached"} 20.0'
    async with asyncio.timeout(10):
        while line not in await served.metrics():
            pass
    gate.set()

    assert {response.json() for response in await asyncio.gather(*asking)} == {"one"}
    assert len(erp.arrivals) == 2
