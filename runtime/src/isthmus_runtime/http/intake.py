"""Reads requests: llhttp parses the bytes of one connection, we check what it leaves to us.

llhttp (strict, as httptools 0.9 sets it up) refuses by itself: bare CR or LF, folded or malformed
fields, repeated or unsound lengths, a length beside a transfer-encoding, non-ASCII targets. Here
are the limits, the version, the host, the one transfer-encoding that we take, and the body's
coding. Nothing here writes or waits; what is found goes to a `Sink`.
"""

import contextlib
from typing import Final, NoReturn, Protocol

import httptools

from isthmus_runtime.http import bodies, codings, limits, messages, problems, targets

IDLE: Final = 0
HEAD: Final = 1
BODY: Final = 2
STOPPED: Final = 3

SLICE: Final = 16 * 1024
"""Bytes parsed at once. Between two slices we can stop, since httptools cannot pause."""

_METHODS = {
    name.encode(): name
    for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
}
_NOTED = frozenset(
    {
        b"content-encoding",
        b"content-length",
        b"expect",
        b"host",
        b"transfer-encoding",
        b"upgrade",
    }
)
_DECODED = frozenset({b"content-encoding", b"content-length"})
_OVERHEAD = 16  # bytes of framing that a byte of chunked body may cost; one per chunk costs 5


class Sink(Protocol):
    """Who gets what an intake finds, in the order of the bytes."""

    def admit(self, head: messages.Head, /) -> int | messages.Response:
        """Return the largest body to read, or the answer to give without reading one."""

    def request(self, request: messages.Request, keep_alive: bool, /) -> None:
        """Take a whole request."""

    def answer(self, head: messages.Head, answer: messages.Response, keep_alive: bool, /) -> None:
        """Take the answer to a request that is not to be handled."""

    def refuse(self, head: messages.Head | None, answer: messages.Response, /) -> None:
        """Take the last answer, ours: what follows is not read. An unsound request has no head."""

    def dismiss(self, head: messages.Head, answer: messages.Response, /) -> None:
        """Take the last answer, the application's: what follows is not read."""

    def expects_continue(self) -> None:
        """Learn that the client waits for 100 Continue before it sends its body."""


class _Refused(Exception):
    """Leaves the parser, which has no other way out, once the answer is given."""


class Intake:
    """The reading half of one connection.

    `state` says what the next byte belongs to.
    """

    __slots__ = (
        "_body",
        "_early",
        "_fed",
        "_head",
        "_headers",
        "_keep_alive",
        "_known_host",
        "_limits",
        "_noted",
        "_parser",
        "_peer",
        "_sink",
        "_skip",
        "_slice",
        "_target",
        "state",
    )

    _head: messages.Head
    _headers: list[messages.Header]
    _noted: list[messages.Header]
    _body: bodies.Body | None
    _early: messages.Response | None

    def __init__(self, limits: limits.ServerLimits, peer: str, sink: Sink) -> None:
        self._limits = limits
        self._peer = peer
        self._sink = sink
        self._known_host = b""
        self._slice = 0
        self._keep_alive = False
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self.on_message_begin()
        self.state = IDLE

    def feed(self, data: bytes | memoryview) -> None:
        """Parse up to `SLICE` bytes, calling the sink for what they complete."""
        if self.state == STOPPED or self._parser is None:
            return
        self._slice = len(data)
        try:
            self._parse(self._parser, data)
            if self.state == HEAD:
                self._fed += len(data)
                if self._fed > self._limits.header_bytes + SLICE:
                    self._refuse_head_size()
            elif self.state == BODY:
                self._fed += len(data)
                excess = self._fed - self.received * (1 + _OVERHEAD)
                if excess > self._limits.header_bytes + SLICE:
                    self._refuse(400, "the body is mostly chunk framing or trailers")
        except _Refused:
            return

    def refuse_late(self) -> None:
        """Answer 408 to what did not come in time, and read no more."""
        if self.state != STOPPED:
            with contextlib.suppress(_Refused):
                self._refuse(408, "the request took too long to arrive")

    @property
    def received(self) -> int:
        """How many bytes of the current body have come."""
        return 0 if self._body is None else self._body.received

    def close(self) -> None:
        """Read no more, and let go of the parser, which holds on to us."""
        self.state = STOPPED
        self._parser = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        self.state = HEAD
        self._target = b""
        self._headers = []
        self._noted = []
        self._body = None
        self._early = None
        self._skip = False
        self._fed = 0

    def on_url(self, url: bytes) -> None:
        self._target = self._target + url if self._target else url
        if len(self._target) > self._limits.target_bytes:
            self._refuse(414, f"the target is longer than {self._limits.target_bytes} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.state != HEAD:  # a trailer: not for us to merge into the head (RFC 9110 6.5.1)
            return
        name = name.lower()
        pair = (name, value.rstrip(b" \t"))
        self._headers.append(pair)
        if name in _NOTED:
            self._noted.append(pair)

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None:
            raise _Refused
        if self._fed + self._slice > self._limits.header_bytes:
            self._measure_head()
        if len(self._headers) > self._limits.header_count:
            self._refuse(431, f"there are more than {self._limits.header_count} header fields")
        method = _METHODS.get(parser.get_method())
        if method is None:
            self._refuse(501, "this method is not implemented")
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._refuse(505, "HTTP/1.1 and HTTP/1.0 are spoken here")
        head = messages.Head(method, self._target, "", "", self._headers, version, self._peer)
        self._head = head
        if len(self._noted) == 1 and self._noted[0][0] == b"host":
            self._check_host(self._noted[0][1])
            self._split_target(head)
            self._admit(head, parser.should_keep_alive())
        elif any(name == b"upgrade" for name, _ in self._noted) and parser.should_upgrade():
            self._skip = self._keep_alive = True  # `_parse` reads it again, as a plain request
        else:
            body = self._check_framing(version)
            self._split_target(head)
            self._admit(head, parser.should_keep_alive(), body)

    def on_body(self, data: bytes) -> None:
        body = self._body
        if body is None:
            raise _Refused
        try:
            body.feed(data)
        except codings.TooLarge:
            self._refuse_body_size(body.limit)
        except codings.Undecodable as error:
            self._refuse(400, f"the body does not decode: {error}")

    def on_message_complete(self) -> None:
        body = b"" if self._body is None else self._finished(self._body)
        self.state = IDLE if self._keep_alive else STOPPED
        if self._early is not None:
            self._sink.answer(self._head, self._early, self._keep_alive)
        elif not self._skip:
            self._sink.request(messages.Request(self._head, body), self._keep_alive)

    # Parsing.

    def _parse(self, parser: httptools.HttpRequestParser, data: bytes | memoryview) -> None:
        while True:
            try:
                parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self.state == STOPPED:
                    return
                data = self._as_plain() + data[upgrade.args[0] :]
                parser = self._parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError as error:
                self._fail(error)
                return
            else:
                return

    def _as_plain(self) -> bytes:
        """Write the head again without its wish to upgrade.

        llhttp hands the connection over behind such a head, body or not; we must go on reading
        HTTP, or a body would pass for the next request.
        """
        head = self._head
        version = head.http_version.encode()
        lines = [b"%b %b HTTP/%b\r\n" % (head.method.encode(), head.target, version)]
        lines += [b"%b: %b\r\n" % pair for pair in head.headers if pair[0] != b"upgrade"]
        return b"".join(lines) + b"\r\n"

    def _fail(self, error: httptools.HttpParserError) -> None:
        if self.state == STOPPED:  # refused by us, or bytes behind the last request
            return
        if isinstance(error, httptools.HttpParserCallbackError) and error.__context__ is not None:
            raise error.__context__
        text = str(error)
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            self._refuse(501, "this method is not implemented")
        if text == "Invalid HTTP version" or "PRI" in text:
            self._refuse(505, "HTTP/1.1 and HTTP/1.0 are spoken here")
        self._refuse(400, f"this is not sound HTTP: {text}")

    def _refuse(
        self, status: int, detail: str, headers: list[messages.Header] | None = None
    ) -> NoReturn:
        head = self._head if self.state == BODY else None
        self.state = STOPPED
        self._sink.refuse(head, problems.problem(status, detail, headers))
        raise _Refused

    # The head.

    def _measure_head(self) -> None:
        size = len(self._target) + sum(len(name) + len(value) + 4 for name, value in self._headers)
        if size > self._limits.header_bytes:
            self._refuse_head_size()

    def _refuse_head_size(self) -> NoReturn:
        self._refuse(431, f"the head is longer than {self._limits.header_bytes} bytes")

    def _check_host(self, host: bytes) -> None:
        if host != self._known_host:
            if not targets.is_host(host):
                self._refuse(400, "the Host header is not a host")
            self._known_host = host

    def _check_framing(self, version: str) -> bool:
        """Check the noted fields other than in the common case; say whether a body follows."""
        hosts = [value for name, value in self._noted if name == b"host"]
        if len(hosts) != 1 and (hosts or version == "1.1"):
            self._refuse(400, "there must be exactly one Host header")
        for host in hosts:
            self._check_host(host)
        transfer = [value for name, value in self._noted if name == b"transfer-encoding"]
        if not transfer:
            length = messages.header(self._noted, b"content-length")
            return length is not None and int(length) > 0
        if version != "1.1":
            self._refuse(400, "HTTP/1.0 has no Transfer-Encoding")
        if len(transfer) != 1 or transfer[0].lower() != b"chunked":
            self._refuse(501, "chunked is the one transfer-encoding that is implemented")
        return True

    def _split_target(self, head: messages.Head) -> None:
        found = targets.origin_form(head.target, method=head.method)
        if found is None:
            self._refuse(400, "the target is neither a path nor an http address")
        target, authority = found
        if authority is not None:  # it overrides the Host (RFC 9112 3.2.2)
            head.headers[:] = [pair for pair in head.headers if pair[0] != b"host"]
            head.headers.append((b"host", authority))
        path, _, query = target.decode("latin-1").partition("?")
        head.path = path
        head.query = query

    # The body.

    def _admit(self, head: messages.Head, keep_alive: bool, body: bool = False) -> None:
        verdict = self._sink.admit(head)
        self._keep_alive = keep_alive
        if not isinstance(verdict, messages.Response):
            if body:
                self._begin_body(head, verdict)
        elif body:
            self.state = STOPPED
            self._sink.dismiss(head, verdict)
            raise _Refused
        else:
            self._early = verdict

    def _begin_body(self, head: messages.Head, limit: int) -> None:
        self.state = BODY
        self._fed = 0
        if int(messages.header(self._noted, b"content-length") or 0) > limit:
            self._refuse_body_size(limit)
        self._body = bodies.Body(limit, self._coding())
        expected = messages.header(self._noted, b"expect")
        if expected is not None and head.http_version == "1.1":
            if expected.lower() != b"100-continue":
                self._refuse(417, "100-continue is the one expectation that can be met")
            self._sink.expects_continue()

    def _coding(self) -> bytes:
        codes = messages.header_values(self._noted, b"content-encoding")
        if not codes or codes == [b"identity"]:
            return b""
        if len(codes) != 1 or not codings.decodable(codes[0]):
            accepted = [(b"accept-encoding", b"gzip, deflate")]
            self._refuse(415, "a body may be encoded as gzip or deflate", accepted)
        return codes[0]

    def _refuse_body_size(self, limit: int) -> NoReturn:
        self._refuse(413, f"the body is larger than {limit} bytes")

    def _finished(self, body: bodies.Body) -> bytes:
        try:
            data = body.finish()
        except codings.Undecodable as error:
            self._refuse(400, f"the body does not decode: {error}")
        if body.decodes:
            head = self._head
            head.headers[:] = [pair for pair in head.headers if pair[0] not in _DECODED]
        return data
