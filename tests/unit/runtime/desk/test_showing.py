"""Bodies as people may see them, and edited ones as they are meant."""

import json
from typing import Any

import pytest

from isthmus_runtime.desk.showing import NotRestorable, Window

JSON = "application/json"
WINDOW = Window(paths=("card", "lines.*.iban", "who"), secrets=("hunter22",))
BODY: dict[str, Any] = {
    "n": 1,
    "card": "4111",
    "who": {"name": "Zoë", "born": 1815},
    "note": "pass: hunter22",
    "lines": [{"sku": "A", "iban": "NL1"}, {"sku": "B", "iban": "NL2"}],
}
SHOWN: dict[str, Any] = {
    "n": 1,
    "card": "***",
    "who": "***",
    "note": "pass: ***",
    "lines": [{"sku": "A", "iban": "***"}, {"sku": "B", "iban": "***"}],
}


def restored(edited: Any) -> Any:
    text = edited if isinstance(edited, str) else json.dumps(edited)
    return json.loads(WINDOW.restored(text, json.dumps(BODY).encode(), JSON))


def test_what_is_masked_is_not_shown() -> None:
    assert WINDOW.body(json.dumps(BODY).encode(), JSON).value == SHOWN


SEEN: dict[str, tuple[bytes, str, Any, str]] = {
    "JSON of another type": (b'{"card": 1}', "application/vnd.shop+json", {"card": "***"}, "json"),
    "JSON of a type that is not given": (b'{"card": 1}', "", {"card": "***"}, "json"),
    "JSON that is called text": (b'{"card": 1}', "text/plain", {"card": "***"}, "json"),
    "a number in a text": (b"1", "text/plain", "1", "text"),
    "text": (b"pass: hunter22", "text/plain", "pass: ***", "text"),
    "what says it is JSON and is not": (b"{card", JSON, "{card", "text"),
    "what is no text": (b"\xff\xfe", "image/png", "//4=", "base64"),
    "nothing": (b"", JSON, "", "text"),
}


@pytest.mark.parametrize(("body", "type_", "value", "kind"), SEEN.values(), ids=SEEN)
def test_a_body_is_shown_as(body: bytes, type_: str, value: Any, kind: str) -> None:
    shown = WINDOW.body(body, type_)

    assert (shown.value, shown.kind) == (value, kind)


def test_a_journey_is_masked_by_what_stood_in_the_body() -> None:
    journey = {"steps": [{"output": {"payment": "4111", "note": "hunter22"}}]}

    found = WINDOW.journey(journey, json.dumps(BODY).encode(), JSON)

    assert found == {"steps": [{"output": {"payment": "***", "note": "***"}}]}


MEANT: dict[str, tuple[Any, Any]] = {
    "nothing was changed": (SHOWN, BODY),
    "something beside": (SHOWN | {"n": 2}, BODY | {"n": 2}),
    "something masked was replaced": (SHOWN | {"card": "5500"}, BODY | {"card": "5500"}),
    "something masked was removed": (
        {"n": 1, "lines": SHOWN["lines"]},
        {"n": 1, "lines": BODY["lines"]},
    ),
    "the last of a list was removed": (
        SHOWN | {"lines": SHOWN["lines"][:1]},
        BODY | {"lines": BODY["lines"][:1]},
    ),
    "a text that holds a secret was left": ({"note": "pass: ***"}, {"note": "pass: hunter22"}),
    "no mark is left": ({"a": [1, "x"]}, {"a": [1, "x"]}),
}


@pytest.mark.parametrize(("edited", "meant"), MEANT.values(), ids=MEANT)
def test_an_edited_body_is_what_was_meant_when(edited: Any, meant: Any) -> None:
    assert restored(edited) == meant


REFUSED: dict[str, tuple[Any, str]] = {
    "where nothing is masked": ({"n": "***"}, r"\$\.n has \*\*\*"),
    "in a place that is new": ({"more": {"card": "***"}}, r"\$\.more\.card has"),
    "in a list that became longer": ({"lines": [*SHOWN["lines"], {"iban": "***"}]}, r"\[2\]\.iban"),
    "in a text that was changed": ({"note": "the pass: ***"}, r"\$\.note has"),
    "in what is no JSON": ('{"card": "***"', "is no JSON"),
}


@pytest.mark.parametrize(("edited", "says"), REFUSED.values(), ids=REFUSED)
def test_a_mark_is_refused(edited: Any, says: str) -> None:
    with pytest.raises(NotRestorable, match=says):
        restored(edited)


def test_a_text_with_something_masked_in_it_cannot_be_edited() -> None:
    with pytest.raises(NotRestorable, match="cannot be told"):
        WINDOW.restored("pass: ***!", b"pass: hunter22", "text/plain")


def test_three_stars_that_were_there_before_are_just_that() -> None:
    body = b'{"rating": "***"}'

    assert WINDOW.restored('{"rating": "***"}', body, JSON) == b'{"rating": "***"}'


def test_a_body_without_marks_is_taken_letter_by_letter() -> None:
    assert WINDOW.restored('{"total": 1.10}', b"{}", JSON) == b'{"total": 1.10}'
