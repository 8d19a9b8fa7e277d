"""What the server does with sound requests: order, framing, keep-alive, codings."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest

from isthmus_runtime import http

if TYPE_CHECKING:
    from tests.contract.http.conftest import Serve, Until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def echo(request: http.Request) -> http.Response:
    return http.Response(200, [(b"content-type", b"application/octet-stream")], request.body)


def post(body: bytes, *fields: bytes) -> bytes:
    lines = [b"POST /p HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def test_a_request_arrives_as_it_was_sent(serve: Serve) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(b"PUT /a%2Fb//c?q=%20x&y HTTP/1.1\r\nHost: h:1\r\nX-A:  v \t\r\nX-a: w\r\n\r\n")
    status, fields, body = await wire.answer()

    assert (status, body) == (200, b"ok")
    assert fields["content-length"] == "2"
    assert fields["date"].endswith("GMT")
    assert "connection" not in fields
    head = running.application.requests[0].head
    assert (head.method, head.target) == ("PUT", b"/a%2Fb//c?q=%20x&y")
    assert (head.path, head.query) == ("/a%2Fb//c", "q=%20x&y")
    assert head.headers == [(b"host", b"h:1"), (b"x-a", b"v"), (b"x-a", b"w")]
    assert (head.http_version, head.peer) == ("1.1", "127.0.0.1")


async def test_a_connection_serves_one_request_after_another(serve: Serve) -> None:
    running = await serve(echo)
    wire = await running.connect()
    for body in (b"one", b"", b"three"):
        wire.send(post(body))

        assert (await wire.answer())[2] == body
    assert running.server.open_connections == 1


async def test_pipelined_requests_are_answered_in_order_one_at_a_time(serve: Serve) -> None:
    running_now = 0

    async def handle(request: http.Request) -> http.Response:
        nonlocal running_now
        running_now += 1
        assert running_now == 1
        await asyncio.sleep(0)
        running_now -= 1
        return http.Response(200, [], request.head.path.encode())

    running = await serve(handle, pipelined=4)
    wire = await running.connect()
    wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(3000)))
    for number in range(3000):
        assert (await wire.answer())[2] == b"/%d" % number
    assert running.application.errors == []


async def test_reading_stops_while_many_requests_wait(serve: Serve) -> None:
    gate = asyncio.Event()
    running = await serve(gate=gate, pipelined=4)
    wire = await running.connect()
    sent = 0
    padded = GET[:-2] + b"X-Padding: " + b"x" * 4000 + b"\r\n\r\n"
    # The sockets' buffers take what they can; the server must not take it all from them.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            while sent < 100_000:
                wire.send(padded * 20)
                sent += 20
                await wire.writer.drain()
    assert sent < 100_000
    assert running.server.in_flight <= 4 + 16 * 1024 // len(padded) + 1 + 1
    gate.set()
    for _ in range(sent):
        assert (await wire.answer())[0] == 200


async def test_early_answers_to_a_client_that_does_not_read_are_bounded(serve: Serve) -> None:
    large = http.Response(404, [], b"x" * 500)
    running = await serve(admission=large, write_timeout=0.3, minimum_rate=1_000_000)
    wire = await running.connect()
    wire.transport.pause_reading()
    with contextlib.suppress(ConnectionError):
        for _ in range(10_000):
            wire.send(GET * 1000)
            await asyncio.wait_for(wire.writer.drain(), 20)
    assert len(running.application.heads) < 100_000


async def test_early_answers_wait_for_a_client_that_reads_late(serve: Serve) -> None:
    running = await serve(admission=http.Response(404, [], b"x" * 2000))
    padded = GET[:-2] + b"X-Padding: " + b"x" * 1000 + b"\r\n\r\n"
    wire = await running.connect()
    wire.transport.pause_reading()
    wire.send(padded * 10_000)
    await asyncio.sleep(0.5)
    assert len(running.application.heads) < 10_000
    wire.transport.resume_reading()
    for _ in range(10_000):
        assert (await wire.answer())[0] == 404


async def test_requests_of_a_client_that_went_away_are_not_begun(
    serve: Serve, until: Until
) -> None:
    gate = asyncio.Event()
    running = await serve(gate=gate)
    wire = await running.connect()
    wire.send(GET * 3)
    await until(lambda: running.server.in_flight == 3)
    wire.reset()
    await until(lambda: not running.server.open_connections)

    assert running.server.in_flight == 1
    gate.set()
    await until(lambda: not running.server.in_flight)
    assert len(running.application.requests) == 1


@pytest.mark.parametrize(
    ("request_head", "connection", "stays"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", None, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "close", False),
        (b"GET / HTTP/1.0\r\n\r\n", "close", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", True),
    ],
)
async def test_keep_alive_is_as_the_client_asked(
    serve: Serve, request_head: bytes, connection: str | None, stays: bool
) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(request_head)
    _, fields, _ = await wire.answer()

    assert fields.get("connection") == connection
    if stays:
        wire.send(request_head)
        assert (await wire.answer())[0] == 200
    else:
        assert await wire.rest() == b""


async def test_requests_behind_a_close_are_ignored(serve: Serve) -> None:
    running = await serve()
    said = await running.said(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET)

    assert said.count(b"HTTP/1.1") == 1
    assert len(running.application.requests) == 1


async def test_head_gets_the_length_and_no_body(serve: Serve) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(GET.replace(b"GET", b"HEAD"))
    _, fields, _ = await wire.answer(bodiless=True)
    wire.send(GET)

    assert fields["content-length"] == "2"
    assert (await wire.answer())[2] == b"ok"


async def test_a_forwarded_head_keeps_its_length(serve: Serve) -> None:
    async def handle(request: http.Request) -> http.Response:
        return http.Response(200, [(b"content-length", b"12345")])

    running = await serve(handle)
    wire = await running.connect()
    wire.send(GET.replace(b"GET", b"HEAD"))

    assert (await wire.answer(bodiless=True))[1]["content-length"] == "12345"


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_body_have_neither_body_nor_length(
    serve: Serve, status: int
) -> None:
    async def handle(request: http.Request) -> http.Response:
        return http.Response(status, [], b"not to be sent")

    running = await serve(handle)
    wire = await running.connect()
    wire.send(GET + GET)
    for _ in range(2):
        answered, fields, _ = await wire.answer()

        assert answered == status
        assert "content-length" not in fields


async def test_framing_fields_of_an_answer_are_the_servers_own(serve: Serve) -> None:
    async def handle(request: http.Request) -> http.Response:
        fields = [
            (b"content-length", b"999"),
            (b"transfer-encoding", b"chunked"),
            (b"connection", b"close"),
            (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
            (b"X-Kept", b"1"),
        ]
        return http.Response(200, fields, b"ok")

    running = await serve(handle)
    wire = await running.connect()
    wire.send(GET)
    _, fields, body = await wire.answer()

    assert body == b"ok"
    assert set(fields) == {"content-length", "date", "x-kept"}
    assert fields["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"


async def test_continue_comes_after_admission_and_before_the_body(serve: Serve) -> None:
    running = await serve(echo)
    wire = await running.connect()
    request = post(b"body", b"Expect: 100-continue")
    wire.send(request[:-4])
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"body")

    assert (await wire.answer())[2] == b"body"


async def test_a_refused_expectation_gets_the_answer_and_no_continue(serve: Serve) -> None:
    running = await serve(admission=http.problem(404))
    wire = await running.connect()
    wire.send(post(b"body", b"Expect: 100-continue")[:-4])
    status, fields, _ = await wire.answer()

    assert (status, fields["connection"]) == (404, "close")
    assert await wire.rest() == b""


async def test_a_pipelined_continue_waits_for_its_turn(serve: Serve) -> None:
    gate = asyncio.Event()
    running = await serve(echo, gate=gate)
    wire = await running.connect()
    wire.send(post(b"first") + post(b"body", b"Expect: 100-continue")[:-4])
    await running.application.arrived.wait()
    gate.set()

    assert (await wire.answer())[2] == b"first"
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"body")
    assert (await wire.answer())[2] == b"body"


async def test_an_early_answer_without_body_keeps_the_connection(serve: Serve) -> None:
    running = await serve(admission=http.problem(404, "no such path"))
    wire = await running.connect()
    wire.send(GET + GET)
    for _ in range(2):
        status, fields, body = await wire.answer()

        assert (status, fields["content-type"]) == (404, "application/problem+json")
        assert json.loads(body)["detail"] == "no such path"
    assert running.application.requests == []


async def test_an_early_answer_reaches_a_client_that_is_still_sending(serve: Serve) -> None:
    running = await serve(admission=http.problem(413))
    wire = await running.connect()
    wire.send(post(b"x" * 10_000_000))
    status, fields, _ = await wire.answer()

    assert (status, fields["connection"]) == (413, "close")


async def test_chunked_bodies_are_put_together_and_trailers_dropped(serve: Serve) -> None:
    running = await serve(echo)
    wire = await running.connect()
    wire.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nHost: evil\r\nX-T: 1\r\n\r\n"
    )

    assert (await wire.answer())[2] == b"abcdefg"
    names = [name for name, _ in running.application.requests[0].head.headers]
    assert names == [b"host", b"transfer-encoding"]


def raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        (b"gzip", gzip.compress(b"hello" * 1000)),
        (b"X-Gzip", gzip.compress(b"hello" * 1000)),
        (b"gzip", gzip.compress(b"hello" * 400) + gzip.compress(b"hello" * 600)),
        (b"deflate", zlib.compress(b"hello" * 1000)),
        (b"deflate", raw_deflate(b"hello" * 1000)),
        (b"identity", b"hello" * 1000),
    ],
)
async def test_encoded_bodies_are_decoded(serve: Serve, coding: bytes, encoded: bytes) -> None:
    running = await serve(echo)
    wire = await running.connect()
    wire.send(post(encoded, b"Content-Encoding: " + coding))

    assert (await wire.answer())[2] == b"hello" * 1000
    head = running.application.requests[0].head
    decoded = coding != b"identity"
    assert (http.header(head.headers, b"content-encoding") is None) == decoded
    assert (http.header(head.headers, b"content-length") is None) == decoded


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"gzip", True),
        (b"deflate, gzip;q=0.5", True),
        (b"*", True),
        (b"gzip;q=0, *", False),
        (b"gzip;q=0.0", False),
        (b"gzip;q=0.2, identity;q=0.9", False),
        (b"br", False),
        (b"gzip;q=nonsense", False),
        (b"", False),
    ],
)
async def test_answers_are_compressed_for_those_who_ask(
    serve: Serve, accept: bytes, expected: bool
) -> None:
    async def handle(request: http.Request) -> http.Response:
        fields = [(b"content-type", b"application/json; charset=utf-8"), (b"etag", b'"1"')]
        return http.Response(200, fields, b'{"a":1}' * 1000)

    running = await serve(handle)
    wire = await running.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + accept + b"\r\n\r\n")
    _, fields, body = await wire.answer()

    assert (fields.get("content-encoding") == "gzip") == expected
    assert fields["vary"] == "accept-encoding"
    assert fields["etag"] == ('W/"1"' if expected else '"1"')
    assert (gzip.decompress(body) if expected else body) == b'{"a":1}' * 1000


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ([(b"content-type", b"application/json")], 1023),
        ([(b"content-type", b"image/png")], 5000),
        ([], 5000),
        ([(b"content-type", b"text/plain"), (b"content-encoding", b"br")], 5000),
        ([(b"content-type", b"text/plain"), (b"cache-control", b"no-transform")], 5000),
    ],
)
async def test_answers_that_gain_nothing_stay_as_they_are(
    serve: Serve, fields: list[http.Header], size: int
) -> None:
    async def handle(request: http.Request) -> http.Response:
        return http.Response(200, fields, b"x" * size)

    running = await serve(handle)
    wire = await running.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
    _, answered, body = await wire.answer()

    assert body == b"x" * size
    assert "vary" not in answered


async def test_a_long_answer_is_compressed_whole(serve: Serve) -> None:
    body = bytes(range(256)) * 8192

    async def handle(request: http.Request) -> http.Response:
        return http.Response(200, [(b"content-type", b"text/plain")], body)

    running = await serve(handle)
    wire = await running.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")

    assert gzip.decompress((await wire.answer())[2]) == body


@pytest.mark.parametrize(
    ("line", "path", "query", "host"),
    [
        (b"GET http://b.example:81/x?y=1 HTTP/1.1", "/x", "y=1", b"b.example:81"),
        (b"GET HTTPS://b.example HTTP/1.1", "/", "", b"b.example"),
        (b"GET http://b.example?y HTTP/1.1", "/", "y", b"b.example"),
        (b"OPTIONS * HTTP/1.1", "*", "", b"a"),
    ],
)
async def test_other_forms_of_target(
    serve: Serve, line: bytes, path: str, query: str, host: bytes
) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(line + b"\r\nHost: a\r\n\r\n")

    assert (await wire.answer())[0] == 200
    head = running.application.requests[0].head
    assert (head.path, head.query) == (path, query)
    assert [value for name, value in head.headers if name == b"host"] == [host]


@pytest.mark.parametrize("size", [0, 3, 100_000])
async def test_a_wish_to_upgrade_is_ignored_and_its_body_read(serve: Serve, size: int) -> None:
    running = await serve(echo)
    wire = await running.connect()
    request = post(b"x" * size, b"Connection: upgrade", b"Upgrade: h2c")
    wire.send(request + post(b"next"))

    assert (await wire.answer())[2] == b"x" * size
    assert (await wire.answer())[2] == b"next"
    assert len(running.application.requests) == 2


async def test_a_client_may_close_its_half_before_the_answer(serve: Serve) -> None:
    gate = asyncio.Event()
    running = await serve(gate=gate)
    wire = await running.connect()
    wire.send(GET)
    wire.writer.write_eof()
    await running.application.arrived.wait()
    gate.set()

    assert (await wire.answer())[2] == b"ok"
    assert await wire.rest() == b""


async def test_a_handler_outlives_its_client(serve: Serve, until: Until) -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def handle(request: http.Request) -> http.Response:
        done.set()
        return http.Response(200)

    running = await serve(handle, gate=gate)
    wire = await running.connect()
    wire.send(GET)
    await running.application.arrived.wait()
    wire.reset()
    await until(lambda: not running.server.open_connections)
    gate.set()
    await asyncio.wait_for(done.wait(), 5)

    assert running.application.errors == []


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("secret detail"), asyncio.CancelledError(), RecursionError()],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_failing_handler_is_a_plain_500_and_is_reported(
    serve: Serve, fault: BaseException
) -> None:
    async def handle(request: http.Request) -> http.Response:
        raise fault

    running = await serve(handle)
    wire = await running.connect()
    wire.send(GET + GET)
    for _ in range(2):
        status, _, body = await wire.answer()

        assert status == 500
        assert b"secret" not in body
    assert len(running.application.errors) == 2


@pytest.mark.parametrize(
    "answer",
    [
        http.Response(200, [(b"x", b"a\r\nevil: 1")]),
        http.Response(200, [(b"x", b"a\r\n")]),
        http.Response(200, [(b"x", b"a\nb")]),
        http.Response(200, [(b"x", b"a\rb")]),
        http.Response(200, [(b"x", b"a\0b")]),
        http.Response(200, [(b"x y", b"a")]),
        http.Response(200, [(b"x:", b"a")]),
        http.Response(200, [(b"", b"a")]),
        http.Response(200, [(b"evil: 1\r\nx", b"a")]),
        http.Response(200, [(b"date", b"a\r\nevil: 1")]),
        http.Response(99),
        http.Response(101),
        http.Response(600),
        http.Response(200, [("text", "not bytes")]),  # type: ignore[list-item]
        None,
    ],
    ids=repr,
)
async def test_an_unsafe_answer_never_reaches_the_wire(
    serve: Serve, answer: http.Response | None
) -> None:
    async def handle(request: http.Request) -> http.Response:
        return answer  # type: ignore[return-value]

    running = await serve(handle)
    wire = await running.connect()
    wire.send(GET)
    status, fields, _ = await wire.answer()

    assert status == 500
    assert "evil" not in fields
    assert len(running.application.errors) == 1


async def test_a_failing_error_report_closes_the_connection(serve: Serve) -> None:
    async def handle(request: http.Request) -> http.Response:
        raise RuntimeError

    running = await serve(handle)
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    assert running.server._shared is not None
    running.server._shared.on_error = None  # type: ignore[assignment]
    wire = await running.connect()
    wire.send(GET)

    assert await wire.rest() == b""


async def test_a_failing_admission_is_a_plain_500_and_is_reported(serve: Serve) -> None:
    running = await serve()

    def admit(head: http.Head) -> int:
        raise RuntimeError

    running.application.admit = admit  # type: ignore[method-assign]
    wire = await running.connect()
    wire.send(GET)

    assert (await wire.answer())[0] == 500
    assert len(running.application.errors) == 1


async def test_a_large_answer_arrives_whole(serve: Serve) -> None:
    body = bytes(range(256)) * 40_000

    async def handle(request: http.Request) -> http.Response:
        return http.Response(200, [], body)

    running = await serve(handle)
    wire = await running.connect()
    wire.send(GET + GET)
    for _ in range(2):
        assert (await wire.answer())[2] == body


async def test_a_server_that_never_started_drains_at_once() -> None:
    server = http.Server(object(), http.ServerLimits(), on_error=print)  # type: ignore[arg-type]

    assert await server.drain(5) == 0
    assert (server.open_connections, server.in_flight, server.refused) == (0, 0, 0)


async def test_two_servers_share_a_port_only_where_both_say_so(serve: Serve) -> None:
    running = await serve()
    second = http.Server(running.application, http.ServerLimits(), on_error=print)
    with pytest.raises(OSError, match="in use"):
        await second.start("127.0.0.1", running.port)
    first, third = (
        http.Server(running.application, http.ServerLimits(), on_error=print) for _ in range(2)
    )
    port = await first.start("127.0.0.1", 0, reuse_port=True)

    assert await third.start("127.0.0.1", port, reuse_port=True) == port
    assert await first.drain(0) == await third.drain(0) == 0
