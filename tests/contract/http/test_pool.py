"""Who gets which connection, who waits, and that no place is ever lost."""

from __future__ import annotations

import asyncio
import random
import socket
from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus_runtime import http

if TYPE_CHECKING:
    from tests.contract.http.conftest import Peer, StartPeer, Until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


class Limits(TypedDict, total=False):
    """Those of `http.ClientLimits` that tests here set."""

    max_connections: int
    idle_timeout: float


def client_of(upstream: Peer, **limits: Unpack[Limits]) -> http.Client:
    return http.Client(
        http.Origin("http", "127.0.0.1", upstream.port), limits=http.ClientLimits(**limits)
    )


class Gate:
    """A peer that answers when a test lets it."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.permits = asyncio.Semaphore(0)
        self.came = asyncio.Event()

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.arrived.append(head.split(b" ")[1].decode())
            self.came.set()
            await self.permits.acquire()
            writer.write(OK)

    def let(self, count: int) -> None:
        for _ in range(count):
            self.permits.release()


async def test_connections_are_bounded_and_waiters_served_in_order(
    peer: StartPeer, until: Until
) -> None:
    gate = Gate()
    upstream = await peer(gate)
    client = client_of(upstream, max_connections=2)
    sends = [asyncio.create_task(client.send("GET", f"/{n}", deadline=soon())) for n in range(6)]
    await until(lambda: len(gate.arrived) >= 2)

    assert (client.open_connections, client.idle_connections, client.waiting) == (2, 0, 4)

    def have_ended(count: int) -> bool:
        return sum(send.done() for send in sends) >= count

    for served in range(1, 7):
        gate.let(1)
        await until(partial(have_ended, served))
    assert sorted(gate.arrived[:2]) == ["/0", "/1"]
    assert gate.arrived[2:] == ["/2", "/3", "/4", "/5"]
    assert (upstream.connections, client.opened) == (2, 2)
    await client.aclose()


async def test_a_freed_connection_serves_who_waits_for_a_new_one(
    peer: StartPeer, until: Until
) -> None:
    """Whatever comes first is taken; the other goes to the pool."""
    gate = Gate()
    upstream = await peer(gate)
    client = client_of(upstream, max_connections=10)
    gate.let(100)
    await asyncio.gather(*[client.send("GET", "/", deadline=soon()) for _ in range(10)])
    await until(lambda: client.idle_connections >= client.open_connections)

    assert client.open_connections <= 10
    await client.aclose()


@pytest.mark.parametrize("phase", ["pool", "response"])
async def test_the_deadline_says_what_took_too_long(peer: StartPeer, phase: str) -> None:
    gate = Gate()
    upstream = await peer(gate)
    client = client_of(upstream, max_connections=1)
    first = asyncio.create_task(
        client.send("GET", "/", deadline=soon(5 if phase == "pool" else 0.1))
    )
    await gate.came.wait()
    late = first if phase == "response" else client.send("GET", "/", deadline=soon(0.1))
    with pytest.raises(http.DeadlineExceeded) as caught:
        await late

    assert (caught.value.phase, caught.value.sent) == (phase, phase == "response")
    gate.let(1)
    if phase == "pool":
        assert (await first).body == b"ok"
    assert client.waiting == 0
    await client.aclose()
    assert client.open_connections == 0


async def test_a_deadline_that_has_passed_sends_nothing(peer: StartPeer) -> None:
    upstream = await peer(Gate())
    client = client_of(upstream)
    with pytest.raises(http.DeadlineExceeded) as caught:
        await client.send("GET", "/", deadline=soon(-1))

    assert caught.value.sent is False
    assert upstream.connections == 0
    await client.aclose()


async def test_a_connect_that_hangs_ends_with_the_deadline_or_its_own_limit() -> None:
    # A listener whose backlog is full answers no more.
    listener = _full_listener()
    port = listener.getsockname()[1]
    origin = http.Origin("http", "127.0.0.1", port)
    client = http.Client(origin, limits=http.ClientLimits(connect_timeout=0.4))
    with pytest.raises(http.DeadlineExceeded) as caught:
        await client.send("GET", "/", deadline=soon(0.1))

    assert (caught.value.phase, caught.value.sent) == ("connect", False)
    with pytest.raises(http.ConnectFailed):
        await client.send("GET", "/", deadline=soon(5))
    await client.aclose()
    assert client.open_connections == 0
    for raw in (listener, *_held):
        raw.close()
    _held.clear()


_held: list[socket.socket] = []


def _full_listener() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(2):
        raw = socket.socket()
        raw.setblocking(False)
        raw.connect_ex(listener.getsockname())
        _held.append(raw)
    return listener


async def test_deadlines_of_many_lengths_each_hold(peer: StartPeer) -> None:
    """One timer per connection serves them all, also a shorter deadline behind a longer one."""
    gate = Gate()
    upstream = await peer(gate)
    client = client_of(upstream, max_connections=1)
    gate.let(2)
    await client.send("GET", "/", deadline=soon(60))
    await client.send("GET", "/", deadline=soon(0.05))
    began = soon(0)
    with pytest.raises(http.DeadlineExceeded):
        await client.send("GET", "/", deadline=soon(0.2))

    assert 0.19 <= soon(0) - began < 2
    await client.aclose()


async def test_idle_connections_close_after_their_time(peer: StartPeer, until: Until) -> None:
    gate = Gate()
    upstream = await peer(gate)
    client = client_of(upstream, idle_timeout=0.1)
    gate.let(2)
    await client.send("GET", "/", deadline=soon(60))

    assert client.idle_connections == 1
    await until(lambda: not client.open_connections)
    assert client.idle_connections == 0
    assert (await client.send("GET", "/", deadline=soon())).body == b"ok"
    await client.aclose()


@pytest.mark.parametrize("farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"], ids=repr)
async def test_an_idle_connection_that_the_peer_ends_is_dropped(
    peer: StartPeer, farewell: bytes, until: Until
) -> None:
    end = asyncio.Event()

    async def converse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        if number == 1:
            await end.wait()
            writer.write(farewell)
        else:
            await reader.read(-1)

    upstream = await peer(converse)
    client = client_of(upstream)
    await client.send("GET", "/", deadline=soon())
    end.set()
    await until(lambda: not client.open_connections)

    assert client.idle_connections == 0
    assert (await client.send("POST", "/", deadline=soon())).body == b"ok"
    assert client.repeated == 0
    await client.aclose()


async def test_closing_waits_for_what_has_begun(peer: StartPeer) -> None:
    gate = Gate()
    upstream = await peer(gate)
    client = client_of(upstream, max_connections=1)
    sends = [asyncio.create_task(client.send("GET", "/", deadline=soon())) for _ in range(3)]
    await gate.came.wait()
    closing = asyncio.create_task(client.aclose())
    await asyncio.sleep(0)
    with pytest.raises(http.ClientClosed):
        await client.send("GET", "/", deadline=soon())
    assert not closing.done()
    gate.let(3)

    assert [(await send).body for send in sends] == [b"ok"] * 3
    await closing
    assert client.open_connections == 0


class TestCancelling:
    async def test_while_waiting_for_a_connection_leaves_the_others_alone(
        self, peer: StartPeer
    ) -> None:
        gate = Gate()
        upstream = await peer(gate)
        client = client_of(upstream, max_connections=1)
        sends = [
            asyncio.create_task(client.send("GET", f"/{n}", deadline=soon())) for n in range(3)
        ]
        await gate.came.wait()
        sends[1].cancel()
        await asyncio.wait([sends[1]])

        assert client.waiting == 1
        gate.let(2)
        assert (await sends[2]).body == b"ok"
        assert gate.arrived == ["/0", "/2"]
        await asyncio.gather(sends[0])
        await client.aclose()

    async def test_while_waiting_for_the_response_closes_the_connection(
        self, peer: StartPeer
    ) -> None:
        gate = Gate()
        upstream = await peer(gate)
        client = client_of(upstream, max_connections=1)
        sending = asyncio.create_task(client.send("GET", "/", deadline=soon()))
        await gate.came.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        gate.let(2)

        assert (await client.send("GET", "/", deadline=soon())).body == b"ok"
        assert upstream.connections == 2
        await client.aclose()

    async def test_while_connecting_keeps_the_connection_for_others(
        self, peer: StartPeer, until: Until
    ) -> None:
        gate = Gate()
        upstream = await peer(gate)
        client = client_of(upstream)
        sending = asyncio.create_task(client.send("GET", "/", deadline=soon()))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
        await until(lambda: client.idle_connections)
        gate.let(1)

        assert (await client.send("GET", "/", deadline=soon())).body == b"ok"
        assert client.opened == 1
        await client.aclose()

    async def test_after_the_response_leaves_the_connection_to_its_next_user(
        self, peer: StartPeer, until: Until
    ) -> None:
        gate = Gate()
        upstream = await peer(gate)
        client = client_of(upstream, max_connections=1)
        first = asyncio.create_task(client.send("GET", "/0", deadline=soon()))
        second = asyncio.create_task(client.send("GET", "/1", deadline=soon()))
        await gate.came.wait()
        gate.let(1)
        # the link begins the second request before the first task wakes
        await until(lambda: not client.waiting)
        first.cancel()
        await asyncio.wait([first])
        gate.let(1)

        assert (await second).body == b"ok"
        assert upstream.connections == 1
        await client.aclose()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    requests=st.integers(1, 40),
    places=st.integers(1, 5),
)
def test_no_place_is_lost_whatever_happens(seed: int, requests: int, places: int) -> None:
    """Peers that close, stall, answer in halves; callers that cancel; deadlines that pass."""
    asyncio.run(_turmoil(random.Random(seed), requests, places))


async def _turmoil(chance: random.Random, requests: int, places: int) -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                what = chance.random()
                if what < 0.1:
                    break
                if what < 0.2:
                    writer.write(OK[:20])
                    break
                if what < 0.25:
                    await asyncio.sleep(1)
                if what < 0.3:
                    writer.write(b"garbage\r\n\r\n")
                if what < 0.4:
                    await asyncio.sleep(0.005)
                writer.write(OK)
                if what > 0.9:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(accepted, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = http.Client(
        http.Origin("http", "127.0.0.1", port),
        limits=http.ClientLimits(max_connections=places, idle_timeout=0.02),
    )
    outcomes: list[int | str] = []

    async def one() -> None:
        await asyncio.sleep(chance.random() * 0.02)
        try:
            response = await client.send(
                chance.choice(["GET", "POST"]), "/", deadline=soon(chance.random() * 0.05)
            )
            outcomes.append(response.status)
        except http.ClientError as error:
            outcomes.append(type(error).__name__)

    tasks = [asyncio.create_task(one()) for _ in range(requests)]
    for task in tasks:
        if chance.random() < 0.3:
            asyncio.get_running_loop().call_later(chance.random() * 0.04, task.cancel)
    await asyncio.wait(tasks)

    assert client.waiting == 0
    assert client.open_connections <= places
    async with asyncio.timeout(3):
        await client.aclose()
    assert (client.open_connections, client.idle_connections, client.waiting) == (0, 0, 0)
    listener.close()
    current = asyncio.current_task()
    rest = [task for task in asyncio.all_tasks() if task is not current]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
