"""JSON Schemas inside resources: each must be a schema."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from isthmus_api import compiled_schema
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan import steps
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.route import RouteSpec


def of_mapping(spec: MappingSpec) -> Iterator[Problem]:
    """Schemas of a Mapping that are none."""
    if spec.input:
        yield from _check(spec.input.schema_, ("spec", "input", "schema"))
    if spec.output:
        yield from _check(spec.output.schema_, ("spec", "output", "schema"))


def of_route(spec: RouteSpec) -> Iterator[Problem]:
    """Schemas of a Route that are none."""
    for path, step in steps.each(spec):
        if step.validate_:
            yield from _check(step.validate_.schema_, (*path, "validate", "schema"))


def _check(schema: dict[str, Any], path: Path) -> Iterator[Problem]:
    try:
        compiled_schema.validator(schema)
    except jsonschema_rs.ValidationError as fault:
        yield Problem(
            Code.SCHEMA_INVALID,
            f"this is no JSON Schema: {fault.message}",
            hint="see json-schema.org; references may point inside the schema only",
            path=(*path, *fault.instance_path),
        )
