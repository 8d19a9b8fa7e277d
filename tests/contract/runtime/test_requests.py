"""Requests that a Route does not take, takes with care, or must not die of."""

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest
from manifests_text import connector, route
from served import Serve, Served, Start
from upstreams import answer

ECHO = "- map: {expression: $}"


async def raw(served: Served, data: bytes) -> bytes:
    """All that comes back for some bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(data)
    async with asyncio.timeout(10):
        came = await reader.read()
    writer.close()
    await writer.wait_closed()
    return came


def told(response: httpx.Response) -> tuple[int, str]:
    document = response.json()
    assert document["status"] == response.status_code
    assert document["correlationId"] == response.headers["x-correlation-id"]
    return response.status_code, document["type"].removeprefix("urn:isthmus:problem:")


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        pytest.param(b"[1,", "application/json", (400, "InvalidJson"), id="half"),
        pytest.param(b"\xff", "application/json", (400, "InvalidJson"), id="no UTF-8"),
        pytest.param(b"NaN", "application/json", (400, "InvalidJson"), id="NaN"),
        pytest.param(b"[" * 2000, "application/json", (400, "InvalidJson"), id="2,000 levels"),
        pytest.param(b"<a/>", "application/xml", (415, "UnsupportedMediaType"), id="XML"),
        pytest.param(b"a=1", "multipart/form-data", (415, "UnsupportedMediaType"), id="a form"),
    ],
)
@pytest.mark.parametrize(
    "step",
    [ECHO, "- validate: {schema: {}}", "- split: {branch: b}", "- respond: {body: '{% $ %}'}"],
    ids=["map", "validate", "split", "respond"],
)
async def test_a_body_that_is_no_json_is_refused_by_the_step_that_reads_it(
    serve: Serve, body: bytes, kind: str, expected: tuple[int, str], step: str
) -> None:
    branches = "b: [{map: {expression: $}}]" if "split" in step else ""
    served = await serve(route(step, method="POST", branches=branches))

    response = await served.post(content=body, headers={"content-type": kind})

    assert told(response) == expected
    assert response.json()["step"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/x+JSON", ""])
async def test_what_counts_as_json(serve: Serve, kind: str) -> None:
    served = await serve(route(ECHO, method="POST"))

    response = await served.post(content=b"[1]", headers={"content-type": kind})

    assert response.json() == [1]


async def test_a_deep_body_that_becomes_a_value_fails_as_a_problem(serve: Serve) -> None:
    deep = b'{"id": 9007199254740993, "a": ' + b"[" * 600 + b"]" * 600 + b"}"
    served = await serve(route(ECHO, method="POST"))

    response = await served.post(content=deep)

    assert response.status_code == 500
    assert told(response)[1] in {"NotEncodable", "GuardExceeded", "ExpressionFailed"}


@pytest.mark.parametrize("expect", [b"", b"expect: 100-continue\r\n"], ids=["at once", "asking"])
async def test_a_body_of_50_mb_is_refused_before_it_is_read(serve: Serve, expect: bytes) -> None:
    served = await serve(route(ECHO, method="POST"))

    head = b"POST /it HTTP/1.1\r\nhost: a\r\n%bcontent-length: 50000000\r\n\r\n" % expect
    answered = await raw(served, head)

    head_text, _, body = answered.partition(b"\r\n\r\n")
    assert head_text.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["type"] == "urn:isthmus:problem:BodyTooLarge"
    assert json.loads(body)["detail"] == "the body is larger than 1048576 bytes"
    assert b'isthmus_unrouted_requests_total{status="413"}' in (await served.metrics()).encode()


async def test_a_chunked_body_is_refused_at_the_limit(serve: Serve) -> None:
    served = await serve(route(ECHO, method="POST", maxBody="1k"))

    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
    head = b"POST /it HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    answered = await raw(served, head + chunk * 2)

    assert answered.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("count", "status"), [(1000, 200), (1001, 400), (2000, 400)], ids=["1,000", "1,001", "2,000"]
)
async def test_a_query_with_very_many_parameters(serve: Serve, count: int, status: int) -> None:
    served = await serve(route('- map: {expression: "$count($request.query.a)"}'))

    response = await served.get("/it?" + "&".join(["a=1"] * count))

    assert response.status_code == status
    if status == 400:
        assert told(response) == (400, "BadRequest")
    else:
        assert response.json() == count


async def test_a_head_of_a_get_route_runs_it_and_sends_no_body(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer([1, 2]))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"))

    response = await served.http.head("/it")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "6"
    assert erp.arrivals[0].method == "GET"


UNROUTED: list[Any] = [
    pytest.param("GET", "/nothing", 404, "NoRoute", None, id="no such path"),
    pytest.param("GET", "/it/", 404, "NoRoute", None, id="a slash more"),
    pytest.param("GET", "/IT", 404, "NoRoute", None, id="another case"),
    pytest.param("GET", "/it/%FF", 404, "NoRoute", None, id="no UTF-8"),
    pytest.param("PUT", "/it", 405, "MethodNotAllowed", "GET, HEAD, POST", id="another method"),
    pytest.param("HEAD", "/only", 405, "", "POST", id="HEAD of a POST route"),
    pytest.param("OPTIONS", "/it", 405, "MethodNotAllowed", "GET, HEAD, POST", id="OPTIONS"),
]


@pytest.mark.parametrize(("method", "path", "status", "reason", "allow"), UNROUTED)
async def test_what_no_route_takes(
    serve: Serve, method: str, path: str, status: int, reason: str, allow: str | None
) -> None:
    served = await serve(
        route(ECHO),
        route(ECHO, name="posted", method="POST"),
        route(ECHO, name="only", method="POST", path="/only"),
    )

    request = served.http.build_request(method, "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    response = await served.http.send(request)

    assert response.status_code == status
    assert response.headers.get("allow") == allow
    if method != "HEAD":
        assert told(response) == (status, reason)


@pytest.mark.parametrize("path", ["/x/../it", "/./it", "//it", "/%2e%2e/it", "/it%2F"])
async def test_a_path_is_taken_as_it_is_written(serve: Serve, path: str) -> None:
    served = await serve(route(ECHO))

    line = f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answered = await raw(served, line.encode())

    assert answered.startswith(b"HTTP/1.1 404 ")


async def test_more_requests_than_may_be_under_way_are_sent_away(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"), max_in_flight=2)

    under_way = [asyncio.create_task(served.get()) for _ in range(2)]
    await erp.until(lambda erp: erp.under_way == 2)
    refused = await served.get()
    gate.set()

    assert told(refused) == (503, "Overloaded")
    assert refused.headers["retry-after"] == "1"
    assert [(await each).status_code for each in under_way] == [200, 200]
    assert (await served.get()).status_code == 200


async def test_an_expression_that_never_ends_is_ended_and_the_next_request_served(
    serve: Serve,
) -> None:
    served = await serve(
        route('- map: {expression: "($f := function($n) { $f($n + 1) }; $f(0))"}'),
        route("- map: {expression: '1'}", name="other", path="/other"),
    )

    response = await served.get()

    assert told(response) == (500, "GuardExceeded")
    assert (await served.get("/other")).json() == 1


async def test_gzip_goes_in_and_out(serve: Serve, upstream: Start) -> None:
    body = json.dumps(["text"] * 500).encode()
    erp = await upstream(
        answer(body=gzip.compress(body), headers=("content-encoding: gzip",)),
    )
    served = await serve(
        connector(erp.url), route("- call: {connector: erp, method: POST}", method="POST")
    )
    headers = {"content-encoding": "gzip", "accept-encoding": "gzip"}

    response = await served.post(content=gzip.compress(body), headers=headers)

    assert erp.arrivals[0].body == body
    assert erp.arrivals[0].header("content-encoding") is None
    assert response.headers["content-encoding"] == "gzip"
    assert response.content == body


async def test_a_gzip_bomb_is_refused_at_the_limit(serve: Serve) -> None:
    served = await serve(route(ECHO, method="POST", maxBody="1k"))

    response = await served.post(
        content=gzip.compress(b" " * 1_000_000)[:1000], headers={"content-encoding": "gzip"}
    )

    assert response.status_code == 413
