"""The CustomResourceDefinitions: what they may hold, and that the committed ones are these."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field

from isthmus_api import crd
from isthmus_api.model import FreeForm, Items, Model
from isthmus_api.resources import CONNECTOR, KINDS, MAPPING, ROUTE, Kind
from isthmus_api.rules import exactly_one_of, only_with

ROOT = Path(__file__).parents[3]
KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
Nodes = Iterator[tuple[str, dict[str, Any]]]


def nodes(kind: Kind) -> Nodes:
    """Every schema of a kind with its path; `*` stands for the keys of a map."""
    (version,) = crd.crd(kind)["spec"]["versions"]
    for name, node in version["schema"]["openAPIV3Schema"]["properties"].items():
        yield from _below(name, node)


def _below(path: str, node: dict[str, Any]) -> Nodes:
    yield path, node
    for name, field in node.get("properties", {}).items():
        yield from _below(f"{path}.{name}", field)
    if "items" in node:
        yield from _below(f"{path}[]", node["items"])
    if "additionalProperties" in node:
        yield from _below(f"{path}.*", node["additionalProperties"])


@KIND
def test_the_committed_definition_is_the_generated_one(kind: Kind) -> None:
    committed = (ROOT / "crds" / crd.file_name(kind)).read_text()

    assert committed == crd.to_yaml(kind), "run `make generate`"


def test_no_other_definition_is_committed() -> None:
    committed = {path.name for path in (ROOT / "crds").glob("*.yaml")}

    assert committed == {crd.file_name(kind) for kind in KINDS.values()}


@KIND
def test_the_yaml_says_what_the_definition_is(kind: Kind) -> None:
    assert yaml.safe_load(crd.to_yaml(kind)) == crd.crd(kind)


def test_main_writes_a_file_for_each_kind(tmp_path: Path) -> None:
    crd.main([str(tmp_path)])

    written = {path.name: path.read_text() for path in tmp_path.iterdir()}

    assert written == {crd.file_name(kind): crd.to_yaml(kind) for kind in KINDS.values()}


@KIND
def test_every_field_has_a_description(kind: Kind) -> None:
    assert [path for path, node in nodes(kind) if not node.get("description")] == []


@KIND
def test_defaults_stand_at_scalar_leaves_only(kind: Kind) -> None:
    """Argo CD shows the default of a list or an object as drift; it looks at no status."""
    with_default = {path: node for path, node in nodes(kind) if "default" in node}

    assert {
        path: node["default"]
        for path, node in with_default.items()
        if node["type"] not in ("string", "integer", "boolean")
    } == {"status": {"observedGeneration": -1}}


@KIND
def test_everything_has_a_bound(kind: Kind) -> None:
    """The API server refuses rules whose worst case it cannot tell."""
    bounds = {"string": ("maxLength", "enum", "format"), "array": ("maxItems",)}
    boundless = [
        path for path, node in nodes(kind) if not _has_one(node, bounds.get(node.get("type", "")))
    ]
    maps = [path for path, node in nodes(kind) if "additionalProperties" in node]
    boundless_maps = [path for path, node in nodes(kind) if _is_boundless_map(node)]

    assert boundless == []
    assert boundless_maps == [], f"of {len(maps)} maps"


def _has_one(node: dict[str, Any], names: tuple[str, ...] | None) -> bool:
    return names is None or any(name in node for name in names)


def _is_boundless_map(node: dict[str, Any]) -> bool:
    return "additionalProperties" in node and "maxProperties" not in node


STEP_FREE_FORM = {
    "call.body",
    "validate.schema",
    "respond.body",
    "onError.use",
    "onError.respond.body",
    "remember.value",
}
FREE_FORM = {
    CONNECTOR.name: {"spec.http.auth.session.login.body"},
    MAPPING.name: {
        "spec.tables.*",
        "spec.input.schema",
        "spec.output.schema",
        "spec.tests[].input",
        "spec.tests[].variables.*",
        "spec.tests[].expect",
    },
    ROUTE.name: {
        *(f"spec.steps[].{path}" for path in STEP_FREE_FORM),
        *(f"spec.branches.*[].{path}" for path in STEP_FREE_FORM),
        "spec.source.webhook.reply.body",
        "spec.source.webhook.challenge.respond.body",
        "spec.source.schedule.body",
        "spec.source.poll.call.body",
        "spec.tests[].request.query.*",
        "spec.tests[].request.body",
        "spec.tests[].request.caller",
        "spec.tests[].message.caller",
        "spec.source.http.auth.jwt.keys[]",
        "spec.source.webhook.verify.jwt.keys[]",
        "spec.tests[].message.query.*",
        "spec.tests[].message.body",
        "spec.tests[].entries[].value",
        "spec.tests[].answers[].body",
        "spec.tests[].expect.calls[].query.*",
        "spec.tests[].expect.calls[].body",
        "spec.tests[].expect.entries[].value",
        "spec.tests[].expect.body",
    },
}


@KIND
def test_unknown_fields_are_kept_in_free_form_json_only(kind: Kind) -> None:
    kept = {path for path, node in nodes(kind) if "x-kubernetes-preserve-unknown-fields" in node}

    assert kept == FREE_FORM[kind.name]


@KIND
def test_a_schema_has_no_words_that_kubernetes_does_not_take(kind: Kind) -> None:
    refused = {"$ref", "$defs", "title", "const", "exclusiveMinimum", "patternProperties"}
    found = {(path, word) for path, node in nodes(kind) for word in refused & node.keys()}
    typeless = {path for path, node in nodes(kind) if "type" not in node}

    assert found == set()
    assert typeless <= FREE_FORM[kind.name]


def test_a_route_is_scaled_like_a_deployment() -> None:
    (version,) = crd.crd(ROUTE)["spec"]["versions"]

    assert version["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


class Leaf(Model):
    """A leaf.

    It has one line
    and a half.
    """

    word: str = Field("green", description="A word.")


class Tree(Model):
    """A tree."""

    rules = (exactly_one_of("leaf", "stone"),)

    leaf: Leaf | None = Field(None, description="The leaf it has.")
    stone: Annotated[int, Field(ge=1)] | None = Field(None, description="A stone instead.")


class Anything(Model):
    """Anything."""

    rules = (exactly_one_of("one", "other"),)

    one: FreeForm = Field(None, description="One.")
    other: str | None = Field(None, description="Other.")


class Unsayable(Model):
    """A rule that neither language can say."""

    rules = (only_with("other", "one"),)

    one: FreeForm = Field(None, description="One.")
    other: str | None = Field(None, description="Other.")


class Either(Model):
    """Two types in one field."""

    field: int | Items[str] = Field(description="A number or words.")


def test_a_field_tells_what_it_is_for_and_what_its_model_is() -> None:
    leaf = crd.schema(Tree)["properties"]["leaf"]

    assert leaf == {
        "type": "object",
        "description": "The leaf it has.\n\nA leaf.\n\nIt has one line and a half.",
        "properties": {"word": {"type": "string", "description": "A word.", "default": "green"}},
    }


def test_a_rule_is_checked_in_cel_and_told_in_the_description() -> None:
    schema = crd.schema(Tree)

    assert schema["description"] == "A tree.\n\nRules: exactly one of leaf, stone must be set."
    assert schema["x-kubernetes-validations"] == [
        {
            "rule": "[has(self.leaf), has(self.stone)].exists_one(x, x)",
            "message": "exactly one of leaf, stone must be set",
        }
    ]


def test_a_rule_about_any_json_is_checked_by_openapi_which_sees_it() -> None:
    schema = crd.schema(Anything)

    assert schema["oneOf"] == [{"required": ["one"]}, {"required": ["other"]}]
    assert "x-kubernetes-validations" not in schema


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Unsayable, "neither CEL nor OpenAPI can say: other belongs to one only"),
        (Either, "a structural schema cannot say anyOf"),
    ],
    ids=["a rule between fields that CEL does not see", "a field of two types"],
)
def test_what_a_definition_cannot_say_is_an_error(model: type[Model], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crd.schema(model)
