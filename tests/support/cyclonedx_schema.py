"""Holds a bill of materials against the schema of CycloneDX 1.6, that of the format's makers."""

import json
from functools import cache
from importlib import resources

import jsonschema_rs

_SCHEMAS = resources.files("cyclonedx.schema") / "_res"
_BASE = "http://cyclonedx.org/schema/"
_SUFFIX = ".SNAPSHOT.schema.json"


@cache
def _validator() -> jsonschema_rs.Draft7Validator:
    # By the names by which the first one refers to them; nothing is fetched.
    parts = [(f"{_BASE}{name}{_SUFFIX}", _schema(name)) for name in ("spdx", "jsf-0.82")]
    registry = jsonschema_rs.Registry(parts)
    return jsonschema_rs.Draft7Validator(
        _schema("bom-1.6"), registry=registry, validate_formats=True
    )


def _schema(name: str) -> dict[str, object]:
    text = (_SCHEMAS / f"{name}{_SUFFIX}").read_text("utf-8")
    read: dict[str, object] = json.loads(text)
    return read


def errors(bill: str) -> list[str]:
    """What the schema has against it."""
    return [
        f"{list(each.instance_path)}: {each.message}"
        for each in _validator().iter_errors(json.loads(bill))
    ]
