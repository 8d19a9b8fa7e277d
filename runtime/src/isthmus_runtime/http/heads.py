"""Writes heads: the one place where field names and values become bytes on the wire.

A name is checked once and remembered. Values are checked all together: the finished head must hold
exactly the line ends that we put into it, so a CR, LF or NUL that came in with a value cannot pass
(RFC 9110 5.5).
"""

import re
from collections.abc import Iterable
from http import HTTPStatus

from isthmus_runtime.http import messages

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[!-~]+")
_REMEMBERED = 1024
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    for status in HTTPStatus
    if status >= HTTPStatus.OK
}
_BODILESS = frozenset({204, 304})


class UnsafeHeader(ValueError):
    """A head that must not reach the wire.

    A value holds a CR, LF or NUL, or a name, method or target is none. Nothing was sent.
    """

    sent = False


class _Names(dict[bytes, bytes | None]):
    """Field name to what starts its line, or to nothing where the field is ours to write."""

    def __init__(self, ours: frozenset[bytes]) -> None:
        super().__init__()
        self._ours = ours

    def __missing__(self, name: bytes) -> bytes | None:
        if _TOKEN.fullmatch(name) is None:
            raise UnsafeHeader(f"not a header name: {name[:60]!r}")
        lower = name.lower()
        start = None if lower in self._ours else lower + b": "
        if len(self) < _REMEMBERED:
            self[name] = start
        return start


_response_names = _Names(messages.HOP_BY_HOP | {b"content-length", b"date"})
_request_names = _Names(
    messages.HOP_BY_HOP - {b"proxy-authorization"} | {b"content-length", b"expect"}
)


def response(
    answer: messages.Response, date: bytes, *, head_only: bool = False, connection: bytes = b""
) -> tuple[bytes, bytes]:
    """Return head and body of an answer as they are written.

    `date` and `connection` are whole lines, or empty. An answer to HEAD gets the length of the body
    that GET would have, or the one that the application passed on from a HEAD of its own.
    """
    status = answer.status
    body = answer.body
    lines = [_STATUS_LINES.get(status) or _status_line(status), date]
    length: bytes | None = None
    for name, value in answer.headers:
        start = _response_names[name]
        if start is not None:
            lines.append(start + value + b"\r\n")
        elif name == b"content-length" and value.isdigit():
            length = value
        elif name == b"date":
            lines[1] = b"date: " + value + b"\r\n"
    if status in _BODILESS:
        body = b""
    elif head_only:
        known = length if length is not None and not body else b"%d" % len(body)
        lines.append(b"content-length: %b\r\n" % known)
        body = b""
    else:
        lines.append(b"content-length: %d\r\n" % len(body))
    lines.append(connection)
    lines.append(b"\r\n")
    return _joined(lines), body


def request(
    method: bytes,
    target: bytes,
    host: bytes,
    headers: Iterable[messages.Header],
    length: int | None,
) -> bytes:
    """Return a request's head; `host` is a whole line.

    A `host` or `accept-encoding` among the headers takes the place of ours.
    """
    if _TOKEN.fullmatch(method) is None or _TARGET.fullmatch(target) is None:
        raise UnsafeHeader(f"not a request line: {method[:20]!r} {target[:200]!r}")
    lines = [method + b" " + target + b" HTTP/1.1\r\n", host, b"accept-encoding: gzip\r\n"]
    for name, value in headers:
        start = _request_names[name]
        if start is None:
            continue
        if start == b"host: ":
            lines[1] = b""
        elif start == b"accept-encoding: ":
            lines[2] = b""
        lines.append(start + value + b"\r\n")
    if length is not None:
        lines.append(b"content-length: %d\r\n" % length)
    lines.append(b"\r\n")
    return _joined(lines)


def _joined(lines: list[bytes]) -> bytes:
    """Join lines that are each one line or empty; refuse where a value made two of one."""
    head = b"".join(lines)
    ends = len(lines) - lines.count(b"")
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise UnsafeHeader("a header value holds a CR, LF or NUL")
    return head


def _status_line(status: int) -> bytes:
    if not 200 <= status <= 599:
        raise UnsafeHeader(f"not a final status: {status}")
    return b"HTTP/1.1 %d \r\n" % status
