"""What travels with a request: its deadline, its trace, its correlation id; and what does not."""

import time

import httpx
import pytest
from manifests_text import connector, route
from served import Serve, Start, problem
from upstreams import Arrival, answer, hangs


def milliseconds_from_now(seconds: float) -> str:
    return str(int((time.time() + seconds) * 1000))


def left(arrival: Arrival) -> float:
    """Seconds that a call says are left when the answer is compared with the clock now."""
    return int(arrival.header("x-request-deadline") or "0") / 1000 - time.time()


@pytest.mark.parametrize(
    ("route_timeout", "call_timeout", "given", "least"),
    [
        pytest.param("60s", "10s", None, 10, id="the call's own time"),
        pytest.param("5s", "10s", None, 5, id="what is left of the Route's"),
        pytest.param("60s", "10s", 3, 3, id="what the caller waits"),
        pytest.param("5s", "10s", 3600, 5, id="a caller cannot lengthen it"),
    ],
)
async def test_the_deadline_is_passed_on(
    serve: Serve,
    upstream: Start,
    route_timeout: str,
    call_timeout: str,
    given: float | None,
    least: float,
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url),
        route(f"- call: {{connector: erp}}\n  timeout: {call_timeout}", timeout=route_timeout),
    )
    headers = {"x-request-deadline": milliseconds_from_now(given)} if given else {}

    await served.get(headers=headers)

    assert least - 2 < left(erp.arrivals[0]) <= least + 0.01


async def test_each_call_tells_its_own_deadline(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url), route("- call: {connector: erp}", timeout="60s"))

    for given in (9, 9, 5):
        await served.get(headers={"x-request-deadline": milliseconds_from_now(given)})
        assert given - 2 < left(erp.arrivals[-1]) <= given + 0.01


@pytest.mark.parametrize("value", ["soon", "-5", "1e3", "9" * 40, ""])
async def test_a_deadline_that_is_none_is_passed_over(
    serve: Serve, upstream: Start, value: str
) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url), route("- call: {connector: erp}", timeout="7s"))

    response = await served.get(headers={"x-request-deadline": value})

    assert response.status_code == 200
    assert 5 < left(erp.arrivals[0]) <= 7.01


async def test_a_caller_that_has_stopped_waiting_costs_no_call(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"))

    response = await served.get(headers={"x-request-deadline": milliseconds_from_now(-1)})

    assert problem(response)["type"] == "urn:isthmus:problem:DeadlineExceeded"
    assert response.status_code == 504
    assert erp.arrivals == []


@pytest.mark.parametrize(
    ("route_timeout", "call_timeout", "asked"),
    [
        pytest.param("10s", "100ms", 2, id="after a call's own time the Route goes on"),
        pytest.param("150ms", "10s", 1, id="after the Route's no call begins"),
    ],
)
async def test_a_fall_back_after_a_time_out(
    serve: Serve, upstream: Start, route_timeout: str, call_timeout: str, asked: int
) -> None:
    erp = await upstream(hangs(), answer("second"))
    served = await serve(
        connector(erp.url),
        route(
            f"""
            - call: {{connector: erp}}
              timeout: {call_timeout}
              onError: {{use: first}}
            - call: {{connector: erp}}
            """,
            timeout=route_timeout,
        ),
    )

    response = await served.get()

    assert len(erp.arrivals) == asked
    assert response.status_code == (200 if asked == 2 else 504)


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BAD_PARENTS = {
    "no hex": PARENT.replace("4bf9", "4bG9"),
    "upper case": PARENT.upper(),
    "only zeros": PARENT.replace(TRACE, "0" * 32),
    "no parent": PARENT.replace("00f067aa0ba902b7", "0" * 16),
    "version ff": PARENT.replace("00-", "ff-", 1),
    "too long for version 00": PARENT + "-more",
    "half": PARENT[:40],
    "empty": "",
}


async def passed_on(
    serve: Serve, upstream: Start, headers: list[tuple[str, str]]
) -> tuple[Arrival, httpx.Response]:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"))
    response = await served.get(headers=headers)
    return erp.arrivals[0], response


async def test_a_trace_is_taken_and_passed_on(serve: Serve, upstream: Start) -> None:
    given = [("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]

    arrival, response = await passed_on(serve, upstream, given)

    version, trace_id, parent, flags = (arrival.header("traceparent") or "").split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert len(parent) == 16
    assert parent not in PARENT
    assert arrival.header("tracestate") == "a=1,b=2"
    assert arrival.header("x-correlation-id") == TRACE == response.headers["x-correlation-id"]


async def test_a_trace_begins_where_there_is_none(serve: Serve, upstream: Start) -> None:
    arrival, response = await passed_on(serve, upstream, [])

    _, trace_id, _, _ = (arrival.header("traceparent") or "").split("-")
    assert len(trace_id) == 32
    assert response.headers["x-correlation-id"] == trace_id


@pytest.mark.parametrize("given", BAD_PARENTS.values(), ids=BAD_PARENTS.keys())
async def test_an_unsound_trace_is_replaced_and_its_state_dropped(
    serve: Serve, upstream: Start, given: str
) -> None:
    arrival, _ = await passed_on(serve, upstream, [("traceparent", given), ("tracestate", "a=1")])

    assert TRACE not in (arrival.header("traceparent") or "")
    assert arrival.header("tracestate") is None


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("order-4711/a:b", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("", False)],
    ids=["usual", "long", "too long", "with a blank", "empty"],
)
async def test_a_correlation_id_is_taken_or_replaced(
    serve: Serve, upstream: Start, given: str, is_taken: bool
) -> None:
    arrival, response = await passed_on(
        serve, upstream, [("x-correlation-id", given), ("traceparent", PARENT)]
    )

    expected = given if is_taken else TRACE
    assert arrival.header("x-correlation-id") == expected == response.headers["x-correlation-id"]


async def test_no_header_of_the_caller_or_the_system_is_passed_on_by_itself(
    serve: Serve, upstream: Start
) -> None:
    hop_by_hop = ("connection: x-private", "x-private: 1", "keep-alive: timeout=5", "set-cookie: a")
    erp = await upstream(answer({}, headers=hop_by_hop))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"))

    response = await served.get(
        headers={"te": "trailers", "proxy-authorization": "canary", "cookie": "c", "x-other": "1"}
    )

    sent = {name for name, _ in erp.arrivals[0].headers}
    assert sent == {
        "host",
        "accept-encoding",
        "traceparent",
        "x-correlation-id",
        "x-request-deadline",
    }
    assert not {"x-private", "keep-alive", "set-cookie"} & set(response.headers)
