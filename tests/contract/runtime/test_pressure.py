"""How hard a system is leaned on: attempts, the rate limit, the pool."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from manifests_text import connector, route
from served import Serve, Start, problem
from upstreams import Behave, Upstream, answer, resets, says

RETRY = {"attempts": 3, "backoff": {"initial": "10ms", "max": "20ms"}}


REPEATED: list[Any] = [
    *(pytest.param("GET", "", answer(status=s), 3, id=f"GET, {s}") for s in (408, 429, 503)),
    *(pytest.param("PUT", "", answer(status=s), 3, id=f"PUT, {s}") for s in (502, 504)),
    *(pytest.param("GET", "", answer(status=s), 1, id=f"GET, {s}") for s in (400, 401, 404, 500)),
    pytest.param("GET", "", resets(), 3, id="GET, reset"),
    pytest.param("DELETE", "", says(b""), 3, id="DELETE, closed"),
    pytest.param("GET", "", says(b"no HTTP\r\n\r\n"), 1, id="GET, no HTTP"),
    pytest.param("POST", "", answer(status=503), 1, id="POST, 503"),
    pytest.param("POST", "", resets(), 1, id="POST, reset"),
    pytest.param("PATCH", "", answer(status=429), 1, id="PATCH, 429"),
    pytest.param("POST", "idempotent: true", answer(status=503), 3, id="idempotent POST, 503"),
    pytest.param("POST", "idempotent: true", resets(), 3, id="idempotent POST, reset"),
]


@pytest.mark.parametrize(("method", "more", "behaviour", "attempts"), REPEATED)
async def test_what_is_repeated_and_what_is_not(
    serve: Serve, upstream: Start, method: str, more: str, behaviour: Behave, attempts: int
) -> None:
    erp = await upstream(behaviour)
    served = await serve(
        connector(erp.url, retry=RETRY),
        route(f"- call: {{connector: erp, method: {method}, body: [1], {more}}}"),
    )

    response = await served.get()

    assert response.status_code == 502
    assert len(erp.arrivals) == attempts
    assert {arrival.body for arrival in erp.arrivals} == {b"[1]"}


async def test_a_post_that_was_not_sent_is_repeated(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer("there"))
    await erp.stop()
    served = await serve(
        connector(erp.url, retry={"attempts": 10, "backoff": {"initial": "50ms", "max": "50ms"}}),
        route("- call: {connector: erp, method: POST}"),
    )

    asking = asyncio.create_task(served.get())
    await until_metric(served.metrics, 'isthmus_connector_retries_total{connector="erp"', 1)
    await erp.start()

    assert (await asking).json() == "there"
    assert len(erp.arrivals) == 1


async def until_metric(read: Callable[[], Any], start: str, least: float) -> None:
    async with asyncio.timeout(10):
        while True:
            text = await read()
            lines = [line for line in text.splitlines() if line.startswith(start)]
            if any(float(line.rsplit(" ", 1)[1]) >= least for line in lines):
                return


async def test_a_retry_that_succeeds_is_not_seen_by_the_caller(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer(status=503), resets(), answer("third"))
    served = await serve(connector(erp.url, retry=RETRY), route("- call: {connector: erp}"))

    assert (await served.get()).json() == "third"


async def test_retry_after_is_honoured_where_it_fits(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=429, headers=("retry-after: 1",)), answer("second"))
    served = await serve(connector(erp.url, retry=RETRY), route("- call: {connector: erp}"))

    assert (await served.get()).json() == "second"
    assert erp.arrivals[1].at - erp.arrivals[0].at >= 0.98


async def test_a_retry_that_would_be_too_late_is_not_made(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=503, headers=("retry-after: 60",)))
    served = await serve(connector(erp.url, retry=RETRY), route("- call: {connector: erp}"))

    response = await served.get()

    assert problem(response)["detail"] == "erp answered 503"
    assert len(erp.arrivals) == 1


def assert_no_window_holds_more_than_five(erp: Upstream) -> None:
    """Of 400 ms, less what the sockets bring together; that is not ours."""
    times = [arrival.at for arrival in erp.arrivals]
    assert len(times) == 17
    for first, sixth in zip(times, times[5:], strict=False):
        assert sixth - first > 0.3


LIMIT = {"requests": 5, "per": "400ms"}


async def test_no_window_holds_more_calls_than_the_rate_limit(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url, rateLimit=LIMIT), route("- call: {connector: erp}"))

    answered = await asyncio.gather(*(served.get() for _ in range(17)))

    assert {response.status_code for response in answered} == {200}
    assert_no_window_holds_more_than_five(erp)


async def test_calls_that_a_slow_system_held_up_do_not_reach_it_in_one_burst(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate), answer({}, when=gate), answer({}))
    served = await serve(
        connector(erp.url, rateLimit=LIMIT, maxConnections=2), route("- call: {connector: erp}")
    )

    asking = [asyncio.create_task(served.get()) for _ in range(17)]
    await asyncio.sleep(1.0)  # three windows: the limit alone would have let 15 calls go
    assert len(erp.arrivals) == 2
    gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {200}
    assert_no_window_holds_more_than_five(erp)


async def test_calls_pass_the_rate_limit_in_the_order_they_came(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, rateLimit={"requests": 1, "per": "60ms"}),
        route(
            "- split: {branch: one, concurrency: 6}",
            branches='one: [{call: {connector: erp, path: "/{% $ %}"}}]',
            method="POST",
        ),
    )

    await served.post(json=list(range(6)))

    assert [arrival.path for arrival in erp.arrivals] == [f"/{n}" for n in range(6)]


async def test_a_call_that_the_rate_limit_would_make_late_fails_at_once(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, rateLimit={"requests": 1, "per": "1h"}),
        route("- call: {connector: erp}"),
    )

    first, second = await served.get(), await served.get()

    assert first.status_code == 200
    assert second.status_code == 503
    assert second.json()["type"] == "urn:isthmus:problem:RateLimited"
    assert second.json()["connector"] == "erp"
    assert len(erp.arrivals) == 1


PAUSES: list[Any] = [
    pytest.param(answer(status=429, headers=("retry-after: 60",)), id="too many"),
    pytest.param(answer(status=503, headers=("retry-after: 60",)), id="away"),
    pytest.param(answer({}, headers=('ratelimit: "default";r=0;t=60',)), id="none remain"),
    pytest.param(
        answer({}, headers=("x-ratelimit-remaining: 0", "x-ratelimit-reset: 60")), id="with X"
    ),
]


@pytest.mark.parametrize("asks", PAUSES)
async def test_no_call_is_made_while_the_system_wants_none(
    serve: Serve, upstream: Start, asks: Behave
) -> None:
    erp = await upstream(asks)
    served = await serve(
        connector(erp.url, rateLimit={"requests": 1000}), route("- call: {connector: erp}")
    )

    await served.get()
    second = await served.get()

    assert second.status_code == 503
    assert second.json()["type"] == "urn:isthmus:problem:RateLimited"
    assert len(erp.arrivals) == 1
    await until_metric(served.metrics, 'isthmus_connector_pauses_total{connector="erp"', 1)
    await until_metric(served.metrics, 'isthmus_connector_paused_seconds{connector="erp"', 10)


@pytest.mark.parametrize("limit", [None, {"requests": 1000, "learn": False}], ids=["none", "deaf"])
async def test_a_connector_that_learns_nothing_calls_on(
    serve: Serve, upstream: Start, limit: dict[str, Any] | None
) -> None:
    erp = await upstream(answer(status=429, headers=("retry-after: 60",)))
    served = await serve(connector(erp.url, rateLimit=limit), route("- call: {connector: erp}"))

    answered = [await served.get() for _ in range(2)]

    assert [response.status_code for response in answered] == [502, 502]
    assert len(erp.arrivals) == 2


async def test_a_pause_ends_and_a_call_that_has_time_waits_for_that(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}, headers=("ratelimit-remaining: 0", "ratelimit-reset: 0.4")))
    served = await serve(
        connector(erp.url, rateLimit={"concurrency": 64}), route("- call: {connector: erp}")
    )

    answered = [await served.get() for _ in range(2)]

    assert [response.status_code for response in answered] == [200, 200]
    assert erp.arrivals[1].at - erp.arrivals[0].at >= 0.39
    waits = 'isthmus_connector_rate_limit_wait_seconds_sum{connector="erp"'
    await until_metric(served.metrics, waits, 0.2)


async def test_calls_that_wait_are_bounded_and_seen(serve: Serve, upstream: Start) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    served = await serve(
        connector(erp.url, rateLimit={"concurrency": 1, "maxWaiting": 3}),
        route("- call: {connector: erp}"),
    )

    asking = [asyncio.create_task(served.get())]
    await erp.until(lambda erp: erp.under_way == 1)
    asking += [asyncio.create_task(served.get()) for _ in range(3)]
    waiting = 'isthmus_connector_rate_limit_waiting{connector="erp",namespace="default"}'
    await until_metric(served.metrics, waiting, 3)
    refused = await served.get()
    gate.set()
    answered = await asyncio.gather(*asking)

    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:isthmus:problem:RateLimited"
    assert {response.status_code for response in answered} == {200}


async def test_there_are_never_more_connections_than_the_connector_allows(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    served = await serve(connector(erp.url, maxConnections=3), route("- call: {connector: erp}"))

    asking = [asyncio.create_task(served.get()) for _ in range(20)]
    await erp.until(lambda erp: erp.under_way == 3)
    waits = 'isthmus_connector_connections{connector="erp",namespace="default",state="waiting"}'
    await until_metric(served.metrics, waits, 17)
    gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {200}
    assert erp.most_open == 3
