"""A document that is read again goes on behind what was taken of it, if it is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.sources.trail import Changed, Trail

RECORDS = st.lists(st.binary(max_size=3), max_size=30)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def drafts(records: list[bytes]) -> list[Draft]:
    return [
        Draft(route="a/b", uid="u", identity="i", body=each, content_type="", correlation_id="c")
        for each in records
    ]


def read(trail: Trail, records: list[bytes], sizes: list[int]) -> list[bytes]:
    """What is news in one reading, batch by batch."""
    trail.begin()
    news, at, turn = [], 0, 0
    while at < len(records):
        size = sizes[turn % len(sizes)]
        news += [each.body for each in trail.beyond(drafts(records[at : at + size]))]
        at, turn = at + size, turn + 1
    return news


@given(RECORDS, st.lists(st.integers(0, 30), max_size=4), SIZES, SIZES)
def test_each_record_is_taken_once_however_often_it_broke_off(
    records: list[bytes], breaks: list[int], first: list[int], second: list[int]
) -> None:
    trail = Trail()
    taken = []
    for turn, at in enumerate([*breaks, len(records)]):
        taken += read(trail, records[:at], first if turn % 2 else second)
    trail.end()

    assert taken == records
    assert trail.taken == len(records)


@given(RECORDS.filter(bool), st.integers(0, 29), SIZES)
def test_another_document_is_found_out(records: list[bytes], place: int, sizes: list[int]) -> None:
    trail = Trail()
    read(trail, records, sizes)
    other = list(records)
    other[place % len(records)] += b"x"

    with pytest.raises(Changed):
        read(trail, other, sizes)


def test_a_shorter_document_is_found_out() -> None:
    trail = Trail()
    read(trail, [b"a", b"b"], [1])
    read(trail, [b"a"], [1])

    with pytest.raises(Changed):
        trail.end()


def test_records_are_told_apart_where_they_end() -> None:
    trail = Trail()
    read(trail, [b"ab", b"c"], [1])

    with pytest.raises(Changed):
        read(trail, [b"a", b"bc"], [2])
