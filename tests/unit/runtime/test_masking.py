"""What must not be seen becomes stars."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.masking import Hidden, Paths

ORDER = {
    "customer": {"email": "a@example.com", "name": "Ann", "phones": [31, "0612345678"]},
    "lines": [{"card": "4111-1111", "sku": "x"}, {"card": None, "sku": "y"}, 7],
}
MASKED = {
    "a member": ("customer.name", {"customer": {"name": "***"}}),
    "an object as a whole": ("customer", {"customer": "***"}),
    "a member of every element, named": ("lines.*.card", {"lines": [{"card": "***", "sku": "x"}]}),
    "a member of every element, unnamed": ("lines.card", {"lines": [{"card": "***", "sku": "x"}]}),
    "all members": ("customer.*", {"customer": {"name": "***", "email": "***"}}),
    "what is not there": ("customer.street", {}),
    "more than there is": ("customer.email.host", {}),
    "one element": (
        "lines.1.card",
        {"lines": [{"card": "4111-1111"}, {"card": "***", "sku": "y"}]},
    ),
    "at any depth": ("**.card", {"lines": [{"card": "***", "sku": "x"}, {"card": "***"}]}),
    "at any depth below": ("customer.**.0", {"customer": {"phones": ["***", "0612345678"]}}),
    "a name in backticks": ("`customer`.`email`", {"customer": {"email": "***"}}),
    "elements as a whole": ("customer.phones.*", {"customer": {"phones": ["***", "***"]}}),
}


@pytest.mark.parametrize(("path", "expected"), MASKED.values(), ids=MASKED.keys())
def test_paths_hide(path: str, expected: dict[str, Any]) -> None:
    masked = Paths([path]).masked(ORDER)

    def within(found: Any, wanted: Any) -> None:
        match wanted:
            case dict():
                for name, inner in wanted.items():
                    within(found[name], inner)
            case list():
                for one, inner in zip(found, wanted, strict=False):
                    within(one, inner)
            case _:
                assert found == wanted

    within(masked, expected)
    if not expected:
        assert masked == ORDER


def test_any_number_of_any_names_is_all_there_is() -> None:
    assert Paths(["**"]).masked(ORDER) == "***"
    assert "a@example.com" in Paths(["**"]).texts(ORDER)


def test_what_is_nested_too_deeply_to_be_searched_is_masked_as_a_whole() -> None:
    nested: Any = "canary-value"
    for _ in range(1020):
        nested = [nested]

    assert Paths(["**.card"]).masked(nested) == "***"
    assert Hidden(["canary-value"]).masked(nested) == "***"


def test_a_list_of_messages_is_masked_as_each_of_them() -> None:
    assert Paths(["a"]).masked([{"a": 1, "b": 2}, {"a": 3}]) == [{"a": "***", "b": 2}, {"a": "***"}]


def test_the_texts_at_paths_are_those_long_enough_to_be_told_apart() -> None:
    paths = Paths(["customer", "lines.card"])

    assert paths.texts(ORDER) == {"a@example.com", "0612345678", "4111-1111"}


HIDING = {
    "a text within another": ("to a@b.example!", "to ***!"),
    "a text in a key": ({"a@b.example": 1}, {"***": 1}),
    "percent-encoded, as in a path": ("/c/a%40b.example", "/c/***"),
    "the digits of a number": ({"n": [900123456]}, {"n": ["***"]}),
    "other numbers and truths stay": ({"n": [9, True, None, 1.5]}, {"n": [9, True, None, 1.5]}),
    "too short to be told apart": ("abc", "abc"),
    "the longer one first": ("secret-longer", "***"),
}


@pytest.mark.parametrize(("value", "expected"), HIDING.values(), ids=HIDING.keys())
def test_texts_are_hidden_wherever_they_stand(value: Any, expected: Any) -> None:
    hidden = Hidden(["a@b.example", "0123", "abc", "secret", "secret-longer"])

    assert hidden.masked(value) == expected


@given(st.lists(st.text(min_size=4, max_size=8), max_size=4), st.text(max_size=40))
def test_no_hidden_text_is_left_but_one_made_of_stars(hidden: list[str], text: str) -> None:
    masked = Hidden(hidden).text("".join([text, *hidden, text]))

    assert not any(one in masked for one in hidden if "*" not in one)
