"""What the server does not take: unsound or smuggled requests, too much, too slowly."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus_runtime import http

if TYPE_CHECKING:
    from tests.contract.http.conftest import Serve, Until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"

REFUSED = {
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00", 501),
    "a bare newline ends no line": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "two hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "a host that is none": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "a host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "an absolute target without host": (b"GET http://a/ HTTP/1.1\r\n\r\n", 400),
    "a target with user": (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "GET *": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a raw non-ASCII target": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a NUL in a value": (GET[:-2] + b"X: a\0b\r\n\r\n", 400),
    "a lone CR in a value": (GET[:-2] + b"X: a\rb\r\n\r\n", 400),
    "a folded value": (GET[:-2] + b"X: a\r\n b\r\n\r\n", 400),
    "a space before the colon": (GET[:-2] + b"X : a\r\n\r\n", 400),
    "an unknown method": (b"FROB / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a method for other protocols": (b"DESCRIBE / RTSP/1.0\r\n\r\n", 501),
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    "HTTP/2 at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "length and chunked": (CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "chunked and length": (
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "a list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "a signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "an endless length": (POST + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
    "a coding before chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "chunked twice": (CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    "a disguised chunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "chunked in HTTP/1.0": (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a chunk size that is none": (CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk longer than it says": (CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    "an endless chunk": (CHUNKED + b"\r\nfffffffffffffffff\r\n", 400),
    "an unknown expectation": (
        POST + b"Content-Length: 3\r\nExpect: the-unexpected\r\n\r\n",
        417,
    ),
    "an unknown coding": (POST + b"Content-Length: 3\r\nContent-Encoding: br\r\n\r\nabc", 415),
    "two codings": (
        POST + b"Content-Length: 3\r\nContent-Encoding: gzip, gzip\r\n\r\nabc",
        415,
    ),
    "a coding that is not so": (
        POST + b"Content-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",
        400,
    ),
    "a coded body cut short": (
        POST
        + b"Content-Length: 15\r\nContent-Encoding: gzip\r\n\r\n"
        + gzip.compress(b"x" * 99)[:15],
        400,
    ),
    "junk behind a coded body": (
        POST
        + b"Content-Length: 25\r\nContent-Encoding: gzip\r\n\r\n"
        + gzip.compress(b"")
        + b"junk!",
        400,
    ),
    "a body larger than admitted": (POST + b"Content-Length: 1001\r\n\r\n", 413),
    "chunks larger than admitted": (CHUNKED + b"\r\n3e9\r\n" + b"x" * 1001, 413),
    "a target longer than 8 KiB": (b"GET /" + b"x" * 8200 + b" HTTP/1.1\r\n\r\n", 414),
    "101 fields": (GET[:-2] + b"X: y\r\n" * 100 + b"\r\n", 431),
    "a head of 33 KiB": (GET[:-2] + (b"X: " + b"y" * 3000 + b"\r\n") * 11 + b"\r\n", 431),
    "a name of 60 KiB": (GET[:-2] + b"x" * 60_000, 431),
    "a value of 60 KiB": (GET[:-2] + b"X: " + b"x" * 60_000, 431),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED.keys())
async def test_is_refused_with_a_problem_and_the_connection_closed(
    serve: Serve, sent: bytes, status: int
) -> None:
    running = await serve(admission=1000)
    wire = await running.connect()
    wire.send(sent)
    answered, fields, body = await wire.answer()

    assert answered == status
    assert fields["content-type"] == "application/problem+json"
    assert fields["connection"] == "close"
    assert json.loads(body)["status"] == status
    assert await wire.rest() == b""
    assert running.application.requests == []
    assert running.server.refused == 1
    assert [status for _, status in running.application.refused] == [status]
    assert fields["x-noted"] == "yes"
    assert await running.is_serving()


async def test_an_answer_of_the_application_is_not_noted_as_the_servers(serve: Serve) -> None:
    running = await serve(admission=http.problem(404))
    wire = await running.connect()
    wire.send(POST + b"Content-Length: 3\r\n\r\nabc")
    status, fields, _ = await wire.answer()

    assert (status, "x-noted" in fields) == (404, False)
    assert running.server.refused == 1
    assert running.application.refused == []


async def test_what_came_too_late_is_noted(serve: Serve) -> None:
    running = await serve(body_timeout=0.1)
    wire = await running.connect()
    wire.send(POST + b"Content-Length: 3\r\n\r\na")
    status, fields, _ = await wire.answer()

    assert (status, fields["x-noted"]) == (408, "yes")
    ((head, noted),) = running.application.refused
    assert noted == 408
    assert head is not None
    assert head.path == "/"


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED.keys())
async def test_is_refused_byte_by_byte_behind_a_sound_request(
    serve: Serve, sent: bytes, status: int
) -> None:
    running = await serve(admission=1000)
    wire = await running.connect()
    wire.send(GET)
    step = max(1, len(sent) // 100)
    for start in range(0, len(sent), step):
        wire.send(sent[start : start + step])
        await asyncio.sleep(0)

    assert (await wire.answer())[0] == 200
    assert (await wire.answer())[0] == status
    assert await wire.rest() == b""
    assert len(running.application.requests) == 1


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
async def test_a_bomb_is_not_unfolded(serve: Serve, coding: bytes) -> None:
    bomb = zlib.compressobj(9, wbits=31 if coding == b"gzip" else 15)
    packed = b"".join(bomb.compress(bytes(1_000_000)) for _ in range(50)) + bomb.flush()
    running = await serve(admission=100_000)
    wire = await running.connect()
    wire.send(
        POST
        + b"Content-Length: %d\r\nContent-Encoding: %b\r\n\r\n" % (len(packed), coding)
        + packed
    )

    assert (await wire.answer())[0] == 413
    assert running.application.requests == []


async def test_many_empty_gzip_members_are_refused(serve: Serve) -> None:
    packed = gzip.compress(b"") * 5000
    running = await serve()
    wire = await running.connect()
    wire.send(POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)

    assert (await wire.answer())[0] == 400


@pytest.mark.parametrize(
    "endless", [b"1\r\na\r\n0\r\n" + b"X: y\r\n", b"1;", b"0\r\nX: "], ids=repr
)
async def test_endless_framing_of_a_body_is_refused(serve: Serve, endless: bytes) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(CHUNKED + b"\r\n" + endless + b"x" * 100_000)

    assert (await wire.answer())[0] == 400


async def test_a_head_within_its_limit_is_taken_whatever_is_pipelined_before(serve: Serve) -> None:
    large = GET[:-2] + (b"X: " + b"y" * 3000 + b"\r\n") * 10 + b"\r\n"
    running = await serve()
    wire = await running.connect()
    wire.send((GET + large) * 10)
    for _ in range(20):
        assert (await wire.answer())[0] == 200


class TestSlowness:
    """Each limit is short here; what is awaited is the answer or the close itself."""

    async def test_a_trickling_head_ends_with_408(self, serve: Serve) -> None:
        running = await serve(header_timeout=0.2)
        wire = await running.connect()

        async def trickle() -> None:
            for byte in GET[:-2] + b"X: y" * 1000:
                wire.send(bytes([byte]))
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())

        assert (await wire.answer())[0] == 408
        assert await wire.rest() == b""
        trickling.cancel()

    async def test_a_silent_connection_is_closed(self, serve: Serve) -> None:
        running = await serve(header_timeout=0.1)

        assert await running.said(b"") == b""

    async def test_newlines_only_are_no_request(self, serve: Serve) -> None:
        running = await serve(header_timeout=0.1, idle_timeout=0.1)

        assert await running.said(b"\r\n" * 10) == b""

    async def test_an_idle_connection_is_closed(self, serve: Serve) -> None:
        running = await serve(idle_timeout=0.1)
        wire = await running.connect()
        wire.send(GET)

        assert (await wire.answer())[0] == 200
        assert await wire.rest() == b""

    async def test_a_half_body_ends_with_408(self, serve: Serve) -> None:
        running = await serve(body_timeout=0.1)
        wire = await running.connect()
        wire.send(POST + b"Content-Length: 10\r\n\r\nabc")

        assert (await wire.answer())[0] == 408
        assert await wire.rest() == b""

    async def test_a_trickling_body_ends_with_408(self, serve: Serve) -> None:
        running = await serve(body_timeout=0.2, minimum_rate=1000)
        wire = await running.connect()
        wire.send(POST + b"Content-Length: 100000\r\n\r\n")

        async def trickle() -> None:
            while True:
                wire.send(b"x")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())

        assert (await wire.answer())[0] == 408
        trickling.cancel()

    async def test_a_slow_but_steady_body_is_taken(self, serve: Serve) -> None:
        running = await serve(body_timeout=0.15, minimum_rate=10)
        wire = await running.connect()
        wire.send(POST + b"Content-Length: 20\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.02)
            wire.send(b"x")

        assert (await wire.answer())[0] == 200

    async def test_a_late_second_request_spoils_not_the_first_answer(
        self, serve: Serve, until: Until
    ) -> None:
        gate = asyncio.Event()
        running = await serve(gate=gate, header_timeout=0.1)
        wire = await running.connect()
        wire.send(GET + GET[:10])
        await until(lambda: running.server.refused)
        gate.set()

        assert (await wire.answer())[0] == 200
        assert (await wire.answer())[0] == 408

    async def test_a_slow_handler_is_nobodys_timeout(self, serve: Serve) -> None:
        gate = asyncio.Event()
        running = await serve(gate=gate, header_timeout=0.05, idle_timeout=0.05, body_timeout=0.05)
        wire = await running.connect()
        wire.send(POST + b"Content-Length: 1\r\n\r\nx")
        await asyncio.sleep(0.3)
        gate.set()

        assert (await wire.answer())[0] == 200

    async def test_a_client_that_never_reads_is_aborted(self, serve: Serve, until: Until) -> None:
        async def large(request: http.Request) -> http.Response:
            return http.Response(200, [], bytes(20_000_000))

        running = await serve(large, write_timeout=0.1, minimum_rate=1_000_000)
        wire = await running.connect()
        wire.transport.pause_reading()
        wire.send(GET)
        await until(lambda: running.server.open_connections)
        await until(lambda: not running.server.open_connections)

    async def test_a_client_that_never_reads_a_last_answer_is_aborted(
        self, serve: Serve, until: Until
    ) -> None:
        async def large(request: http.Request) -> http.Response:
            return http.Response(200, [], bytes(20_000_000))

        running = await serve(large, write_timeout=0.1, minimum_rate=1_000_000)
        wire = await running.connect()
        wire.transport.pause_reading()
        wire.send(GET[:-2] + b"Connection: close\r\n\r\n")
        await running.application.arrived.wait()
        await until(lambda: not running.server.open_connections)

    @pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
    async def test_a_client_that_reads_slowly_gets_all(
        self, serve: Serve, connection: bytes
    ) -> None:
        size = 30_000_000

        async def large(request: http.Request) -> http.Response:
            return http.Response(200, [], bytes(size))

        running = await serve(large, write_timeout=0.2, minimum_rate=1_000_000)
        wire = await running.connect()
        wire.send(GET[:-2] + b"Connection: " + connection + b"\r\n\r\n")
        await wire.head()
        read = 0
        while read < size:
            read += len(await wire.reader.read(300_000))
            await asyncio.sleep(0.005)

    async def test_a_refused_client_that_stays_is_let_go(self, serve: Serve) -> None:
        running = await serve(linger_timeout=0.1)
        wire = await running.connect()
        wire.send(b"garbage\r\n\r\n")
        await wire.answer()
        # Our half stays open: the server does not wait for it for ever.
        async with asyncio.timeout(5):
            while running.server.open_connections:
                wire.send(b"more")
                await asyncio.sleep(0.01)


async def test_connections_beyond_the_limit_are_told_so(serve: Serve, until: Until) -> None:
    running = await serve(max_connections=2)
    first, second = await running.connect(), await running.connect()
    for wire in (first, second):
        wire.send(GET)
        assert (await wire.answer())[0] == 200
    third = await running.connect()
    third.send(GET)
    status, fields, _ = await third.answer()

    assert (status, fields["retry-after"]) == (503, "1")
    assert running.application.refused == [(None, 503)]
    assert await third.rest() == b""
    await third.close()
    await first.close()
    await until(lambda: running.server.open_connections <= 1)
    assert await running.is_serving()


async def test_a_crowd_beyond_the_limit_costs_a_bounded_number_of_sockets(serve: Serve) -> None:
    running = await serve(max_connections=1)
    for _ in range(100):
        await running.connect()
    await asyncio.sleep(0.05)

    assert running.server.open_connections <= 1 + 64


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_garbage_never_stops_the_server(data: st.DataObject) -> None:
    pieces = data.draw(
        st.lists(
            st.one_of(
                st.binary(max_size=200),
                st.sampled_from([sent for sent, _ in REFUSED.values()]),
                st.sampled_from(
                    [
                        GET,
                        CHUNKED,
                        POST,
                        b"\r\n",
                        b"Content-Length: 5\r\n\r\n",
                        b"0\r\n\r\n",
                        b"5\r\n",
                    ]
                ),
            ),
            max_size=8,
        )
    )

    async def converse() -> None:
        application = _Ok()
        server = http.Server(application, http.ServerLimits(), on_error=application.on_error)
        port = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        writer.write_eof()
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                await reader.read(-1)
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert await server.drain(5) == 0
        assert head.startswith(b"HTTP/1.1 200 ")
        assert application.errors == []

    asyncio.run(converse())


class _Ok:
    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def admit(self, head: http.Head) -> int:
        return 100

    async def handle(self, request: http.Request) -> http.Response:
        await asyncio.sleep(0)
        return http.Response(200, [], request.body)

    def on_error(self, error: Exception, head: http.Head | None) -> None:
        self.errors.append(error)
