"""The API server takes the CustomResourceDefinitions, and tells users all we say in them."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from control_plane import ControlPlane

from isthmus_api import crd
from isthmus_api.model import GROUP, VERSION
from isthmus_api.resources import KINDS, Kind
from isthmus_api.step import Step

PATIENCE = 20
KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@KIND
def test_a_definition_is_established_and_structural(plane: ControlPlane, kind: Kind) -> None:
    found = json.loads(
        plane.kubectl("get", "crd", f"{kind.plural}.{GROUP}", "--output=json").stdout
    )
    conditions = {each["type"]: each["status"] for each in found["status"]["conditions"]}

    assert conditions == {"Established": "True", "NamesAccepted": "True"}


@KIND
def test_the_server_keeps_a_definition_as_it_is_written(plane: ControlPlane, kind: Kind) -> None:
    found = json.loads(
        plane.kubectl("get", "crd", f"{kind.plural}.{GROUP}", "--output=json").stdout
    )

    assert found["spec"]["versions"] == crd.crd(kind)["spec"]["versions"]


@KIND
def test_every_field_that_the_server_explains_has_a_description(
    api: httpx.Client, kind: Kind
) -> None:
    served = _served(api)[f"dev.isthmus.{VERSION}.{kind.name}"]
    mute = [
        path
        for name in ("spec", "status")
        for path, node in _nodes(name, served["properties"][name])
        if not node.get("description")
    ]

    assert served["description"] == kind.summary
    assert mute == []


def test_explain_tells_what_every_field_of_a_step_is(
    api: httpx.Client, plane: ControlPlane
) -> None:
    _served(api)

    explained = " ".join(plane.kubectl("explain", "routes.spec.steps").stdout.split())
    fields = crd.schema(Step)["properties"].items()

    assert {name for name, _ in fields if f" {name} <" not in explained} == set()
    assert {name for name, field in fields if not _is_told(field, explained)} == set()


def _is_told(field: dict[str, Any], explained: str) -> bool:
    return " ".join(field["description"].split()) in explained


def _served(api: httpx.Client) -> dict[str, Any]:
    """The schemas the server publishes; it does so a moment after the kinds are established."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = api.get(f"/openapi/v3/apis/{GROUP}/{VERSION}")
        schemas: dict[str, Any] = (
            answer.json()["components"]["schemas"] if answer.is_success else {}
        )
        if all(f"dev.isthmus.{VERSION}.{name}" in schemas for name in KINDS):
            return schemas
    raise AssertionError(f"the kinds are not published after {PATIENCE} s")


def _nodes(path: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, field in node.get("properties", {}).items():
        yield from _nodes(f"{path}.{name}", field)
    for inner in ("items", "additionalProperties"):
        if inner in node:
            yield from _nodes(f"{path}.*", node[inner])
