"""Answers that are read while they come in, at the pace of their reader."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest

from isthmus_runtime import http
from isthmus_runtime.http import streams

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from tests.contract.http.conftest import Peer, StartPeer

MOST = 16 * 1024
LIMIT = 64 * 1024 * 1024


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


def client_of(upstream: Peer) -> http.Client:
    return http.Client(http.Origin("http", "127.0.0.1", upstream.port))


async def read_request(reader: StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


def stream(limit: int = LIMIT, patience: float = 5.0) -> http.Stream:
    return http.Stream(limit=limit, patience=patience)


def begin(client: http.Client, into: http.Stream) -> asyncio.Task[http.Response]:
    sending = asyncio.create_task(client.send("GET", "/", deadline=soon(), into=into))
    sending.add_done_callback(into.end)
    return sending


async def all_of(into: http.Stream) -> list[bytes]:
    return [piece async for piece in into.pieces(MOST)]


def framed(body: bytes, *lines: bytes, status: int = 200) -> bytes:
    return b"\r\n".join(
        [b"HTTP/1.1 %d Said" % status, b"content-length: %d" % len(body), *lines, b"", body]
    )


async def test_a_body_comes_in_pieces_and_its_connection_goes_on(peer: StartPeer) -> None:
    body = bytes(range(256)) * 4096

    async def twice(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        writer.write(framed(body))
        await read_request(reader)
        writer.write(framed(gzip.compress(body), b"content-encoding: gzip"))
        await writer.drain()

    client = client_of(await peer(twice))
    for _ in range(2):
        into = stream()
        sending = begin(client, into)
        pieces = await all_of(into)
        answer = await sending

        assert b"".join(pieces) == body
        assert max(map(len, pieces)) <= MOST
        assert (answer.status, answer.body) == (200, b"")
        into.check_end()
    assert client.opened == 1
    await client.aclose()


async def test_what_nobody_reads_is_not_taken_from_the_peer(peer: StartPeer) -> None:
    sent = 0

    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LIMIT)
        while sent < LIMIT:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    into = stream(patience=0.2)
    client = client_of(await peer(converse))
    sending = begin(client, into)
    pieces = into.pieces(MOST)
    got = len(await anext(pieces))
    await asyncio.sleep(1.0)  # by far more than the patience, which is for the peer alone
    held = sent

    got += sum([len(piece) async for piece in pieces])
    await sending

    assert held < LIMIT / 2
    assert got == LIMIT
    await client.aclose()


async def test_a_peer_that_stalls_is_waited_for_as_long_as_it_may(peer: StartPeer) -> None:
    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
        await reader.read()

    into = stream(patience=0.1)
    client = client_of(await peer(converse))
    sending = begin(client, into)

    assert await all_of(into) == [b"abc"]
    with pytest.raises(http.DeadlineExceeded):
        await sending
    await client.aclose()


@pytest.mark.parametrize("status", [404, 503, 204])
async def test_only_a_good_answer_goes_into_the_stream(peer: StartPeer, status: int) -> None:
    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        writer.write(framed(b"" if status == 204 else b"why", status=status))
        await reader.read()

    into = stream(limit=1)
    client = client_of(await peer(converse))
    sending = begin(client, into)
    answer = await sending

    assert (answer.status, answer.body) == (status, b"" if status == 204 else b"why")
    assert not into.has_begun
    await client.aclose()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n", id="announced"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000, id="as it comes"),
        pytest.param(
            framed(gzip.compress(b"x" * 100_000), b"content-encoding: gzip"), id="decoded"
        ),
    ],
)
async def test_more_than_the_limit_is_too_large(peer: StartPeer, sent: bytes) -> None:
    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        writer.write(sent)
        await reader.read()

    into = stream(limit=1000)
    client = client_of(await peer(converse))
    sending = begin(client, into)

    async def read() -> None:
        await all_of(into)
        await sending

    with pytest.raises(http.ResponseTooLarge):
        await read()
    await client.aclose()


async def test_a_reader_that_leaves_closes_the_connection(peer: StartPeer) -> None:
    gone = asyncio.Event()

    async def converse(reader: StreamReader, writer: StreamWriter, number: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * streams.HELD)
        try:
            await reader.read()
        except ConnectionResetError:
            gone.set()

    into = stream()
    client = client_of(await peer(converse))
    sending = begin(client, into)
    await anext(into.pieces(MOST))
    sending.cancel()

    async with asyncio.timeout(10):
        await gone.wait()
    await client.aclose()
