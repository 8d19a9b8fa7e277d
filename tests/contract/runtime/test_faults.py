"""Systems that misbehave: which problem document the caller gets, and that others are served."""

import asyncio
import gzip
import json
import os
from typing import Any

import pytest
from manifests_text import connector, route
from served import Serve, Start, problem
from upstreams import (
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
