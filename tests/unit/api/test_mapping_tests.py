"""The tests that Mappings hold, run by the engine of production and told as problems."""

from typing import Any, cast

import pytest

from isthmus_api import mapping_tests
from isthmus_api.mapping import MappingSpec
from isthmus_api.model import ObjectMeta
from isthmus_api.problems import Code
from isthmus_api.resources import Key, Resource, Resources

LARGE = 12345678901234567890123


def mapping(expression: str, *tests: dict[str, Any], **spec: Any) -> Resource[MappingSpec]:
    named = [{"name": f"case {number}", **test} for number, test in enumerate(tests)]
    value = MappingSpec.model_validate({"expression": expression, "tests": named, **spec})
    metadata = ObjectMeta(name="m")
    return cast(Resource[MappingSpec], Resource(Key("Mapping", "default", "m"), metadata, value))


PASSING = {
    "a result as expected": mapping("a", {"input": {"a": 1}, "expect": 1}),
    "nothing comes of nothing": mapping("a", {"input": {}, "expect": None}),
    "without an input the body is null": mapping("$type($)", {"expect": "null"}),
    "a variable and a table": mapping(
        "$table('vat', $country)",
        {"variables": {"country": "NL"}, "expect": 21},
        tables={"vat": {"NL": 21}},
    ),
    "a large integer of the input": mapping(
        "{'id': id}", {"input": {"id": LARGE}, "expect": {"id": LARGE}}
    ),
    "large integers of the input and of a variable": mapping(
        "{'id': id, 'stock': $stock.id, 'n': n}",
        {
            "input": {"id": LARGE, "n": 1},
            "variables": {"stock": {"id": LARGE + 1}},
            "expect": {"id": LARGE, "stock": LARGE + 1, "n": 1},
        },
    ),
    "a variable with a large integer that is not read": mapping(
        "n", {"input": {"n": 1}, "variables": {"other": LARGE}, "expect": 1}
    ),
    "no test at all": mapping("a"),
}


@pytest.mark.parametrize("found", PASSING.values(), ids=PASSING)
def test_a_mapping_that_passes_has_no_problem(found: Resource[MappingSpec]) -> None:
    assert mapping_tests.problems(found, Resources.of([found])) == ()


FAILING = {
    "a result that differs": (
        mapping("a", {"input": {"a": 1}, "expect": 2}),
        "the test 'case 0' fails: the result differs: expected 2, got 1",
    ),
    "a result that differs in many places": (
        mapping("{'a': 1, 'b': 2, 'c': 3, 'd': 4}", {"expect": {"e": 5}}),
        "the test 'case 0' fails: the result differs: $.e: expected 5, got nothing; "
        "$.a: expected nothing, got 1; $.b: expected nothing, got 2; and 2 more",
    ),
    "a result that does not fit the schema": (
        mapping("a", {"input": {"a": 1}, "expect": 1}, output={"schema": {"type": "string"}}),
        "the test 'case 0' fails: the result does not fit output.schema at $: "
        '1 is not of type "string"',
    ),
    "an expression that fails": (
        mapping("$number(a)", {"input": {"a": "x"}, "expect": 1}),
        "the test 'case 0' fails: the expression failed: ",
    ),
    "an expression without end": (
        mapping("($f := function($n) { $f($n + 1) }; $f(0))", {"expect": 1}),
        "the test 'case 0' fails: the expression failed: ",
    ),
    "a test that is no JSON": (
        mapping("a", {"input": float("nan"), "expect": 1}),
        "the test 'case 0' fails: the test is no JSON: ",
    ),
}


@pytest.mark.parametrize(("found", "said"), FAILING.values(), ids=FAILING)
def test_a_case_that_fails_is_a_problem(found: Resource[MappingSpec], said: str) -> None:
    [problem] = mapping_tests.problems(found, Resources.of([found]))

    assert problem.message.startswith(said)
    assert problem.code is Code.TEST_FAILED
    assert (problem.subject, problem.field) == ("Mapping default/m", "spec.tests[0]")
    assert "isthmus test" in problem.hint


def test_every_case_that_fails_is_told() -> None:
    found = mapping("a", {"expect": 1}, {"input": {"a": 1}, "expect": 1}, {"expect": 2})

    fields = [problem.field for problem in mapping_tests.problems(found, Resources.of([found]))]

    assert fields == ["spec.tests[0]", "spec.tests[2]"]
