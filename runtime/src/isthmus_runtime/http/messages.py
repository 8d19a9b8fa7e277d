"""What travels over HTTP, for both sides: heads, requests, responses and the fields in them.

Plain values without behaviour; parsing lives in `intake` and `link`, writing in `heads`. A field
name is lower-case bytes, so that a look-up is one comparison; a field value is bytes as it was
sent, without the white space around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields for one connection only (RFC 9110 7.6.1), so they are never passed on."""


@dataclass(slots=True)
class Head:
    """The request line and the fields of a request.

    `target` is raw as sent; `path` and `query` are its parts, still percent-encoded: who routes
    decides when to decode.
    """

    method: str
    target: bytes
    path: str
    query: str
    headers: list[Header]
    http_version: str = "1.1"
    peer: str = ""


@dataclass(slots=True)
class Request:
    """A whole request.

    Its body is decoded; a head that named a `content-encoding` has lost that and its length then.
    """

    head: Head
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """A whole answer, given by an application or received by a client.

    Framing (length, connection) is not its business: the server writes those fields itself.
    """

    status: int
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""


def header(headers: Iterable[Header], name: bytes) -> bytes | None:
    """Return the first value of the field `name` (lower-case), or nothing."""
    for key, value in headers:
        if key == name:
            return value
    return None


def header_values(headers: Iterable[Header], name: bytes) -> list[bytes]:
    """Return every element of a list field, lower-cased, over all its lines (RFC 9110 5.6.1)."""
    return [
        element.strip(b" \t").lower()
        for key, value in headers
        if key == name
        for element in value.split(b",")
        if element.strip(b" \t")
    ]


def end_to_end(headers: Iterable[Header]) -> list[Header]:
    """Return what may be passed on: no hop-by-hop field, and none that `Connection` lists."""
    given = list(headers)
    listed = header_values(given, b"connection")
    dropped = HOP_BY_HOP.union(listed) if listed else HOP_BY_HOP
    return [pair for pair in given if pair[0] not in dropped]
