"""Rules between fields: when they hold, and what they say. That CEL agrees is tested in a cluster:
`tests/contract/kubernetes/test_agreement.py`."""

import itertools
from typing import Any

import pytest

from isthmus_api.resources import KINDS
from isthmus_api.rules import (
    Rule,
    at_least_one_of,
    at_most_one_of,
    cel_name,
    exactly_one_of,
    only_with,
)

EXACTLY = exactly_one_of("a", "b", "c")
AT_MOST = at_most_one_of("a", "b", "c")
AT_LEAST = at_least_one_of("a", "b", "c")
WITH = only_with("a", "b", "c")

HOLDS = {
    "exactly one, not none": (EXACTLY, {}, False),
    "exactly one, and it is one": (EXACTLY, {"b": 1}, True),
    "exactly one, not two": (EXACTLY, {"a": 1, "c": 1}, False),
    "exactly one, whatever its value": (EXACTLY, {"a": None}, True),
    "exactly one, other fields do not count": (EXACTLY, {"d": 1}, False),
    "at most one, and it is none": (AT_MOST, {}, True),
    "at most one, and it is one": (AT_MOST, {"c": 1}, True),
    "at most one, not two": (AT_MOST, {"a": 1, "b": 1}, False),
    "at least one, not none": (AT_LEAST, {"d": 1}, False),
    "at least one, and it is one": (AT_LEAST, {"c": 1}, True),
    "at least one, and it is all": (AT_LEAST, {"a": 1, "b": 1, "c": 1}, True),
    "only with, and it is not there": (WITH, {}, True),
    "only with, and its host is there": (WITH, {"a": 1, "c": 1}, True),
    "only with, and no host is there": (WITH, {"a": 1}, False),
}


@pytest.mark.parametrize(("rule", "written", "holds"), HOLDS.values(), ids=HOLDS)
def test_a_rule_holds(rule: Rule, written: dict[str, Any], holds: bool) -> None:
    assert rule.holds(written) is holds


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (EXACTLY, "exactly one of a, b, c must be set"),
        (exactly_one_of("http"), "http must be set"),
        (AT_MOST, "at most one of a, b, c may be set"),
        (AT_LEAST, "at least one of a, b, c must be set"),
        (WITH, "a belongs to b or c only"),
        (only_with("a", "b"), "a belongs to b only"),
        (only_with("a", "b", "c", "d"), "a belongs to b, c or d only"),
    ],
)
def test_a_rule_says_what_it_wants(rule: Rule, message: str) -> None:
    assert rule.message == message


@pytest.mark.parametrize("rule", [EXACTLY, AT_MOST, AT_LEAST])
def test_the_shape_says_the_same(rule: Rule) -> None:
    for size in range(4):
        for present in itertools.combinations("abc", size):
            written = dict.fromkeys(present)

            assert _fits(rule.shape, written) is rule.holds(written), written


def _fits(shape: dict[str, Any], written: dict[str, Any]) -> bool:
    """The little of JSON Schema that shapes use."""
    match shape:
        case {"required": names}:
            return all(name in written for name in names)
        case {"oneOf": shapes}:
            return sum(_fits(each, written) for each in shapes) == 1
        case {"anyOf": shapes}:
            return any(_fits(each, written) for each in shapes)
        case {"not": inner}:
            return not _fits(inner, written)
        case _:
            raise AssertionError(shape)


@pytest.mark.parametrize(
    ("field", "written"),
    [("http", "http"), ("in", "__in__"), ("namespace", "__namespace__"), ("items", "items")],
)
def test_names_that_are_words_of_cel_are_escaped(field: str, written: str) -> None:
    assert cel_name(field) == written
    assert f"has(self.{written})" in exactly_one_of(field, "b").cel


def test_rules_name_fields_that_are_there() -> None:
    for model in _models(KINDS.values()):
        fields = {field.alias or name for name, field in model.model_fields.items()}

        assert fields >= {name for rule in model.rules for name in rule.fields}, model


def _models(kinds: Any) -> set[Any]:
    found: set[Any] = set()
    ahead = [kind.spec for kind in kinds]
    while ahead:
        annotation = ahead.pop()
        if hasattr(annotation, "model_fields") and annotation not in found:
            found.add(annotation)
            ahead += [field.annotation for field in annotation.model_fields.values()]
        ahead += getattr(annotation, "__args__", ())
    return found
