"""What the client makes of its peers: sound ones, slow ones, broken ones."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from asyncio import StreamReader, StreamWriter
from functools import partial
from typing import TYPE_CHECKING

import pytest

from isthmus_runtime import http

if TYPE_CHECKING:
    from tests.contract.http.conftest import Converse, Peer, Running, Serve, StartPeer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def read_request(reader: StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + await reader.readexactly(length)


def answering(*answers: bytes, close_after: bool = True) -> Converse:
    """A peer that reads a request and writes the next answer, per connection."""

    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()
        if not close_after:
            await reader.read(-1)

    return converse


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def client_of(upstream: Peer | Running, **limits: int) -> http.Client:
    return http.Client(
        http.Origin("http", "127.0.0.1", upstream.port), limits=http.ClientLimits(**limits)
    )


async def test_who_sends_is_told_when_the_request_went_out(peer: StartPeer) -> None:
    """Not before there is a connection for it; and again where it had to be written again."""
    gate = asyncio.Event()

    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        await gate.wait()
        writer.write(OK)
        if number == 1:
            await read_request(reader)  # and closes without a word
            writer.close()

    upstream = await peer(converse)
    client = client_of(upstream, max_connections=1)
    told: list[str] = []
    out = asyncio.Event()

    def tell(name: str) -> None:
        told.append(name)
        out.set()

    first, second = (
        asyncio.create_task(client.send("GET", "/", deadline=soon(), sent=partial(tell, name)))
        for name in ("first", "second")
    )
    async with asyncio.timeout(10):
        await out.wait()
    assert told == ["first"]
    gate.set()
    await asyncio.gather(first, second)
    await client.aclose()

    assert told == ["first", "second", "second"]


async def test_a_request_is_written_as_one_would_expect(peer: StartPeer) -> None:
    seen: list[bytes] = []

    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(OK)

    upstream = await peer(converse)
    client = client_of(upstream)
    await client.send(
        "GET", "/a?b=c%20d", [(b"X-One", b"1"), (b"connection", b"x")], deadline=soon()
    )
    await client.send("POST", b"/p", [(b"content-length", b"9")], b"body", deadline=soon())
    await client.send("PUT", "/", [(b"host", b"h"), (b"accept-encoding", b"br")], deadline=soon())
    await client.aclose()
    port = upstream.port

    assert seen == [
        b"GET /a?b=c%%20d HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: gzip\r\n"
        b"x-one: 1\r\n\r\n" % port,
        b"POST /p HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: gzip\r\n"
        b"content-length: 4\r\n\r\nbody" % port,
        b"PUT / HTTP/1.1\r\nhost: h\r\naccept-encoding: br\r\ncontent-length: 0\r\n\r\n",
    ]
    assert upstream.connections == 1


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (("http", "a.example", 80), "a.example"),
        (("https", "a.example", 443), "a.example"),
        (("https", "a.example", 80), "a.example:80"),
        (("http", "::1", 8080), "[::1]:8080"),
        (("http", "::1", 80), "[::1]"),
    ],
)
def test_the_port_is_named_where_it_is_not_the_usual(
    origin: tuple[str, str, int], authority: str
) -> None:
    assert http.Origin(*origin).authority == authority


@pytest.mark.parametrize("origin", [("ftp", "a", 1), ("http", "", 1), ("http", "a b", 1)])
def test_an_origin_that_is_none_is_refused(origin: tuple[str, str, int]) -> None:
    with pytest.raises(ValueError, match="not"):
        http.Origin(*origin)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as raw:
            raw.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_an_ipv6_peer_is_reached() -> None:
    async def accepted(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await reader.read(-1)
        writer.close()
        closed.set()

    closed = asyncio.Event()
    listener = await asyncio.start_server(accepted, "::1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = http.Client(http.Origin("http", "::1", port))

    assert (await client.send("GET", "/", deadline=soon())).body == b"ok"
    await client.aclose()
    await closed.wait()
    listener.close()


RESPONSES = {
    "with a length": (OK, b"ok"),
    "without a reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "chunked with trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1;x=y\r\no\r\n1\r\nk\r\n0\r\nX-T: 1\r\n\r\n",
        b"ok",
    ),
    "behind interim responses": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
        b"ok",
    ),
    "in gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n"
        + gzip.compress(b"ok", mtime=0),
        b"ok",
    ),
    "in deflate": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 10\r\n\r\n"
        + zlib.compress(b"ok"),
        b"ok",
    ),
    "without content": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "not modified, with a length": (b"HTTP/1.1 304 NM\r\nContent-Length: 99\r\n\r\n", b""),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
}


@pytest.mark.parametrize(("sent", "body"), RESPONSES.values(), ids=RESPONSES.keys())
@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "byte by byte"])
async def test_a_response_arrives_and_the_connection_is_used_again(
    peer: StartPeer, sent: bytes, body: bytes, bytewise: bool
) -> None:
    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        while True:
            await read_request(reader)
            for start in range(len(sent) if bytewise else 1):
                writer.write(sent[start : start + 1] if bytewise else sent)
                await asyncio.sleep(0)

    upstream = await peer(converse)
    client = client_of(upstream)
    for _ in range(3):
        response = await client.send("GET", "/", deadline=soon())

        assert response.body == body
        assert response.status in (200, 204, 304)
        names = [name for name, _ in response.headers]
        assert b"content-encoding" not in names
        assert b"link" not in names
        assert b"x-t" not in names
    assert upstream.connections == 1
    assert (client.open_connections, client.idle_connections, client.waiting) == (1, 1, 0)
    await client.aclose()


async def test_head_has_no_body_whatever_its_length_says(peer: StartPeer) -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nContent-Encoding: gzip\r\n\r\n"
    upstream = await peer(answering(sent, sent, OK))
    client = client_of(upstream, max_response_bytes=10)
    for _ in range(2):
        response = await client.send("HEAD", "/", deadline=soon())

        assert response.body == b""
        assert http.header(response.headers, b"content-length") == b"1000000"
    assert (await client.send("GET", "/", deadline=soon())).body == b"ok"
    assert upstream.connections == 1
    await client.aclose()


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\n\r\nall of it",
        b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nall of it",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nall of it",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of itand more",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it" + OK,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nall of it" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nall of it",
    ],
    ids=repr,
)
async def test_a_connection_that_cannot_go_on_is_not_used_again(
    peer: StartPeer, sent: bytes
) -> None:
    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        writer.write(sent if number == 1 else OK)

    upstream = await peer(converse)
    client = client_of(upstream)

    assert (await client.send("GET", "/", deadline=soon())).body == b"all of it"
    assert (await client.send("POST", "/", deadline=soon())).body == b"ok"
    assert upstream.connections == 2
    await client.aclose()


async def test_a_response_may_come_before_the_request_is_through(peer: StartPeer) -> None:
    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await reader.read(-1)

    upstream = await peer(converse)
    client = client_of(upstream)
    response = await client.send("POST", "/", body=bytes(50_000_000), deadline=soon())

    assert (response.status, response.body) == (413, b"no")
    assert client.idle_connections == 0
    await client.aclose()


MALFORMED = {
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
    "length and chunked": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "an unasked upgrade": b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "an unasked switch": b"HTTP/1.1 101 S\r\n\r\n",
    "an unknown transfer-encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx",
    "a coding that is not so": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    ),
    "a coded body cut short": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n"
        + gzip.compress(b"x" * 99)[:15]
    ),
    "a coded body cut short by the close": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 99)[:15]
    ),
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "endless trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 100_000
    ),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_response_is_called_so(peer: StartPeer, sent: bytes) -> None:
    upstream = await peer(answering(sent))
    client = client_of(upstream)
    with pytest.raises(http.MalformedResponse) as caught:
        await client.send("GET", "/", deadline=soon())

    assert caught.value.sent is True
    await client.aclose()
    assert client.open_connections == 0


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200", OK[:-1], OK[:20]], ids=repr)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_broken_response_says_how_much_had_come(
    peer: StartPeer, sent: bytes, method: str
) -> None:
    upstream = await peer(answering(sent))
    client = client_of(upstream)
    with pytest.raises(http.ConnectionBroken) as caught:
        await client.send(method, "/", deadline=soon())

    assert caught.value.received == len(sent)
    assert caught.value.sent is True
    assert upstream.connections == 1  # a fresh connection is no ground to try again
    await client.aclose()


class TestTooLarge:
    """The client stops early, whatever the peer would go on to send."""

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5f5e100\r\n",
        ],
        ids=["until the close", "chunked"],
    )
    async def test_an_endless_body(self, peer: StartPeer, head: bytes) -> None:
        written = 0

        async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
            nonlocal written
            await read_request(reader)
            writer.write(head)
            while written < 100_000_000:
                writer.write(bytes(100_000))
                await writer.drain()
                written += 100_000

        upstream = await peer(converse)
        client = client_of(upstream, max_response_bytes=1_000_000)
        with pytest.raises(http.ResponseTooLarge) as caught:
            await client.send("GET", "/", deadline=soon())

        assert caught.value.limit == 1_000_000
        assert written < 50_000_000
        await client.aclose()
        assert client.open_connections == 0

    async def test_a_length_is_believed(self, peer: StartPeer) -> None:
        upstream = await peer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"))
        client = client_of(upstream)
        with pytest.raises(http.ResponseTooLarge):
            await client.send("GET", "/", deadline=soon())
        await client.aclose()

    async def test_a_bomb(self, peer: StartPeer) -> None:
        packed = gzip.compress(bytes(50_000_000))
        upstream = await peer(
            answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed)
        )
        client = client_of(upstream)
        with pytest.raises(http.ResponseTooLarge) as caught:
            await client.send("GET", "/", deadline=soon(), max_response_bytes=1_000_000)

        assert caught.value.limit == 1_000_000
        await client.aclose()

    @pytest.mark.parametrize("end", [b"\r\n\r\nok", b""], ids=["whole", "endless"])
    async def test_a_head(self, peer: StartPeer, end: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000
        upstream = await peer(answering(head + end, close_after=False))
        client = client_of(upstream)
        with pytest.raises(http.ResponseTooLarge) as caught:
            await client.send("GET", "/", deadline=soon())

        assert caught.value.limit == 64 * 1024
        await client.aclose()


class TestRepeating:
    """A reused connection may close under a request; is it safe to send that again?"""

    @staticmethod
    def closing_once(answer_first: bytes = OK) -> tuple[Converse, list[bytes]]:
        seen: list[bytes] = []

        async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
            seen.append(await read_request(reader))
            writer.write(answer_first)
            seen.append(await read_request(reader))
            if number == 1:
                return  # without a byte
            writer.write(OK)

        return converse, seen

    @pytest.mark.parametrize(
        ("method", "repeatable", "again"),
        [("GET", False, True), ("PUT", False, True), ("POST", True, True), ("POST", False, False)],
    )
    async def test_only_a_safe_request_is_sent_again(
        self, peer: StartPeer, method: str, repeatable: bool, again: bool
    ) -> None:
        converse, seen = self.closing_once()
        upstream = await peer(converse)
        client = client_of(upstream, max_connections=1)
        await client.send("GET", "/first", deadline=soon())
        sending = client.send(method, "/second", deadline=soon(), repeatable=repeatable)
        if again:
            assert (await sending).body == b"ok"
        else:
            with pytest.raises(http.ConnectionBroken) as caught:
                await sending
            assert (caught.value.received, caught.value.sent) == (0, True)

        assert len(seen) == (3 if again else 2)
        assert client.repeated == int(again)
        await client.aclose()
        assert client.open_connections == 0

    async def test_it_is_sent_again_once_only(self, peer: StartPeer) -> None:
        async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
            await read_request(reader)
            if number == 1:
                writer.write(OK)
                await read_request(reader)

        upstream = await peer(converse)
        client = client_of(upstream)
        await client.send("GET", "/", deadline=soon())
        with pytest.raises(http.ConnectionBroken):
            await client.send("GET", "/", deadline=soon())

        assert upstream.connections == 2
        await client.aclose()

    async def test_not_where_a_response_had_begun(self, peer: StartPeer) -> None:
        async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
            await read_request(reader)
            writer.write(OK)
            await read_request(reader)
            writer.write(OK[:9])

        upstream = await peer(converse)
        client = client_of(upstream)
        await client.send("GET", "/", deadline=soon())
        with pytest.raises(http.ConnectionBroken) as caught:
            await client.send("GET", "/", deadline=soon())

        assert caught.value.received == 9
        assert upstream.connections == 1
        await client.aclose()


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/", [(b"x", b"a\r\nevil: 1")]),
        ("GET", "/", [(b"x", b"a\r\n")]),
        ("GET", "/", [(b"x", b"a\n")]),
        ("GET", "/", [(b"x", b"a\0")]),
        ("GET", "/", [(b"x\r\ny", b"a")]),
        ("GET", "/", [(b"x y", b"a")]),
        ("GET", "/", [(b"host", b"a\r\nevil: 1")]),
        ("GET", "/ HTTP/1.1\r\nevil: 1", []),
        ("GET", "/a b", []),
        ("GET", "/é", []),
        ("GET", "", []),
        ("GET /x", "/", []),
        ("GÉT", "/", []),
    ],
    ids=repr,
)
async def test_an_unsafe_request_is_not_sent(
    peer: StartPeer, method: str, target: str, headers: list[http.Header]
) -> None:
    upstream = await peer(answering(OK))
    client = client_of(upstream)
    with pytest.raises(http.UnsafeHeader):
        await client.send(method, target, headers, deadline=soon())

    assert upstream.connections == 0
    await client.aclose()


async def test_a_refused_connection_is_named(peer: StartPeer) -> None:
    listener = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    client = http.Client(http.Origin("http", "127.0.0.1", port))
    with pytest.raises(http.ConnectFailed, match=f"127.0.0.1:{port}") as caught:
        await client.send("POST", "/", deadline=soon())

    assert caught.value.sent is False
    assert client.open_connections == client.waiting == 0
    await client.aclose()


async def test_a_host_that_does_not_resolve_is_a_failure_to_connect() -> None:
    client = http.Client(http.Origin("http", "no-such-host.invalid", 80))
    with pytest.raises(http.ConnectFailed):
        await client.send("GET", "/", deadline=soon(20))
    await client.aclose()


async def test_tls_to_a_peer_without_it_is_a_failure_to_connect(peer: StartPeer) -> None:
    upstream = await peer(answering(OK))
    client = http.Client(
        http.Origin("https", "127.0.0.1", upstream.port),
        limits=http.ClientLimits(connect_timeout=0.3),
    )
    with pytest.raises(http.ConnectFailed):
        await client.send("GET", "/", deadline=soon())
    await client.aclose()
    assert client.open_connections == 0


async def test_our_client_and_our_server_understand_each_other(serve: Serve) -> None:
    async def echo(request: http.Request) -> http.Response:
        fields = http.end_to_end(request.head.headers)
        return http.Response(201, fields, request.body)

    running = await serve(echo, admission=10_000_000)
    client = client_of(running)
    for size in (0, 1, 1023, 1024, 100_000, 5_000_000):
        body = b"x" * size
        response = await client.send(
            "POST", "/", [(b"content-type", b"text/plain")], body, deadline=soon()
        )

        assert (response.status, response.body) == (201, body)
    assert client.opened == 1
    await client.aclose()
