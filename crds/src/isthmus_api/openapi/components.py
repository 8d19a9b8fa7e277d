"""Components: the schemas, responses and security schemes that operations refer to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from isthmus_api.resources import Key, Resource

Json = dict[str, Any]

JSON: Final = "application/json"

_SCHEMAS: Final = "#/components/schemas/"
_PROBLEM: Final[Json] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "The kind of problem, as a URI."},
        "title": {"type": "string", "description": "The kind of problem, in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "This problem, in words."},
        "route": {"type": "string", "description": "The Route that failed."},
        "step": {"type": "string", "description": "The step of it that failed."},
        "connector": {"type": "string", "description": "The system that did not deliver."},
        "correlationId": {"type": "string", "description": "What to quote when asking about it."},
    },
}
_RESPONSES: Final[Json] = {
    name: {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }
    for name, description in (
        ("Rejected", "The request is not taken."),
        ("Failed", "The Route, or a system behind it, failed."),
    )
}


@dataclass(frozen=True)
class Components:
    """Collects what operations refer to."""

    schemas: Json = field(default_factory=lambda: {"Problem": _PROBLEM})
    security: Json = field(default_factory=dict)

    def schema(self, name: str, schema: Json) -> Json:
        """Add a schema under a name; a reference to it."""
        ref = f"{_SCHEMAS}{name}"
        self.schemas[name] = schema if "$id" in schema else _moved(schema, ref)
        return {"$ref": ref}

    def document(self) -> Json:
        """The components of a document."""
        security = {"securitySchemes": self.security} if self.security else {}
        return {"schemas": self.schemas, "responses": _RESPONSES, **security}


FAILURES: Final[Json] = {
    "4XX": {"$ref": "#/components/responses/Rejected"},
    "5XX": {"$ref": "#/components/responses/Failed"},
}
"""What any request may be answered with."""


class Labels:
    """Names of objects as OpenAPI knows them: with the namespace only where there are several."""

    def __init__(self, resources: Iterable[Resource[Any]]) -> None:
        self._has_several = len({resource.key.namespace for resource in resources}) > 1

    def of(self, key: Key) -> str:
        """The name of an object in a document."""
        return f"{key.namespace}.{key.name}" if self._has_several else key.name


# Keywords of JSON Schema whose values are maps of schemas, and those whose values are data.
_MAPS: Final = frozenset(
    {"$defs", "definitions", "properties", "patternProperties", "dependentSchemas"}
)
_DATA: Final = frozenset({"const", "default", "enum", "examples"})


def _moved(schema: Any, base: str) -> Any:
    """A schema whose references from its own root start at `base` instead."""
    match schema:
        case list():
            return [_moved(item, base) for item in schema]
        case dict():
            return {key: _moved_keyword(key, value, base) for key, value in schema.items()}
        case _:
            return schema


def _moved_keyword(key: str, value: Any, base: str) -> Any:
    if key in ("$ref", "$dynamicRef") and isinstance(value, str):
        is_from_root = value == "#" or value.startswith("#/")
        return base + value[1:] if is_from_root else value
    if key in _DATA:
        return value
    if key in _MAPS and isinstance(value, dict):
        return {name: _moved(inner, base) for name, inner in value.items()}
    return _moved(value, base)
