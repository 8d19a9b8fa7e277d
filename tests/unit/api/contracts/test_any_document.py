"""Whatever a vendor's document looks like: against itself nothing breaks, and a field that is read
cannot go away unseen."""

import copy
import json
from typing import Any

import vendor_apis
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus_api.contracts.findings import Kind
from isthmus_api.problems import Severity

Schema = dict[str, Any]

NAMES = st.sampled_from(["sku", "name", "price", "lines", "address", "net", "order", "in", "a b"])
LEAVES = st.sampled_from(["string", "integer", "number", "boolean"]).map(lambda t: {"type": t})
DRESSES = st.sampled_from(["plain", "reference", "allOf", "oneOf", "nullable", "described"])


def _object(fields: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": fields, "required": sorted(fields)[:1]}


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=4).map(_object),
        inner.map(lambda items: {"type": "array", "items": items}),
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=4).map(_object)


def _paths(schema: Schema, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every field of a schema, lists looked through."""
    if "items" in schema:
        return _paths(schema["items"], path)
    found = []
    for name, inner in schema.get("properties", {}).items():
        found += [(*path, name), *_paths(inner, (*path, name))]
    return found


def _without(schema: Schema, path: tuple[str, ...]) -> Schema:
    """The schema without a field."""
    changed = copy.deepcopy(schema)
    at = changed
    for number, name in enumerate(path):
        while "items" in at:
            at = at["items"]
        if number == len(path) - 1:
            del at["properties"][name]
            at["required"] = [each for each in at["required"] if each != name]
        else:
            at = at["properties"][name]
    return changed


class _Dresser:
    """Says the same in the many ways that OpenAPI has for it."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self.schemas: dict[str, Schema] = {}

    def dress(self, schema: Schema) -> Schema:
        schema = dict(schema)
        if "items" in schema:
            schema["items"] = self.dress(schema["items"])
        if "properties" in schema:
            schema["properties"] = {n: self.dress(s) for n, s in schema["properties"].items()}
        match self._draw(DRESSES):
            case "reference":
                name = f"S{len(self.schemas)}"
                self.schemas[name] = schema
                return {"$ref": f"#/components/schemas/{name}"}
            case "allOf":
                return {"allOf": [schema, {"description": "what is said of it"}]}
            case "oneOf":
                return {"oneOf": [schema, {"type": "null"}]}
            case "nullable":
                return {**schema, "nullable": True}
            case "described":
                return {**schema, "description": "what is said of it", "x-vendor": [1]}
        return schema


def _document(schema: Schema, schemas: dict[str, Schema]) -> vendor_apis.Root:
    content = {"application/json": {"schema": schema}}
    answer = {"200": {"description": "The thing.", "content": content}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {"/things": {"get": {"responses": answer}}},
        "components": {"schemas": schemas},
    }


def _route(expression: str) -> str:
    return f"""
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {{name: things}}
spec: {{http: {{baseUrl: "https://things.example"}}}}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {{name: r}}
spec:
  source: {{http: {{method: GET, path: /}}}}
  steps:
    - call: {{connector: things, path: /things}}
      into: thing
    - map: {{expression: {json.dumps(expression)}}}
"""


def _expression(path: tuple[str, ...]) -> str:
    return "{'found': $thing." + ".".join(f"`{name}`" for name in path) + "}"


@st.composite
def documents(draw: Any) -> tuple[Schema, vendor_apis.Root]:
    """A schema as it is meant, and a document that says it somehow."""
    schema = draw(OBJECTS)
    dresser = _Dresser(draw)
    return schema, _document(dresser.dress(schema), dresser.schemas)


@settings(max_examples=150, deadline=None)
@given(documents(), st.data())
def test_a_document_against_itself_breaks_nothing(
    written: tuple[Schema, vendor_apis.Root], data: Any
) -> None:
    schema, root = written
    held = vendor_apis.resources(_route(_expression(data.draw(st.sampled_from(_paths(schema))))))

    assert vendor_apis.breaks("things", root, copy.deepcopy(root), held) == []
    assert vendor_apis.breaks("things", None, root, held) == []


@settings(max_examples=150, deadline=None)
@given(documents(), st.data())
def test_a_field_that_is_read_cannot_go_away_unseen(
    written: tuple[Schema, vendor_apis.Root], data: Any
) -> None:
    schema, root = written
    path = data.draw(st.sampled_from(_paths(schema)))
    gone = path[: data.draw(st.integers(1, len(path)))]
    dresser = _Dresser(data.draw)
    new = _document(dresser.dress(_without(schema, gone)), dresser.schemas)

    found = vendor_apis.breaks(
        "things", root, new, vendor_apis.resources(_route(_expression(path)))
    )

    errors = [finding for _, finding in found if finding.severity is Severity.ERROR]
    wanted = "$." + ".".join(gone)
    assert (Kind.FIELD_MISSING, wanted) in [
        (each.kind, each.json_path.replace("[]", "")) for each in errors
    ]


@settings(max_examples=100, deadline=None)
@given(documents(), st.data())
def test_the_same_said_otherwise_breaks_nothing(
    written: tuple[Schema, vendor_apis.Root], data: Any
) -> None:
    schema, root = written
    held = vendor_apis.resources(_route(_expression(data.draw(st.sampled_from(_paths(schema))))))
    dresser = _Dresser(data.draw)
    new = _document(dresser.dress(schema), dresser.schemas)

    found = vendor_apis.breaks("things", root, new, held)

    # What may be null now is said; nothing else is different.
    assert {finding.kind for _, finding in found} <= {Kind.FIELD_OPTIONAL}
