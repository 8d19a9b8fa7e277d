"""JSON text in and out: orjson's rules, and integers that stay exact."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api import json_text

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value", "large"),
    [
        pytest.param(b'{"a":1}', {"a": 1}, set(), id="small integers are numbers"),
        pytest.param(b"9007199254740992", 2**53, set(), id="2^53 is exact"),
        pytest.param(b"9007199254740993", "9007199254740993", {"9007199254740993"}, id="2^53 + 1"),
        pytest.param(b"[-9007199254740993]", ["-9007199254740993"], {"-9007199254740993"}, id="-"),
        pytest.param(b" 1234567890123456 ", 1234567890123456, set(), id="sixteen small digits"),
        pytest.param(b'["9007199254740993"]', ["9007199254740993"], set(), id="a string stays one"),
        pytest.param(b"0.12345678901234567", 0.12345678901234567, set(), id="a fraction is none"),
        pytest.param(b"12345678901234567890.5", 12345678901234567890.5, set(), id="large fraction"),
        pytest.param(b"1" * 300, "1" * 300, {"1" * 300}, id="three hundred digits"),
        pytest.param(b"1.10", 1.1, set(), id="1.10 becomes 1.1"),
        pytest.param(b'{"a":1,"a":2}', {"a": 2}, set(), id="the last of two keys wins"),
    ],
)
def test_decode(text: bytes, value: object, large: set[str]) -> None:
    assert json_text.Decoded(value, frozenset(large)) == json_text.decode(text)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        pytest.param(b'{"a":\n 1,}', 2, 3, id="a comma too many"),
        pytest.param(b"", 1, 1, id="nothing"),
        pytest.param(b"NaN", 1, 1, id="NaN"),
        pytest.param(b"-Infinity", 1, 2, id="Infinity"),
        pytest.param(b"1e999", 1, 1, id="a number beyond all doubles"),
        pytest.param(b"1" * 5000, 1, 1, id="an integer beyond all doubles"),
        pytest.param(b'["\xff"]', 1, 1, id="bytes that are not UTF-8"),
        pytest.param(b"[" * 100_000, 1, 1026, id="a nesting bomb"),
        pytest.param(b"[12345678901234567890," * 2000, 1, 1, id="a bomb with large integers"),
    ],
)
def test_invalid_json_has_a_place(text: bytes, line: int, column: int) -> None:
    with pytest.raises(json_text.InvalidJson) as caught:
        json_text.decode(text)

    assert caught.value.line == line
    assert text[:1] == b"[" or caught.value.column == column


def test_nesting_within_the_rules_never_ends_in_a_recursion_error() -> None:
    text = b"[" * 1020 + b"12345678901234567890" + b"]" * 1020
    try:
        decoded = json_text.decode(text)
        json_text.encode(decoded.value, decoded.large)
    except json_text.JsonTextError:
        pass  # how deep Python goes depends on the caller; a clean refusal is right as well


@pytest.mark.parametrize(
    ("value", "large", "expected"),
    [
        pytest.param({"a": "12345678901234567"}, set(), b'{"a":"12345678901234567"}', id="string"),
        pytest.param(["1", "2"], {"2"}, b'["1",2]', id="only what was large"),
        pytest.param({"2": "2"}, {"2"}, b'{"2":2}', id="a key stays a string"),
        pytest.param(float("nan"), set(), b"null", id="NaN leaves as null"),
    ],
)
def test_encode(value: object, large: set[str], expected: bytes) -> None:
    assert expected == json_text.encode(value, frozenset(large))


@pytest.mark.parametrize("value", [object(), {1: 2}, 2**70], ids=["object", "key", "huge int"])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(json_text.NotEncodable):
        json_text.encode(value)


@given(JSON)
def test_a_document_comes_back_as_it_was(value: object) -> None:
    text = json.dumps(value).encode()
    decoded = json_text.decode(text)

    assert value == json.loads(json_text.encode(decoded.value, decoded.large))


@given(st.integers(-(10**300), 10**300))
def test_any_integer_comes_back_with_all_digits(number: int) -> None:
    text = str([number, {"n": number}]).replace("'", '"').encode()
    decoded = json_text.decode(text)

    assert json.loads(text) == json.loads(json_text.encode(decoded.value, decoded.large))


@given(st.integers(min_value=2**53 + 1) | st.integers(max_value=-(2**53) - 1), JSON)
def test_no_large_integer_is_overlooked(number: int, around: object) -> None:
    text = json.dumps([around, {"n": number}]).encode()

    assert json_text.has_large_integers(text)
    assert str(number) in json_text.decode(text).large


@pytest.mark.parametrize("length", range(16, 24))
@pytest.mark.parametrize("before", range(8))
def test_nor_does_it_matter_where_it_stands(before: int, length: int) -> None:
    assert json_text.has_large_integers(b"[" + b" " * before + b"9" * length + b"]")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"sscc":"003456789012345678"}', id="digits in a string"),
        pytest.param(b"[0.30000000000000004]", id="a fraction"),
        pytest.param(b'{"id":900719925474099}', id="fifteen digits"),
    ],
)
def test_the_fast_way_is_taken(text: bytes) -> None:
    assert not json_text.has_large_integers(text)
