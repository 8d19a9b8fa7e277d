"""Manifests for tests, as text, and the plans that come of them."""

import json
from textwrap import dedent, indent
from typing import Any

from isthmus_api import manifests
from isthmus_api.plan import RoutePlan, plan
from isthmus_api.problems import errors
from isthmus_api.resources import Resources


def connector(url: str, *, name: str = "erp", **http: Any) -> str:
    """A Connector; `http` are further fields of its transport."""
    return _object("Connector", name, json.dumps({"http": {"baseUrl": url, **http}}))


def mapping(expression: str, *, name: str, **spec: Any) -> str:
    return _object("Mapping", name, json.dumps({"expression": expression, **spec}))


def route(
    steps: str,
    *,
    name: str = "it",
    branches: str = "",
    env: dict[str, str] | None = None,
    spec: dict[str, Any] | None = None,
    **http: Any,
) -> str:
    """A Route at GET /it unless `http` says otherwise; `steps` and `branches` are YAML.

    `spec` has further fields of it.
    """
    source = {"http": {"path": "/it", **http}}
    text = f"source: {json.dumps(source)}\nenv: {json.dumps(env or {})}\n"
    text += "".join(f"{key}: {json.dumps(value)}\n" for key, value in (spec or {}).items())
    text += f"steps:\n{_below(steps)}"
    if branches:
        text += f"branches:\n{_below(branches)}"
    return _object("Route", name, text)


def delivering(
    source: dict[str, Any],
    steps: str,
    *,
    name: str = "it",
    branches: str = "",
    **spec: Any,
) -> str:
    """A Route whose messages go through the journal; `spec` are further fields of it."""
    text = f"source: {json.dumps(source)}\n"
    text += "".join(f"{key}: {json.dumps(value)}\n" for key, value in spec.items())
    text += f"steps:\n{_below(steps)}"
    if branches:
        text += f"branches:\n{_below(branches)}"
    return _object("Route", name, text)


def plans(*documents: str) -> list[RoutePlan]:
    """Plan every Route of some documents; nothing may be wrong with them."""
    found = manifests.read("\n---\n".join(documents).encode(), file="test.yaml")
    assert not found.problems, found.problems
    resources = Resources.of(found.resources)
    planned = [plan(each, resources) for each in resources.routes()]
    for each in planned:
        assert not errors(each.problems), each.problems
    return [each.plan for each in planned if each.plan is not None]


def _object(kind: str, name: str, spec: str) -> str:
    head = f"apiVersion: isthmus.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
    return head + _below(spec)


def _below(text: str) -> str:
    return indent(dedent(text).strip("\n"), "  ") + "\n"
