"""Draining: nothing in flight is lost, nothing new begins, and it ends in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from isthmus_runtime import http

if TYPE_CHECKING:
    from tests.contract.http.conftest import Serve, Until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_what_is_in_flight_is_answered_and_closed(serve: Serve, until: Until) -> None:
    gate = asyncio.Event()
    running = await serve(gate=gate)
    wires = [await running.connect() for _ in range(5)]
    for wire in wires:
        wire.send(GET)
    await until(lambda: running.server.in_flight >= 5)
    draining = asyncio.create_task(running.server.drain(5))
    await asyncio.sleep(0.1)
    gate.set()
    for wire in wires:
        status, fields, _ = await wire.answer()

        assert (status, fields["connection"]) == (200, "close")
        assert await wire.rest() == b""
        await wire.close()
    assert await draining == 0


async def test_idle_connections_are_closed_and_new_ones_refused(serve: Serve) -> None:
    running = await serve()
    used, fresh = await running.connect(), await running.connect()
    used.send(GET)
    await used.answer()
    draining = asyncio.create_task(running.server.drain(5))

    assert await used.rest() == b""
    assert await fresh.rest() == b""
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await running.connect()
    assert await draining == 0


async def test_a_request_on_its_way_when_draining_begins_is_answered(serve: Serve) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(GET)
    await wire.answer()
    wire.send(GET)
    draining = asyncio.create_task(running.server.drain(5))
    status, fields, _ = await wire.answer()

    assert (status, fields["connection"]) == (200, "close")
    await wire.close()
    assert await draining == 0


async def test_a_request_half_received_is_awaited(serve: Serve, until: Until) -> None:
    running = await serve()
    wire = await running.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
    await until(lambda: running.application.heads)
    draining = asyncio.create_task(running.server.drain(5))
    await asyncio.sleep(0.1)
    wire.send(b"cd")
    status, fields, _ = await wire.answer()

    assert (status, fields["connection"]) == (200, "close")
    await wire.close()
    assert await draining == 0


async def test_all_that_was_pipelined_is_answered(serve: Serve, until: Until) -> None:
    gate = asyncio.Event()
    running = await serve(gate=gate)
    wire = await running.connect()
    wire.send(GET * 10)
    await until(lambda: running.server.in_flight >= 10)
    draining = asyncio.create_task(running.server.drain(5))
    await asyncio.sleep(0.1)
    gate.set()
    answers = [await wire.answer() for _ in range(10)]

    assert [status for status, _, _ in answers] == [200] * 10
    assert answers[-1][1]["connection"] == "close"
    await wire.close()
    assert await draining == 0


async def test_an_early_answer_while_draining_closes(serve: Serve) -> None:
    running = await serve(admission=http.problem(404))
    wire = await running.connect()
    wire.send(GET[:5])
    await asyncio.sleep(0.05)
    draining = asyncio.create_task(running.server.drain(5))
    await asyncio.sleep(0.1)
    wire.send(GET[5:])
    status, fields, _ = await wire.answer()

    assert (status, fields["connection"]) == (404, "close")
    await wire.close()
    assert await draining == 0


async def test_what_is_unfinished_after_the_grace_is_aborted_and_counted(serve: Serve) -> None:
    running = await serve(gate=asyncio.Event())
    busy, half = await running.connect(), await running.connect()
    busy.send(GET)
    half.send(GET[:7])
    await running.application.arrived.wait()

    assert await running.server.drain(0.1) == 2
    assert await busy.rest() == b""
    assert running.server.in_flight == 0
    assert running.application.errors == []


async def test_a_handler_that_defies_cancelling_does_not_hold_up_the_end(
    serve: Serve, until: Until
) -> None:
    release = asyncio.Event()

    async def defiant(request: http.Request) -> http.Response:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return http.Response(200)

    running = await serve(defiant)
    wire = await running.connect()
    wire.send(GET)
    await running.application.arrived.wait()

    assert await running.server.drain(0) == 1
    assert "did not end" in str(running.application.errors[0])
    release.set()
    await until(lambda: not running.server.in_flight)


async def test_under_load_every_request_that_was_taken_is_answered(
    serve: Serve, until: Until
) -> None:
    """Clients go on until their connection closes: an answer to each request that was handled."""
    answered = 0

    async def handle(request: http.Request) -> http.Response:
        await asyncio.sleep(0.002)
        return http.Response(200, [], b"ok")

    running = await serve(handle)

    async def client() -> None:
        nonlocal answered
        wire = await running.connect()
        while True:
            wire.send(GET)
            try:
                _, fields, _ = await wire.answer()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            answered += 1
            if "connection" in fields:
                await wire.close()
                return

    clients = [asyncio.create_task(client()) for _ in range(50)]
    await until(lambda: len(running.application.requests) >= 500)

    assert await running.server.drain(10) == 0
    await asyncio.gather(*clients)
    assert answered == len(running.application.requests)


async def test_while_it_lingers_all_are_served_and_every_answer_is_a_last_one(
    serve: Serve, until: Until
) -> None:
    running = await serve()
    used, idle = await running.connect(), await running.connect()
    for wire in (used, idle):
        wire.send(GET)
        await wire.answer()
    draining = asyncio.create_task(running.server.drain(5, linger=0.5))
    await until(lambda: running.server.is_leaving)
    fresh = await running.connect()
    for wire in (used, fresh):
        wire.send(GET)
        status, fields, _ = await wire.answer()

        assert (status, fields["connection"]) == (200, "close")
        assert await wire.rest() == b""
        await wire.close()
    assert not draining.done()
    idle.send(GET)  # the end of the linger closes what is idle, not its beginning
    status, fields, _ = await idle.answer()

    assert (status, fields["connection"]) == (200, "close")
    await idle.close()
    assert await draining == 0
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await running.connect()


async def test_what_a_client_sends_behind_its_last_answer_does_not_take_that_away(
    serve: Serve, until: Until
) -> None:
    """A socket that is closed with unread bytes is reset, and the answer may go with it."""
    gate = asyncio.Event()
    running = await serve(_large, gate=gate)
    wire = await running.connect()
    wire.send(GET)
    await running.application.arrived.wait()
    draining = asyncio.create_task(running.server.drain(5, linger=0.2))
    await until(lambda: running.server.is_leaving)
    gate.set()
    head = await wire.head()
    wire.send(GET * 100)
    async with asyncio.timeout(5):
        body = await wire.reader.read(-1)

    assert b"\r\nconnection: close\r\n" in head
    assert len(body) == len(LARGE)
    await wire.close()
    assert await draining == 0
    assert len(running.application.requests) == 1


async def test_an_old_connection_is_closed_with_its_next_answer(serve: Serve) -> None:
    running = await serve(max_age=0.1)
    wire = await running.connect()
    async with asyncio.timeout(5):
        while True:
            wire.send(GET)
            status, fields, _ = await wire.answer()
            assert status == 200
            if "connection" in fields:
                break

    assert fields["connection"] == "close"
    assert await wire.rest() == b""
    assert len(running.application.requests) > 1


async def test_connections_that_came_together_do_not_grow_old_together(serve: Serve) -> None:
    now = 1000.0
    server = http.Server(
        _Never(),
        http.ServerLimits(max_age=100, idle_timeout=1000),
        on_error=print,
        clock=lambda: now,
    )
    port = await server.start("127.0.0.1", 0)
    wires = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]

    async def closing() -> int:
        server.sweep()
        said = []
        for reader, writer in wires:
            writer.write(GET)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            await reader.readuntil(b"}")
            said.append(b"connection: close" in head)
        return sum(said)

    assert await closing() == 0
    now += 79
    assert await closing() == 0
    now += 11
    some = await closing()
    assert 0 < some < 40
    for _, writer in wires:
        writer.close()
    assert await server.drain(1) == 0


async def test_an_injected_clock_decides_what_is_late(until: Until) -> None:
    now = 1000.0
    server = http.Server(
        _Never(), http.ServerLimits(idle_timeout=60), on_error=print, clock=lambda: now
    )
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    await reader.readuntil(b"}")
    now += 59.9
    server.sweep()
    writer.write(GET)
    await reader.readuntil(b"}")
    now += 60.1
    server.sweep()

    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert await server.drain(1) == 0


LARGE = b"x" * 1_000_000


async def _large(request: http.Request) -> http.Response:
    return http.Response(200, [], LARGE)


class _Never:
    def admit(self, head: http.Head) -> http.Response:
        return http.problem(404)

    async def handle(self, request: http.Request) -> http.Response:
        raise NotImplementedError
