"""Comparison: where two JSON values differ, and how that is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.comparison import differences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="equal objects"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, [], id="the order of keys"),
        pytest.param(1, 1.0, [], id="a number is equal however it is written"),
        pytest.param(1, True, ["expected 1, got true"], id="true is not 1"),
        pytest.param(2**53 + 1, 2**53, [f"expected {2**53 + 1}, got {2**53}"], id="large integers"),
        pytest.param("1", 1, ['expected "1", got 1'], id="a string is no number"),
        pytest.param(None, 0, ["expected null, got 0"], id="null is not 0"),
        pytest.param({"a": 1}, {}, ["$.a: expected 1, got nothing"], id="a key is missing"),
        pytest.param({}, {"a": 1}, ["$.a: expected nothing, got 1"], id="a key is too many"),
        pytest.param({"a": None}, {}, ["$.a: expected null, got nothing"], id="null is a value"),
        pytest.param([1], [1, 2], ["$[1]: expected nothing, got 2"], id="an item is too many"),
        pytest.param(
            {"a": [{"b c": "x"}]},
            {"a": [{"b c": "y"}]},
            ['$.a[0]["b c"]: expected "x", got "y"'],
            id="deep inside",
        ),
        pytest.param({"a": 1}, [1], ['expected {"a": 1}, got [1]'], id="another type"),
    ],
)
def test_differences(expected: Any, actual: Any, told: list[str]) -> None:
    assert [str(found) for found in differences(expected, actual)] == told


def test_of_long_texts_the_part_that_differs_is_shown() -> None:
    same = "x" * 5000

    [found] = differences(f"{same}one{same}", f"{same}two{same}")

    told = str(found)
    assert "one" in told
    assert "two" in told
    assert len(told) < 400


@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []
