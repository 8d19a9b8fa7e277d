"""Nothing that comes in with a value becomes a line of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.http import heads, messages

DATE = b"date: now\r\n"
nasty = st.text(alphabet="a\r\n\0 :\x7f\xff", max_size=12).map(lambda text: text.encode("latin-1"))


@given(st.lists(st.tuples(nasty, nasty), max_size=4))
def test_an_answer_has_a_line_per_field_or_is_refused(fields: list[messages.Header]) -> None:
    try:
        head, _ = heads.response(messages.Response(200, fields), DATE)
    except heads.UnsafeHeader:
        assert any(
            set(name + value) & set(b"\r\n\0 :\x7f\xff") or not name for name, value in fields
        )
    else:
        assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r")
        assert head.count(b"\r\n") == 1 + 1 + len(fields) + 1 + 1
        assert b"\0" not in head


@given(nasty, nasty, st.lists(st.tuples(nasty, nasty), max_size=4))
def test_a_request_has_a_line_per_field_or_is_refused(
    method: bytes, target: bytes, fields: list[messages.Header]
) -> None:
    try:
        head = heads.request(method, target, b"host: a\r\n", fields, 3)
    except heads.UnsafeHeader:
        pass
    else:
        assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r")
        assert head.count(b"\r\n") == 1 + 2 + len(fields) + 1 + 1


def test_names_are_written_in_lower_case_and_remembered_in_bounds() -> None:
    for number in range(3000):
        heads.response(messages.Response(200, [(b"X-%d" % number, b"v")]), DATE)
    head, _ = heads.response(messages.Response(200, [(b"X-One", b"v")]), DATE)

    assert b"x-one: v\r\n" in head
    assert len(heads._response_names) <= 1024


@pytest.mark.parametrize("status", [200, 299, 404, 503, 599])
def test_a_final_status_is_written_known_or_not(status: int) -> None:
    head, _ = heads.response(messages.Response(status), DATE)

    assert head.startswith(b"HTTP/1.1 %d " % status)


def test_an_error_about_a_header_is_a_value_error_and_sent_nothing() -> None:
    error = heads.UnsafeHeader("x")

    assert isinstance(error, ValueError)
    assert error.sent is False
