"""Masking: what is shown of messages to those who look at them."""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.masking import MASK, BadPath, Mask, parse

ORDER: dict[str, Any] = {
    "number": 7,
    "customer": {"name": "Jan", "email": "jan@example.com", "first name": "J"},
    "lines": [{"sku": "a", "card": {"iban": "NL1"}}, {"sku": "b", "card": None}],
    "payments": {"one": {"iban": "NL2"}, "two": {"iban": "NL3", "of": {"iban": "NL4"}}},
}


def masked(*paths: str, value: Any = ORDER) -> Any:
    return Mask(paths).value(value)


def changed(**places: Any) -> dict[str, Any]:
    return {**ORDER, **places}


LINES = [{"sku": "a", "card": MASK}, {"sku": "b", "card": MASK}]
TEXTS = {
    "a text": ("customer.name", {"Jan"}),
    "a number": ("number", {"7"}),
    "all that is below": ("lines", {"a", "b", "NL1"}),
    "of each element": ("lines.card.iban", {"NL1"}),
    "at any depth": ("**.iban", {"NL1", "NL2", "NL3", "NL4"}),
    "nothing": ("nobody", set()),
}


@pytest.mark.parametrize(("path", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_what_stands_at_a_path_is_known(path: str, expected: set[str]) -> None:
    assert Mask([path]).texts(ORDER) == expected


PATHS = {
    "a name": ("number", changed(number=MASK)),
    "a name inside": (
        "customer.email",
        changed(customer={"name": "Jan", "email": MASK, "first name": "J"}),
    ),
    "an object as a whole": ("customer", changed(customer=MASK)),
    "a name in backticks": (
        "customer.`first name`",
        changed(customer={"name": "Jan", "email": "jan@example.com", "first name": MASK}),
    ),
    "any element of a list": ("lines.*.card", changed(lines=LINES)),
    "a list stands for its elements": ("lines.card", changed(lines=LINES)),
    "any name": (
        "payments.*.iban",
        changed(payments={"one": {"iban": MASK}, "two": {"iban": MASK, "of": {"iban": "NL4"}}}),
    ),
    "at any depth": (
        "**.iban",
        changed(
            lines=[{"sku": "a", "card": {"iban": MASK}}, {"sku": "b", "card": None}],
            payments={"one": {"iban": MASK}, "two": {"iban": MASK, "of": {"iban": MASK}}},
        ),
    ),
    "at any depth, which may be none": ("**.number", changed(number=MASK)),
    "at any depth below a name": (
        "payments.**.of",
        changed(payments={"one": {"iban": "NL2"}, "two": {"iban": "NL3", "of": MASK}}),
    ),
    "all there is": ("*", dict.fromkeys(ORDER, MASK)),
    "all of it": ("**", MASK),
    "nothing of that name": ("customer.phone", ORDER),
    "nothing below a number": ("number.of.it", ORDER),
    "a name is no position": ("lines.0", ORDER),
    "any one is not any number": ("*.iban", ORDER),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_a_path(path: str, expected: Any) -> None:
    before = copy.deepcopy(ORDER)

    assert masked(path) == expected
    assert before == ORDER


def test_several_paths() -> None:
    assert masked("number", "lines", "payments", "customer") == dict.fromkeys(ORDER, MASK)


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a b", "***", "a.***", "`a", "``", "a[0]", "**a", "a*"]
)
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(BadPath, match="is no path: write names with dots between them"):
        parse(text)


def test_what_is_nested_too_deeply_is_masked_as_a_whole() -> None:
    value: Any = "jan@example.com"
    for _ in range(5000):
        value = {"a": value}

    assert masked("**.email", value=value) == MASK


def test_without_anything_to_mask_a_value_is_the_same() -> None:
    assert Mask().value(ORDER) is ORDER
    assert Mask().text("hunter2") == "hunter2"


SECRET = 'h"nt er/2+€'
FORMS = {
    "as it is": SECRET,
    "inside another text": f"Bearer {SECRET}!",
    "in JSON": json.dumps({"token": SECRET}),
    "in JSON that is not ASCII": json.dumps({"token": SECRET}, ensure_ascii=False),
    "in a path": f"/a/{quote(SECRET, safe='')}/b",
    "in a query": "?q=" + quote(SECRET, safe="").replace("%20", "+"),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_secret_is_masked_however_it_is_written(text: str) -> None:
    shown = Mask(secrets=[SECRET]).text(text)

    assert MASK in shown
    assert "nt" not in shown
    assert shown.startswith((text[0], MASK))


def test_secrets_are_masked_in_keys_and_texts_of_a_value() -> None:
    mask = Mask(secrets=["hunter2", "abcd"])

    shown = mask.value({"hunter2": ["x hunter2 y", {"a": "abcdhunter2"}, 7, None, True]})

    assert shown == {MASK: ["x *** y", {"a": "******"}, 7, None, True]}


def test_short_secrets_are_left_alone() -> None:
    assert Mask(secrets=["abc", ""]).text("abc abcabc") == "abc abcabc"


@given(
    secrets=st.lists(st.text("ab", min_size=4, max_size=7), max_size=4),
    text=st.text("abc", max_size=60),
)
def test_no_secret_is_left_and_nothing_else_is_gone(secrets: list[str], text: str) -> None:
    shown = Mask(secrets=secrets).text(text)
    covered = {
        at + offset
        for secret in secrets
        for at in range(len(text))
        if text.startswith(secret, at)
        for offset in range(len(secret))
    }
    kept = "".join(char for at, char in enumerate(text) if at not in covered)

    assert shown.replace(MASK, "") == kept
    assert not any(secret in shown for secret in secrets)


NAMES = st.sampled_from(["a", "b", "c"])
JSON = st.recursive(
    st.one_of(st.none(), st.integers(), st.text("xyz", max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)
PATH = st.lists(st.one_of(NAMES, NAMES, st.just("*"), st.just("**")), min_size=1, max_size=4)


@given(value=JSON, path=PATH)
def test_what_is_masked_is_what_the_path_leads_to(value: Any, path: list[str]) -> None:
    assert masked(".".join(path), value=value) == _expected(value, tuple(path))


def _expected(value: Any, path: tuple[str, ...]) -> Any:
    """The same, one place after the other: slow, and as it is told."""
    places = list(_places(value))
    masked_places = {place for place in places if _leads(value, path, place)}
    return _replaced(value, (), masked_places)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    match value:
        case dict():
            inner: list[tuple[Any, Any]] = list(value.items())
        case list():
            inner = list(enumerate(value))
        case _:
            inner = []
    for key, each in inner:
        yield from _places(each, (*at, key))


def _leads(value: Any, path: tuple[str, ...], place: tuple[Any, ...]) -> bool:
    if not path:
        return not place
    first, rest = path[0], path[1:]
    if first == "**" and _leads(value, rest, place):
        return True
    if not place:
        return False
    is_element, inner = isinstance(value, list), value[place[0]]
    match first:
        case "**":
            return _leads(inner, path, place[1:])
        case "*":
            return _leads(inner, rest, place[1:])
        case _ if is_element:
            return _leads(inner, path, place[1:])
        case _:
            return first == place[0] and _leads(inner, rest, place[1:])


def _replaced(value: Any, at: tuple[Any, ...], places: set[tuple[Any, ...]]) -> Any:
    if at in places:
        return MASK
    match value:
        case dict():
            return {key: _replaced(each, (*at, key), places) for key, each in value.items()}
        case list():
            return [_replaced(each, (*at, index), places) for index, each in enumerate(value)]
        case _:
            return value
