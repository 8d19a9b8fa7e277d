"""What an expression reads of its input, against the schema of it."""

from typing import Any

import pytest

from isthmus_api.mapping import MappingSpec
from isthmus_api.model import Model, ObjectMeta
from isthmus_api.plan import check
from isthmus_api.problems import Severity
from isthmus_api.resources import MAPPING, Key, Resource, Resources

STRING = {"type": "string"}
CLOSED = {"type": "object", "properties": {"sku": STRING}, "additionalProperties": False}
OPEN = {"type": "object", "properties": {"sku": STRING}}


def mapping(expression: str, schema: dict[str, Any]) -> Resource[Model]:
    spec = MappingSpec.model_validate({"expression": expression, "input": {"schema": schema}})
    return Resource(Key(MAPPING.name, "default", "m"), ObjectMeta(name="m"), spec)


def told(expression: str, schema: dict[str, Any]) -> list[str]:
    found = check(Resources.of([mapping(expression, schema)]))
    assert all(each.severity is Severity.WARNING for each in found)
    return [each.message.removeprefix("the expression reads ") for each in found]


EXCLUDED = "$.{}, which input.schema excludes"
UNNAMED = "$.{}, which input.schema does not name"


@pytest.mark.parametrize(
    ("expression", "schema", "expected"),
    [
        pytest.param("sku", CLOSED, [], id="a field that is there"),
        pytest.param("ean", CLOSED, [EXCLUDED.format("ean")], id="one that is excluded"),
        pytest.param("ean", OPEN, [UNNAMED.format("ean")], id="one that nobody names"),
        pytest.param("ean", {}, [], id="a schema that says nothing"),
        pytest.param("ean", {"type": "object"}, [], id="an object of anything"),
        pytest.param("ean", {**OPEN, "additionalProperties": STRING}, [], id="a map"),
        pytest.param("ean", {**OPEN, "additionalProperties": True}, [], id="left open on purpose"),
        pytest.param("x_a", {**CLOSED, "patternProperties": {"^x_": {}}}, [], id="by pattern"),
        pytest.param("sku.code", CLOSED, [EXCLUDED.format("sku.code")], id="a field of a text"),
        pytest.param("a.b.ean", {"properties": {"a": {"properties": {"b": CLOSED}}}},
                     [EXCLUDED.format("a.b.ean")], id="deep inside"),
        pytest.param("[items.{'e': ean}]", {"properties": {"items": {"items": CLOSED}}},
                     [EXCLUDED.format("items.ean")], id="in the items of an array"),
        pytest.param("ean", {"type": "array", "items": CLOSED}, [EXCLUDED.format("ean")],
                     id="in an array as the whole"),
        pytest.param("a.ean", {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": CLOSED}},
                     [EXCLUDED.format("a.ean")], id="through a reference"),
        pytest.param("a.a.a.ean", {"properties": {"a": {"$ref": "#"}}},
                     [UNNAMED.format("a.a.a.ean")], id="through a circle of references"),
        pytest.param("ean", {"anyOf": [CLOSED, {"properties": {"ean": STRING}}]}, [],
                     id="in one of two ways"),
        pytest.param("gtin", {"anyOf": [CLOSED, {"properties": {"ean": STRING}}]},
                     [UNNAMED.format("gtin")], id="in none of two ways"),
        pytest.param("ean", {"oneOf": [CLOSED, {"type": "object"}]}, [], id="one way is open"),
        pytest.param("sku & ean", {"allOf": [OPEN, {"properties": {"ean": STRING}}]}, [],
                     id="all of them together"),
        pytest.param("$v.ean", CLOSED, [], id="a variable is no input"),
        pytest.param("$keys($)", CLOSED, [], id="the whole"),
    ],
)  # fmt: skip
def test_reads(expression: str, schema: dict[str, Any], expected: list[str]) -> None:
    assert told(expression, schema) == expected


def test_the_hint_knows_what_was_meant() -> None:
    [problem] = check(Resources.of([mapping("skuu", CLOSED)]))

    assert problem.hint == "did you mean sku?"


def test_a_schema_that_leads_back_to_itself_ends() -> None:
    assert told("a.b", {"$ref": "#", "allOf": [{"$ref": "#"}]}) == []
