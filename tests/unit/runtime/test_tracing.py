"""Trace context and correlation ids, as the specification has them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime import tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def of(traceparent: str, **more: str) -> tracing.Trace:
    headers = [(b"traceparent", traceparent.encode())]
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
    return tracing.of(headers)


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        pytest.param(PARENT, "01", id="sampled"),
        pytest.param(PARENT[:-2] + "00", "00", id="not sampled"),
        pytest.param(PARENT[:-2] + "ff", "01", id="flags that version 00 does not know"),
        pytest.param("cc" + PARENT[2:], "01", id="a version to come"),
        pytest.param("cc" + PARENT[2:] + "-what-the-future", "01", id="one with more fields"),
    ],
)
def test_a_sound_trace_is_taken(given: str, flags: str) -> None:
    trace = of(given, tracestate="a=1")

    assert (trace.trace_id, trace.flags, trace.state) == (TRACE, flags, b"a=1")


@pytest.mark.parametrize(
    "given", [PARENT + "-x", "cc" + PARENT[2:] + "x", "ff" + PARENT[2:], PARENT[:-1], " " + PARENT]
)
def test_an_unsound_one_begins_anew(given: str) -> None:
    trace = of(given, tracestate="a=1")

    assert trace.trace_id != TRACE
    assert (trace.flags, trace.state) == ("00", b"")


@given(st.binary(max_size=80), st.binary(max_size=140))
def test_whatever_comes_what_goes_out_is_sound(parent: bytes, correlation: bytes) -> None:
    given = [(b"traceparent", parent), (b"x-correlation-id", correlation)]

    fields = dict(tracing.of(given).headers())

    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", fields[b"traceparent"])
    assert re.fullmatch(rb"[A-Za-z0-9._:/+=-]{1,128}", fields[b"x-correlation-id"])
    assert fields.keys() <= tracing.FIELDS


def test_every_call_has_a_parent_of_its_own() -> None:
    trace = of(PARENT)

    assert trace.headers() != trace.headers()
