"""Look-ups, and what an intermediary may pass on."""

import pytest

from isthmus_runtime.http import messages

FIELDS = [
    (b"connection", b"keep-alive, X-Secret ,, close"),
    (b"x-secret", b"1"),
    (b"x-open", b"2"),
    (b"x-open", b"3"),
    (b"transfer-encoding", b"chunked"),
    (b"proxy-authorization", b"x"),
    (b"connection", b"x-other"),
    (b"x-other", b"4"),
    (b"authorization", b"x"),
]


def test_end_to_end_drops_what_is_hop_by_hop_by_rule_or_by_name() -> None:
    assert messages.end_to_end(FIELDS) == [
        (b"x-open", b"2"),
        (b"x-open", b"3"),
        (b"authorization", b"x"),
    ]
    assert messages.end_to_end([]) == []


@pytest.mark.parametrize(("name", "value"), [(b"x-open", b"2"), (b"x-none", None)])
def test_a_look_up_finds_the_first(name: bytes, value: bytes | None) -> None:
    assert messages.header(FIELDS, name) == value


def test_a_list_field_is_read_over_all_its_lines() -> None:
    assert messages.header_values(FIELDS, b"connection") == [
        b"keep-alive",
        b"x-secret",
        b"close",
        b"x-other",
    ]
