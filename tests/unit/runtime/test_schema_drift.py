"""What is different between an answer and what a schema says of it."""

from typing import Any

import pytest
import vendor_apis

from isthmus_runtime.connectors import schema_drift

API = """
openapi: 3.1.0
paths:
  /things:
    get:
      responses:
        200:
          content:
            application/json:
              schema:
                type: object
                required: [items]
                properties:
                  items:
                    type: array
                    items:
                      type: object
                      required: [sku]
                      properties:
                        sku: {type: string}
                        net: {type: number}
                        count: {type: integer}
                        note: {type: [string, 'null']}
                        prices: {type: object, additionalProperties: {type: string}}
                        free: {type: object}
                        either: {oneOf: [{type: string}, {type: integer}]}
"""

CASES = [
    pytest.param({"items": [{"sku": "a", "net": 1, "note": None}]}, set(), id="as said"),
    pytest.param({"items": []}, set(), id="an empty list"),
    pytest.param({"items": [{"sku": "a", "free": {"x": [1]}}]}, set(), id="a free object"),
    pytest.param({"items": [{"sku": "a", "either": 1}]}, set(), id="one of two types"),
    pytest.param({}, {("missing", "$.items")}, id="a field is missing"),
    pytest.param(
        {"items": [{"sku": "a"}, {"net": "1"}]},
        {("missing", "$.items[].sku"), ("retyped", "$.items[].net")},
        id="elements of a list",
    ),
    pytest.param(
        {"items": [{"sku": "a", "count": 1.5}]},
        {("retyped", "$.items[].count")},
        id="a fraction for a whole number",
    ),
    pytest.param({"items": None}, {("retyped", "$.items")}, id="null where it may not be"),
    pytest.param(
        {"items": [{"sku": "a"}], "next": 2}, {("new", "$.next")}, id="a field that is new"
    ),
    pytest.param(
        {"items": [{"sku": "a", "prices": {"anna@example.com": 3}}]},
        {("retyped", "$.items[].prices.*")},
        id="a key of a map is data, and not told",
    ),
    pytest.param([1], {("retyped", "$")}, id="a list instead of an object"),
]


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_differences_are_told_by_kind_and_path(value: Any, expected: set[tuple[str, str]]) -> None:
    (operation,) = vendor_apis.of_text(API).all
    assert operation.answer is not None

    assert set(schema_drift.of_value(value, operation.answer)) == expected


def test_of_what_is_retyped_the_types_are_told() -> None:
    (operation,) = vendor_apis.of_text(API).all
    assert operation.answer is not None
    value = {"items": [{"sku": "a", "net": "1", "note": 1, "more": 1}, {"sku": "a", "net": None}]}

    assert schema_drift.of_value(value, operation.answer) == {
        ("retyped", "$.items[].net"): "string, not number",
        ("retyped", "$.items[].note"): "integer, not null or string",
        ("new", "$.items[].more"): "",
    }


def test_a_large_answer_is_looked_at_in_part() -> None:
    (operation,) = vendor_apis.of_text(API).all
    assert operation.answer is not None
    beyond: list[Any] = [{"sku": "a"}] * schema_drift.MAX_ITEMS + [{}]

    assert list(schema_drift.of_value({"items": beyond}, operation.answer)) == []
