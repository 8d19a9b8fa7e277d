"""One client connection: requests in, answers out in the same order, and when to let go.

One request is handled at a time; what is pipelined behind it waits in a bounded queue. No timer is
set per connection: `due` and `write_due` are looked at by the server's sweeper.
"""

import asyncio
import math
import random
from collections import deque
from typing import Final

from isthmus_runtime.http import compression, heads, intake, messages, problems, shared

_CLOSE: Final = b"connection: close\r\n"
_KEEP_ALIVE: Final = b"connection: keep-alive\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_INTERNAL: Final = problems.problem(500)
_OVERLOADED: Final = problems.problem(
    503, "there are too many connections", [(b"retry-after", b"1")]
)
_JOINED: Final = 64 * 1024
"""Larger bodies are not copied behind their head, but handed over as they are."""

_Pending = tuple[messages.Head | None, messages.Request | messages.Response, bool]


class Connection(asyncio.Protocol):
    """The protocol of one accepted socket, and the sink of its intake."""

    __slots__ = (
        "_body_began",
        "_busy",
        "_flowing",
        "_half_closed",
        "_intake",
        "_is_old",
        "_lingering",
        "_owes_continue",
        "_paused",
        "_phase",
        "_queue",
        "_received",
        "_rest",
        "_shared",
        "_task",
        "_transport",
        "_unwritten",
        "due",
        "old_at",
        "write_due",
    )

    _transport: asyncio.Transport
    _intake: intake.Intake

    def __init__(self, common: shared.Shared) -> None:
        self._shared = common
        self._queue: deque[_Pending] = deque()
        self._task: asyncio.Task[None] | None = None
        self._flowing: asyncio.Future[None] | None = None
        self._rest = b""
        self._phase: int = intake.HEAD
        self._body_began = 0.0
        self._received = 0
        self._unwritten = 0
        self._busy = False
        self._paused = False
        self._lingering = False
        self._half_closed = False
        self._owes_continue = False
        self._is_old = False
        self.due = math.inf
        self.write_due = math.inf
        self.old_at = math.inf

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        common = self._shared
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._intake = intake.Intake(common.limits, peer[0] if peer else "", self)
        now = common.clock()
        self.due = now + common.limits.header_timeout
        self.old_at = now + common.limits.max_age * random.uniform(0.8, 1)  # noqa: S311
        crowd = len(common.connections) - common.limits.max_connections
        common.connections.add(self)
        if crowd >= 64 + common.limits.max_connections // 8:
            transport.abort()  # even saying no costs a socket
        elif crowd >= 0:
            self.refuse(None, _OVERLOADED)
            self._intake.close()

    def data_received(self, data: bytes) -> None:
        try:
            if len(data) <= intake.SLICE and not self._rest:
                self._intake.feed(data)
            else:
                self._feed_slices(self._rest + data)
        except Exception as error:
            self._shared.on_error(error, None)
            self.abort()
            return
        if self._is_full():
            self._pause()
        elif not self._busy or self._intake.state != intake.IDLE:
            self._set_due()

    def eof_received(self) -> bool:
        # A client may close its half and still wait for what it asked.
        self._half_closed = True
        self._watch_writing()
        return self._busy

    def connection_lost(self, exc: Exception | None) -> None:
        common = self._shared
        self._intake.close()
        self._drop_queue()
        self._let_flow()
        common.connections.discard(self)
        common.note_departure()

    def pause_writing(self) -> None:
        self._flowing = self._shared.loop.create_future()
        self._watch_writing()

    def resume_writing(self) -> None:
        self.write_due = math.inf
        self._let_flow()
        if self._paused and not self._busy:
            self._resume()

    # What the intake calls.

    def admit(self, head: messages.Head, /) -> int | messages.Response:
        try:
            return self._shared.application.admit(head)
        except Exception as error:
            self._shared.on_error(error, head)
            return _INTERNAL

    def request(self, request: messages.Request, keep_alive: bool, /) -> None:
        self._phase = intake.IDLE
        self._owes_continue = False
        self._shared.in_flight += 1
        if self._busy:
            self._queue.append((request.head, request, keep_alive))
            return
        self._busy = True
        self.due = math.inf
        task = self._task = self._shared.loop.create_task(self._serve(request, keep_alive))
        self._shared.tasks.add(task)

    def refuse(self, head: messages.Head | None, answer: messages.Response, /) -> None:
        self.dismiss(head, self._shared.on_refused(head, answer))

    def dismiss(self, head: messages.Head | None, answer: messages.Response, /) -> None:
        self._lingering = True
        self._shared.refused += 1
        self.answer(head, answer, False)

    def answer(
        self, head: messages.Head | None, answer: messages.Response, keep_alive: bool, /
    ) -> None:
        self._phase = intake.IDLE
        if self._busy:
            self._queue.append((head, answer, keep_alive))
        else:
            self._write(head, answer, keep_alive)

    def expects_continue(self) -> None:
        if self._busy:
            self._owes_continue = True
        elif not self._transport.is_closing():
            self._transport.write(_CONTINUE)

    # Reading.

    def _feed_slices(self, data: bytes) -> None:
        self._rest = b""
        view = memoryview(data)
        for start in range(0, len(data), intake.SLICE):
            if self._is_full():
                self._rest = bytes(view[start:])
                return
            self._intake.feed(view[start : start + intake.SLICE])

    def _is_full(self) -> bool:
        """Say whether what we have read waits for a handler, or the client for what it reads."""
        return self._flowing is not None or len(self._queue) >= self._shared.limits.pipelined

    def _pause(self) -> None:
        self._phase = intake.IDLE  # no clock runs while it is us who do not read
        self.due = math.inf
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        self.data_received(b"")

    def _set_due(self) -> None:
        """Start or move the clock of what we wait for: the rest of a head or body, a request."""
        state = self._intake.state
        limits = self._shared.limits
        now = self._shared.clock()
        if state == intake.HEAD:
            if self._phase != intake.HEAD:
                self.due = now + limits.header_timeout
        elif state == intake.BODY:
            received = self._intake.received
            if self._phase != intake.BODY:
                self._body_began = now
                self._received = -1
            if received != self._received:
                self._received = received
                slowest = self._body_began + received / limits.minimum_rate
                self.due = min(now, slowest) + limits.body_timeout
        elif self._busy:
            self.due = math.inf
        elif not self._lingering:
            self.due = now + limits.idle_timeout
        self._phase = state

    # Answering.

    async def _serve(self, request: messages.Request, keep_alive: bool) -> None:
        """Handle one request, then what was pipelined behind it."""
        common = self._shared
        following: tuple[messages.Request, bool] | None = (request, keep_alive)
        try:
            while following is not None:
                request, keep_alive = following
                try:
                    answer = await self._handled(request)
                finally:
                    common.in_flight -= 1
                self._write(request.head, answer, keep_alive)
                if self._flowing is not None:
                    await self._flowing
                following = self._following()
        finally:
            self._busy = False
            if following is not None:  # cancelled, or `on_error` itself raised: no answer comes
                self._transport.abort()
            if self._task is not None:
                common.tasks.discard(self._task)
            self._task = None
            if common.draining:
                common.note_departure()

    async def _handled(self, request: messages.Request) -> messages.Response:
        try:
            answer = await self._shared.application.handle(request)
            if len(answer.body) >= compression.FLOOR:
                answer = await compression.compressed(request.head, answer)
        except asyncio.CancelledError as error:
            if self._task is None or self._task.cancelling():
                raise
            self._shared.on_error(RuntimeError(f"the handler was cancelled: {error}"), request.head)
            return _INTERNAL
        except Exception as error:
            self._shared.on_error(error, request.head)
            return _INTERNAL
        return answer

    def _following(self) -> tuple[messages.Request, bool] | None:
        """Return the next request to handle; before that, write the answers that were ready."""
        while True:
            if self._paused and len(self._queue) <= self._shared.limits.pipelined // 2:
                self._resume()
            if not self._queue:
                break
            head, message, keep_alive = self._queue.popleft()
            if isinstance(message, messages.Request):
                return message, keep_alive
            self._write(head, message, keep_alive)
        self._busy = False
        if self._owes_continue:
            self._owes_continue = False
            self.expects_continue()
        self._set_due()
        return None

    def _write(
        self, head: messages.Head | None, answer: messages.Response, keep_alive: bool
    ) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        connection = b""
        last = not keep_alive or self._is_last()
        if last:
            connection = _CLOSE
        elif head is not None and head.http_version == "1.0":
            connection = _KEEP_ALIVE
        head_only = head is not None and head.method == "HEAD"
        date = self._shared.date()
        try:
            top, body = heads.response(answer, date, head_only=head_only, connection=connection)
        except Exception as error:
            self._shared.on_error(error, head)
            top, body = heads.response(_INTERNAL, date, head_only=head_only, connection=connection)
        if len(body) <= _JOINED:
            transport.write(top + body)
        else:
            transport.writelines((top, body))
        if last:
            self._end(keep_alive)

    def _is_last(self) -> bool:
        """Say whether a connection that could go on should not.

        We are leaving, it is old, or the client has nothing more to say.
        """
        return (
            (self._shared.leaving or self._is_old or self._half_closed)
            and not self._queue
            and (self._half_closed or self._intake.state == intake.IDLE)
        )

    # Letting go.

    def _end(self, keep_alive: bool) -> None:
        """Close once all is written.

        Where the client may still be sending, only our half is closed at first: closing a socket
        with unread bytes resets it, and could take the answer away (RFC 9112 9.6).
        """
        self._intake.close()
        if (self._lingering or keep_alive) and not self._half_closed:
            self._lingering = True
            self._watch_writing()
            self.due = self._shared.clock() + self._shared.limits.linger_timeout
            self._transport.write_eof()
            if self._paused:
                self._paused = False
                self._transport.resume_reading()
        else:
            self._close()

    def _close(self) -> None:
        self._watch_writing()
        self._transport.close()

    def sweep(self, now: float) -> None:
        """Act on the due times that have passed."""
        if now >= self.write_due:
            self._check_writing(now)
        if now >= self.old_at:
            self._is_old = True
            self.old_at = math.inf
        if now < self.due or self._transport.is_closing():
            return
        self.due = math.inf
        if self._intake.state in (intake.HEAD, intake.BODY):
            self._intake.refuse_late()
        elif self._lingering and self._transport.get_write_buffer_size():
            self.due = now + self._shared.limits.linger_timeout
        elif not self._busy:
            self._close()

    def close_if_idle(self) -> None:
        """Close now unless a request has begun or an answer is on its way."""
        if not self._busy and not self._lingering and self._intake.state == intake.IDLE:
            self._close()

    def abort(self) -> bool:
        """Close at once; say whether that broke anything off."""
        unwritten = self._transport.get_write_buffer_size()
        begun = self._intake.state in (intake.HEAD, intake.BODY)
        if self._task is not None:
            self._task.cancel()
        busy = self._busy
        self._drop_queue()
        self._transport.abort()
        return busy or begun or unwritten > 0

    def _drop_queue(self) -> None:
        for _, message, _ in self._queue:
            if isinstance(message, messages.Request):
                self._shared.in_flight -= 1
        self._queue.clear()

    def _let_flow(self) -> None:
        flowing, self._flowing = self._flowing, None
        if flowing is not None and not flowing.done():
            flowing.set_result(None)

    def _watch_writing(self) -> None:
        self._unwritten = self._transport.get_write_buffer_size()
        self.write_due = self._shared.clock() + self._shared.limits.write_timeout

    def _check_writing(self, now: float) -> None:
        """Let a client go that does not read, or hardly; give one that reads more time."""
        limits = self._shared.limits
        unwritten = self._transport.get_write_buffer_size()
        if unwritten == 0:
            self.write_due = math.inf
        elif self._unwritten - unwritten >= limits.minimum_rate * limits.write_timeout:
            self._unwritten = unwritten
            self.write_due = now + limits.write_timeout
        else:
            self.abort()
