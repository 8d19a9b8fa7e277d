"""Systems that misbehave: which problem document the caller gets, and that others are served."""

import asyncio
import gzip
import json
import os
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import (
    Arrival,
    Behave,
    Flood,
    UnreachablePort,
    answer,
    hangs,
    head,
    resets,
    says,
    unused_port,
)

READS = """
- call: {connector: erp}
  into: got
- map: {expression: "$got"}
"""


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, its correlation id checked and left out."""
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.pop("correlationId") == response.headers["x-correlation-id"]
    assert document["status"] == response.status_code
    assert "Traceback" not in response.text
    assert "127.0.0.1" not in response.text
    return document


def failed(status: int, reason: str, detail: str) -> dict[str, Any]:
    title = {
        502: "A system behind this Route failed",
        504: "A system behind this Route did not answer in time",
    }
    return {
        "type": f"urn:isthmus:problem:{reason}",
        "title": title[status],
        "status": status,
        "detail": detail,
        "route": "default/it",
        "step": "call-0",
        "connector": "erp",
    }


LATE = failed(504, "Timeout", "erp did not answer in time (while waiting for its answer)")
HALF = failed(502, "ConnectionBroken", "erp closed the connection before its answer was whole")
LENGTH = "content-length: 10"
JSON = "content-type: application/json"


def status(code: int) -> dict[str, Any]:
    return failed(502, "UnexpectedStatus", f"erp answered {code}")


def unfit(detail: str) -> dict[str, Any]:
    return failed(502, "InvalidAnswer", f"erp answered {detail}")


FAULTS: list[Any] = [
    pytest.param(answer(status=500), status(500), id="500"),
    pytest.param(answer(status=429), status(429), id="429"),
    pytest.param(answer(status=404), status(404), id="404"),
    pytest.param(answer(status=301, headers=("location: /x",)), status(301), id="a redirect"),
    pytest.param(answer(status=999), status(999), id="a status that is none"),
    pytest.param(hangs(), LATE, id="no first byte"),
    pytest.param(hangs(head(200, LENGTH, JSON) + b"[1,"), LATE, id="a pause in the body"),
    pytest.param(says(head(200, LENGTH, JSON) + b"[1,"), HALF, id="half a body"),
    pytest.param(says(head(200, "transfer-encoding: chunked") + b"3\r\n[1,"), HALF, id="a chunk"),
    pytest.param(says(b""), HALF, id="closed without a word"),
    pytest.param(resets(), HALF, id="reset"),
    pytest.param(
        answer(body=b"<html>", content_type="text/html; charset=utf-8"),
        unfit("text/html where JSON is needed"),
        id="HTML with 200",
    ),
    pytest.param(
        answer(body=b"[1,", content_type="application/json"),
        unfit("a body that is no JSON: unexpected end of data (line 1, column 4)"),
        id="invalid JSON",
    ),
    pytest.param(
        answer(body=b"{}" * 50, headers=("content-encoding: gzip",)),
        unfit(
            "what cannot be read: the body does not decode: Error -3 while decompressing data: "
            "incorrect header check"
        ),
        id="invalid gzip",
    ),
    pytest.param(
        answer(body=gzip.compress(b"[1]" * 500)[:-9], headers=("content-encoding: gzip",)),
        unfit("what cannot be read: the body does not decode: the compressed body ends too early"),
        id="half a gzip",
    ),
    pytest.param(
        answer(body=gzip.compress(b" " * 200_000), headers=("content-encoding: gzip",)),
        failed(502, "ResponseTooLarge", "erp answered more than 65536 bytes"),
        id="a gzip bomb",
    ),
    pytest.param(
        answer(body=b" " * 65_537),
        failed(502, "ResponseTooLarge", "erp answered more than 65536 bytes"),
        id="a byte too much",
    ),
]


@pytest.mark.parametrize(("behaviour", "expected"), FAULTS)
async def test_a_fault_becomes_a_problem_document_and_others_are_served_meanwhile(
    serve: Serve, upstream: Start, behaviour: Behave, expected: dict[str, Any]
) -> None:
    erp = await upstream(behaviour)
    served = await serve(
        connector(erp.url, timeout="250ms", maxResponseSize="64Ki"),
        route(READS),
        route("- map: {expression: '1'}", name="other", path="/other"),
    )

    asking = asyncio.create_task(served.get())
    await erp.until(lambda erp: len(erp.arrivals) == 1)
    assert (await served.get("/other")).json() == 1

    assert problem(await asking) == expected
    assert (await served.get("/other")).json() == 1


async def test_an_answer_that_is_no_http_is_an_invalid_answer(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(says(b"SSH-2.0-OpenSSH_9.6\r\n"))
    served = await serve(connector(erp.url), route(READS))

    document = problem(await served.get())

    assert document["status"] == 502
    assert document["type"] == "urn:isthmus:problem:InvalidAnswer"
    assert document["detail"].startswith("erp answered what cannot be read: ")


async def test_a_system_that_is_down_cannot_be_reached(serve: Serve) -> None:
    served = await serve(connector(f"http://127.0.0.1:{unused_port()}"), route(READS))

    expected = failed(502, "ConnectFailed", "erp cannot be reached")
    assert problem(await served.get()) == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param(
            {"connectTimeout": "100ms"},
            failed(502, "ConnectFailed", "erp cannot be reached"),
            id="longer than connectTimeout",
        ),
        pytest.param(
            {"timeout": "100ms"},
            failed(504, "Timeout", "erp did not answer in time (while connecting)"),
            id="longer than timeout",
        ),
    ],
)
async def test_a_connection_that_takes_too_long(
    serve: Serve, limits: dict[str, str], expected: dict[str, Any]
) -> None:
    nowhere = UnreachablePort()
    served = await serve(connector(nowhere.url, **limits), route(READS))

    response = await served.get()
    nowhere.close()

    assert problem(response) == expected


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
async def test_a_body_of_100_mb_is_not_read(serve: Serve, upstream: Start, chunked: bool) -> None:
    flood = Flood(100_000_000, chunked=chunked)
    erp = await upstream(flood)
    served = await serve(connector(erp.url, maxResponseSize="1Mi"), route(READS))

    document = problem(await served.get())
    async with asyncio.timeout(10):
        await flood.broken_off.wait()

    assert document["type"] == "urn:isthmus:problem:ResponseTooLarge"
    assert flood.sent < 20_000_000  # the limit, and what sockets buffer


async def test_what_cannot_be_read_is_passed_on_where_no_step_reads_it(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer(body=b"<html>", content_type="text/html"))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"))

    response = await served.get()

    assert (response.status_code, response.content) == (200, b"<html>")


async def test_the_texts_of_a_failed_expression_quote_no_value_to_callers_or_logs(
    serve: Serve, upstream: Start, logged: list[Any]
) -> None:
    erp = await upstream(answer({"price": "canary"}))
    served = await serve(
        connector(erp.url),
        route("- call: {connector: erp}\n- map: {expression: '$number(price)'}"),
        route(
            """
            - call: {connector: erp}
            - map: {expression: "$number(price)"}
              onError: {respond: {status: 500, body: "{% $failure.message %}"}}
            """,
            name="told",
            path="/told",
        ),
    )

    document = problem(await served.get())
    told = await served.get("/told")

    assert document["detail"] == "an expression failed on this message (line 1, column 1) [D3030]"
    assert document["status"] == 500
    assert "canary" not in json.dumps(logged, default=str)
    assert "canary" in told.text  # the author of the Route may show it


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

    assert problem(response) == status(503)
    assert len(erp.arrivals) == 1


@pytest.mark.parametrize("behind", [None, 2], ids=["a fast system", "a slow one, few connections"])
async def test_no_window_holds_more_calls_than_the_rate_limit(
    serve: Serve, upstream: Start, behind: int | None
) -> None:
    gate = asyncio.Event()
    erp = await upstream(
        lambda arrival: answer({}, when=gate) if behind and len(erp.arrivals) == 1 else answer({})
    )
    limits = {"rateLimit": {"requests": 5, "per": "400ms"}}
    if behind:
        limits["maxConnections"] = behind  # type: ignore[assignment]
    served = await serve(
        connector(erp.url, **limits),
        route("""- call: {connector: erp, path: "/{% $request.query.n %}"}"""),
    )

    asking = [asyncio.create_task(served.get(params={"n": n})) for n in range(17)]
    await erp.until(lambda erp: len(erp.arrivals) >= 5)
    gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {200}
    times = [arrival.at for arrival in erp.arrivals]
    for first, sixth in zip(times, times[5:], strict=False):
        assert sixth - first > 0.3  # what the sockets take apart or together is not ours


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


async def test_the_process_stays_small(serve: Serve, upstream: Start) -> None:
    """A split of half a million elements makes no half a million messages at once."""
    served = await serve(
        route(
            "- split: {branch: one}",
            branches="one: [{filter: '{% false %}'}]",
            method="POST",
            timeout="500ms",
        )
    )
    before = _resident()

    response = await served.post(content=b"[%s0]" % (b"0," * 500_000))

    assert response.status_code in (200, 504)
    assert _resident() - before < 150_000_000


def _resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
