"""One connection to an origin: writes a request, reads its response, and says if it can go on.

A link has one timer, which is not moved for each request: when it fires too early it is set again
for what is due by then. That costs a request nothing but a comparison.
"""

import asyncio
from typing import Final, Protocol

import httptools

from isthmus_runtime.http import bodies, codings, errors, exchange, limits, messages, streams

_JOINED: Final = 64 * 1024
_READ: Final = 256 * 1024  # the most that uvloop reads at once
_OVERHEAD: Final = 17  # a byte of body and the framing it may cost; one per chunk costs 5
_HOWEVER_LONG: Final = 365 * 86_400.0
_EARLY: Final = 0.002  # the event loop's clock has milliseconds
_DECODED: Final = frozenset({b"content-encoding", b"content-length"})


class Keeper(Protocol):
    """Who owns a link: the pool."""

    limits: limits.ClientLimits
    loop: asyncio.AbstractEventLoop

    def release(self, freed: "Link", /) -> None:
        """Take a link back that can carry another request."""

    def lost(self, link: "Link", /) -> None:
        """Learn that a link is closed."""

    def repeat(self, failed: exchange.Exchange, /) -> None:
        """Send a request again on a new connection."""


class _Stop(Exception):
    """Leaves the parser with the error that ends the exchange."""

    def __init__(self, error: errors.ClientError) -> None:
        super().__init__()
        self.error = error


class Link(asyncio.Protocol):
    """The protocol of one socket; `exchange` is the request it carries, if any."""

    __slots__ = (
        "_body",
        "_complete",
        "_extra",
        "_head_bytes",
        "_head_done",
        "_headers",
        "_interim",
        "_keep_alive",
        "_keeper",
        "_parser",
        "_received",
        "_served",
        "_slice",
        "_status",
        "_timer",
        "_timer_at",
        "_transport",
        "_until_close",
        "adopted",
        "alive",
        "exchange",
        "idle_due",
        "old_at",
    )

    _transport: asyncio.Transport
    _headers: list[messages.Header]
    _body: bodies.Body | streams.Stream | None
    _status: int
    _head_bytes: int
    _head_done: bool
    _interim: bool
    _complete: bool
    _keep_alive: bool
    _until_close: bool
    _extra: bool

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._parser = httptools.HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._served = 0
        self._received = 0
        self._slice = 0
        self.adopted = False
        self.alive = False
        self.exchange: exchange.Exchange | None = None
        self.idle_due = 0.0
        self.old_at = 0.0
        self._reset()

    # What the pool calls.

    def start(self, begun: exchange.Exchange) -> None:
        """Write a request. The response, or an error, goes to its future."""
        self.exchange = begun
        begun.link = self
        self._received = 0
        if self._timer is None or self._timer_at > begun.deadline:
            self._set_timer(begun.deadline)
        if not begun.body:
            self._transport.write(begun.head)
        elif len(begun.body) <= _JOINED:
            self._transport.write(begun.head + begun.body)
        else:
            self._transport.writelines((begun.head, begun.body))
        if begun.sent is not None:
            begun.sent()

    def rest(self, until: float) -> None:
        """Stay open without a request, until this time of the loop."""
        self.idle_due = until
        if self._timer is None or self._timer_at > self.idle_due:
            self._set_timer(self.idle_due)

    def close(self) -> None:
        """Close at once. A request that is on its way is lost."""
        self.alive = False
        self._transport.abort()

    # What a stream calls.

    def pause(self) -> None:
        """Read no more from the socket, for however long."""
        if self.exchange is not None:
            self.exchange.deadline = self._keeper.loop.time() + _HOWEVER_LONG
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read from it again."""
        if self.alive:
            self._transport.resume_reading()

    def expect(self, patience: float) -> None:
        """Fail where nothing comes for so many seconds."""
        if self.exchange is not None:
            due = self.exchange.deadline = self._keeper.loop.time() + patience
            if self._timer is None or self._timer_at > due:
                self._set_timer(due)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.alive = True

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:  # nobody asked: an answer to nothing, or a farewell
            self.close()
            return
        self._received += len(data)
        self._slice = len(data)
        try:
            self._parser.feed_data(data)
            if not self._complete:
                self._count(len(data))
        except _Stop as stop:
            self._fail(stop.error)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._stumble(error)
        else:
            if self._complete:
                self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ended = self.exchange
        if ended is not None:
            self._end_at_close(ended, exc)
        self._keeper.lost(self)
        del self._parser  # it holds on to us

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._complete:
            self._extra = True
        else:
            self._reset()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_done:
            self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        asked = self.exchange
        if self._complete or asked is None:
            return
        if self._head_bytes + self._slice > self._keeper.limits.max_header_bytes:
            self._measure_head()
        status = self._status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                raise _Stop(errors.MalformedResponse("101 Switching Protocols was not asked for"))
            self._interim = True
            return
        self._head_done = True
        self._keep_alive = self._parser.should_keep_alive()
        if asked.head_only:
            self._complete = True
        else:
            self._begin_body(asked, status)

    def on_body(self, data: bytes) -> None:
        if self._complete or self._body is None:
            self._extra = True
            return
        try:
            self._body.feed(data)
        except codings.TooLarge:
            raise _Stop(errors.ResponseTooLarge(self._body.limit)) from None
        except codings.Undecodable as error:
            raise _Stop(errors.MalformedResponse(f"the body does not decode: {error}")) from error

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        else:
            self._complete = True

    # The response.

    def _reset(self) -> None:
        self._headers = []
        self._body = None
        self._status = 0
        self._head_bytes = 0
        self._head_done = False
        self._interim = False
        self._complete = False
        self._keep_alive = False
        self._until_close = False
        self._extra = False

    def _begin_body(self, asked: exchange.Exchange, status: int) -> None:
        length = coding = transfer = b""
        for name, value in self._headers:
            if name == b"content-length":
                length = value
            elif name == b"transfer-encoding":
                transfer = value.lower()
            elif name == b"content-encoding":
                coding = value.lower()
        if transfer not in (b"", b"chunked", b"identity"):
            raise _Stop(errors.MalformedResponse("it has a transfer-encoding that we do not know"))
        coding = coding if codings.decodable(coding) else b""
        if asked.into is not None and status < 300 and status != 204:
            self._body = asked.into.begin(self, self._headers, coding)
        else:
            self._body = bodies.Body(asked.limit, coding)
        if length and int(length) > self._body.limit and status not in (204, 304):
            raise _Stop(errors.ResponseTooLarge(self._body.limit))
        self._until_close = not length and transfer != b"chunked"

    def _response(self) -> messages.Response:
        """Return what has come; raise `codings.Undecodable`."""
        body = self._body
        if body is None:
            return messages.Response(self._status, self._headers)
        data = body.finish()
        headers = self._headers
        if body.decodes:
            headers = [pair for pair in headers if pair[0] not in _DECODED]
        return messages.Response(self._status, headers, data)

    def _count(self, size: int) -> None:
        """Bound what the parser keeps for itself: a head, trailers, or chunk framing."""
        limit = self._keeper.limits.max_header_bytes
        if not self._head_done:
            self._head_bytes += size
            if self._head_bytes > limit:
                raise _Stop(errors.ResponseTooLarge(limit))
        elif self._body is not None:
            excess = self._received - self._body.received * _OVERHEAD
            if excess > limit + _READ:
                raise _Stop(errors.MalformedResponse("the body is mostly framing or trailers"))

    def _measure_head(self) -> None:
        limit = self._keeper.limits.max_header_bytes
        if sum(len(name) + len(value) + 4 for name, value in self._headers) > limit:
            raise _Stop(errors.ResponseTooLarge(limit))

    # The end of an exchange.

    def _finish(self) -> None:
        """Hand the response over, and go back to the pool where the connection can go on."""
        ended = self.exchange
        if ended is None:
            return
        try:
            response = self._response()
        except codings.Undecodable as error:
            self._fail(errors.MalformedResponse(f"the body does not decode: {error}"))
            return
        self.exchange = None
        if not ended.future.done():
            ended.future.set_result(response)
        # A peer that answers before it has read the request whole leaves us in mid-sentence.
        if self._keep_alive and not self._extra and not self._transport.get_write_buffer_size():
            if ended.head_only:  # the parser still waits for the body that HEAD has not
                self._parser = httptools.HttpResponseParser(self)
            self._reset()
            self._served += 1
            self._keeper.release(self)
        else:
            self.close()

    def _stumble(self, error: Exception) -> None:
        cause = error.__context__
        if isinstance(cause, _Stop):
            self._fail(cause.error)
        elif self._complete:  # what follows a whole response does not spoil it
            self._extra = True
            self._finish()
        else:
            self._fail(errors.MalformedResponse(f"this is not sound HTTP: {error}"))

    def _fail(self, error: errors.ClientError) -> None:
        ended = self.exchange
        self.exchange = None
        self.close()
        if ended is not None:
            ended.fail(error)

    def _end_at_close(self, ended: exchange.Exchange, exc: Exception | None) -> None:
        self.exchange = None
        if ended.future.done():
            return
        if self._until_close and exc is None:
            try:
                ended.future.set_result(self._response())
            except codings.Undecodable as error:
                ended.fail(errors.MalformedResponse(f"the body does not decode: {error}"))
        elif self._served and not self._received and ended.repeatable and not ended.repeated:
            self._keeper.repeat(ended)
        else:
            ended.fail(errors.ConnectionBroken(self._received, str(exc or "")))

    # The timer.

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._keeper.loop.call_at(at, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        due = self.idle_due if self.exchange is None else self.exchange.deadline
        if self._keeper.loop.time() < due - _EARLY:
            self._set_timer(due)
        elif self.exchange is None:
            self.close()
        else:
            self._fail(errors.DeadlineExceeded("response"))
