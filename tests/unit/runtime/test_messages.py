"""Body and Exchange: bytes until a value is needed, and integers that stay what they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange, request_variable
from isthmus_runtime.faults import Broken, Rejected, Upstream
from isthmus_runtime.http.messages import Head

LARGE = 2**63 + 3
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


def exchange(body: Body) -> Exchange:
    return Exchange(body, variables={}, deadline=0.0, trace=tracing.of([]))


@given(JSON)
def test_a_body_that_was_read_still_leaves_as_it_came(value: object) -> None:
    text = json.dumps(value, indent=1).encode()
    body = Body(text)

    _ = body.raw, body.value

    assert body.json() == text


@given(JSON)
def test_a_value_leaves_with_its_integers(value: object) -> None:
    received = Body(json.dumps(value).encode())

    made = Body.of(received.value, received.large)

    assert json.loads(made.json()) == value


def test_raw_text_is_for_bodies_without_large_integers() -> None:
    assert Body(b"[1]").raw == b"[1]"
    assert Body(b"[%d]" % LARGE).raw is None
    assert Body(b"").raw is None
    assert Body.of([1]).raw is None


@pytest.mark.parametrize(
    ("body", "is_empty"),
    [(Body(b""), True), (Body(b" "), False), (Body(b"null"), False), (Body.of(None), False)],
    ids=["no bytes", "a blank", "null as text", "null as a value"],
)
def test_only_no_bytes_are_nothing(body: Body, is_empty: bool) -> None:
    assert body.is_empty is is_empty


def test_who_sent_a_body_that_is_no_json_is_to_blame() -> None:
    with pytest.raises(Rejected) as ours:
        _ = Body(b"{", content_type=b"application/json").value
    with pytest.raises(Upstream) as theirs:
        _ = Body(b"{", connector="erp").value
    with pytest.raises(Upstream, match="erp answered text/html where JSON is needed"):
        _ = Body(b"<", connector="erp", content_type=b"text/html; charset=x").raw

    assert (ours.value.status, ours.value.reason) == (400, "InvalidJson")
    assert (theirs.value.status, theirs.value.connector) == (502, "erp")


def test_a_value_without_a_json_form_is_our_fault() -> None:
    with pytest.raises(Broken, match="a step made a value that has no JSON form"):
        Body.of(object()).json()


def test_a_fork_takes_nothing_from_its_sibling_and_gives_nothing_back() -> None:
    x = exchange(Body(b'{"id": 1}'))
    one, two = x.fork(x.body.copy(), index=0), x.fork(x.body.copy())

    one.bind("found", Body(b"%d" % LARGE))
    _ = one.body.value

    assert one.variables == {"index": 0, "found": str(LARGE)}
    assert (two.variables, x.variables) == ({}, {})
    assert str(LARGE) in one.large
    assert (two.large, x.large) == (frozenset(), frozenset())
    assert x.body.raw == two.body.raw == b'{"id": 1}'


def test_digits_that_were_bound_become_a_number_again_in_a_later_body() -> None:
    x = exchange(Body(b"{}"))
    x.bind("id", Body(b"%d" % LARGE))

    x.take(Body.of([x.variables["id"]]))

    assert x.body.json() == b"[%d]" % LARGE


def test_a_view_holds_only_what_is_there_and_asked_for() -> None:
    x = exchange(Body(b""))
    x.variables = {"a": 1, "b": 2}

    assert x.view(()) is None
    assert x.view(("a", "missing")) == {"a": 1}


def test_the_request_variable_holds_only_what_is_read() -> None:
    head = Head(
        "GET", b"", "/a", "q=1&q=2&e=&s=a%2Bb+c", [(b"x", b"1"), (b"x", b"2"), (b"y", b"\xe9")]
    )

    whole = request_variable(head, {"id": "1"})

    assert whole == {
        "method": "GET",
        "path": "/a",
        "params": {"id": "1"},
        "query": {"q": ["1", "2"], "e": "", "s": "a+b c"},
        "headers": {"x": ["1", "2"], "y": "é"},
    }
    assert request_variable(head, {}, frozenset({"method"})) == {"method": "GET"}
