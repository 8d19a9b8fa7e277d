"""Where two JSON values differ, as a reviewer reads it."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.comparison import NOTHING
from isthmus_cli.diffs import fields
from isthmus_cli.diffs.fields import Change

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param({"a": 1}, {"a": 2}, ["$.a: 1 → 2"], id="a value"),
        pytest.param({}, {"a": None}, ["$.a: added null"], id="null is a value"),
        pytest.param({"a": [1]}, {}, ["$.a: removed [1]"], id="a field that is gone"),
        pytest.param(True, 1, ["$: true → 1"], id="true is not 1"),
        pytest.param({"a": 1}, {"a": 1.0}, [], id="1 and 1.0 are one"),
        pytest.param(
            [{"map": 1}, {"call": 2}],
            [{"filter": 0}, {"map": 1}, {"call": 2}],
            ['$[0]: added {"filter": 0}'],
            id="an item before others changes none of them",
        ),
        pytest.param(["a", "b", "c"], ["a", "c"], ['$[1]: removed "b"'], id="an item that is gone"),
        pytest.param(
            [{"call": {"path": "/a"}}],
            [{"call": {"path": "/b"}}],
            ['$[0].call.path: "/a" → "/b"'],
            id="deep inside an item",
        ),
    ],
)
def test_each_place_is_told_once(old: Any, new: Any, told: list[str]) -> None:
    assert [str(each) for each in fields.changes(old, new)] == told


def test_of_a_text_of_several_lines_those_that_differ_are_told() -> None:
    (change,) = fields.changes("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\nE\nf\n", "spec.expression")

    assert change.path == "spec.expression"
    assert change.lines == [" c", " d", "-e", "+E", " f"]


def test_texts_of_one_line_stand_beside_each_other() -> None:
    (change,) = fields.changes("a", "b")

    assert change.lines == []
    assert change.plain() == {"path": "$", "old": "a", "new": "b"}


@given(JSON)
def test_a_value_differs_from_none_of_its_copies(value: Any) -> None:
    assert list(fields.changes(value, copy.deepcopy(value))) == []


@given(JSON, JSON)
def test_there_are_changes_where_values_differ_and_they_go_both_ways(old: Any, new: Any) -> None:
    forth, back = list(fields.changes(old, new)), list(fields.changes(new, old))

    assert bool(forth) == bool(back)
    if not forth:
        assert old == new
    assert all(not _alike(each) for each in forth)


def _alike(change: Change) -> bool:
    if NOTHING in (change.old, change.new):
        return change.old is change.new
    return bool(change.old == change.new) and type(change.old) is type(change.new)
