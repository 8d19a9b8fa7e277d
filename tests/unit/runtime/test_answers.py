"""Whatever a system answers is read, or is its fault."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isthmus_api import json_text
from isthmus_api.answer import Answer
from isthmus_runtime import answers, charsets
from isthmus_runtime.faults import Fault, Upstream
from isthmus_runtime.http.messages import Response
from isthmus_runtime.steps.bound import Binder

SPECS = st.builds(
    lambda as_, charset: Answer.model_validate({"as": as_, "charset": charset}),
    st.sampled_from(["json", "text", "base64", None]),
    st.sampled_from([*charsets.KNOWN, None]),
)
KINDS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([*charsets.KNOWN, "utf-7", "x-none", "\x00", "ü", "idna"]).map(
        lambda name: f"application/json; charset={name}".encode("utf-8", "replace")
    ),
)


@given(SPECS, KINDS, st.binary(max_size=200))
@example(Answer.model_validate({"as": "text"}), b'text/plain; charset="', b"\xff")
@example(Answer.model_validate({"as": "text"}), b"text/plain; charset=utf-16", b"\xff\xfe\x00")
@example(Answer.model_validate({"as": "json"}), b"", b"[" * 200)
def test_any_bytes_are_a_value_or_a_fault(spec: Answer, kind: bytes, body: bytes) -> None:
    answer = Response(200, [(b"content-type", kind)], body)

    told = "erp"
    try:
        answers.reader(spec, "erp")(answer).value  # noqa: B018 - it is decoded then
    except Fault as fault:
        told = fault.detail
    assert "erp" in told


TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(st.sampled_from(charsets.KNOWN), TEXTS)
def test_a_text_is_what_it_was_before_it_was_written(charset: str, text: str) -> None:
    text = text.encode(charset, "ignore").decode(charset).removeprefix("\ufeff")
    kind = f"text/plain; charset={charset}".encode()
    answer = Response(200, [(b"content-type", kind)], text.encode(charset))

    assert answers.reader(Answer.model_validate({"as": "text"}), "erp")(answer).value == text


FAILING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "retry", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def judged(found: Any) -> Upstream | None:
    """What is made of an answer of which `failWhen` gives `found`."""
    judge = answers.judge(Answer.model_validate({"failWhen": "{% found %}"}), "erp", Binder())
    assert judge is not None
    body = json_text.encode({"found": found})
    return judge(Response(200, [(b"content-type", b"application/json")], body))


@given(FAILING)
def test_whatever_fail_when_gives_is_a_failure_or_none(found: Any) -> None:
    failure = judged(found)

    if failure is not None:
        assert failure.passing is (isinstance(found, dict) and found.get("retry") is True)
        assert failure.outward == "erp answered 200 with a failure in it"


@pytest.mark.parametrize("nothing", [None, False, "", [], {}])
def test_nothing_is_no_failure(nothing: Any) -> None:
    assert judged(nothing) is None
