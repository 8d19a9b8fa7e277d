"""W3C trace context and correlation ids: taken from the caller, passed on to every call."""

import re
from random import getrandbits
from typing import NamedTuple

from isthmus_runtime.http.messages import Header, header

_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})"
    rb"(?:(?<!\A00.{53})-.*)?"  # versions to come may add fields
)
_SAMPLED = 0x01  # the one flag of version 00; what else is set must not be passed on
FIELDS = frozenset({b"traceparent", b"tracestate", b"x-correlation-id"})
_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


class Trace(NamedTuple):
    """One request's place in a trace. `correlation_id` is what people quote to each other."""

    trace_id: str
    flags: str
    state: bytes
    correlation_id: str
    correlation: Header
    """The correlation id as a field of calls and answers."""

    def headers(self) -> list[Header]:
        """The fields that a call carries on: a new parent id within the same trace."""
        parent = f"00-{self.trace_id}-{getrandbits(64) or 1:016x}-{self.flags}".encode()
        fields = [(b"traceparent", parent), self.correlation]
        if self.state:
            fields.append((b"tracestate", self.state))
        return fields


def of(headers: list[Header]) -> Trace:
    """The trace that a request belongs to, or a new one.

    An unreadable `traceparent` starts a new trace, as the specification asks
    (https://www.w3.org/TR/trace-context/, 3.2).
    """
    parent = header(headers, b"traceparent")
    found = _TRACEPARENT.fullmatch(parent) if parent else None
    trace_id = found[1].decode() if found else f"{getrandbits(128) or 1:032x}"
    given = header(headers, b"x-correlation-id")
    is_usable = given is not None and _CORRELATION_ID.fullmatch(given)
    correlation_id = given.decode("ascii") if given and is_usable else trace_id
    return Trace(
        trace_id,
        f"{int(found[2], 16) & _SAMPLED:02x}" if found else "00",
        b",".join(v for n, v in headers if n == b"tracestate") if found else b"",
        correlation_id,
        (b"x-correlation-id", correlation_id.encode("ascii")),
    )
