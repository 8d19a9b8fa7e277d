"""Shape: what a schema says of a value, as far as fields, types and fixed values go.

A schema is looked at together with what `$ref` and `allOf` add to it (`certain`) and with what
`anyOf` and `oneOf` offer (`offered`). A field is there when one of them has it. Lists are looked
through, as JSONata does: a field of a list is that of its elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.contracts.document import Node, OpenApi, strings

MAX_SCHEMAS: Final = 256
"""Schemas that one is made of; what is beyond them is not looked at."""

_NULL: Final = "null"
_KEYWORDS: Final = {
    "object": ("properties", "additionalProperties", "required"),
    "array": ("items", "prefixItems"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is said of a value. Without any schema, anything may be there."""

    document: OpenApi
    certain: tuple[Node, ...] = ()
    offered: tuple[Node, ...] = ()

    @classmethod
    def of(cls, document: OpenApi, *schemas: Any) -> Shape:
        """The shape of one schema, or of a value that is like one of several."""
        if len(schemas) == 1:
            certain, offered = _Parts(document).of(schemas[0])
            return cls(document, certain, offered)
        several = [_Parts(document).of(schema) for schema in schemas]
        return cls(document, (), tuple(part for pair in several for part in (*pair[0], *pair[1])))

    @property
    def all(self) -> tuple[Node, ...]:
        """Every schema that says something of the value."""
        return self.certain + self.offered

    @property
    def types(self) -> frozenset[str]:
        """The JSON types that it may have; none where nothing is said of them."""
        return frozenset(name for part in self.all for name in _types(part))

    @property
    def is_list(self) -> bool:
        """Whether it is always a list, or null."""
        return self.types - {_NULL} == {"array"}

    @property
    def items(self) -> Shape | None:
        """The elements of a list, where the schema tells of them."""
        found = [part["items"] for part in self.all if isinstance(part.get("items"), dict)]
        found += [
            item for part in self.all for item in self.document.objects(part.get("prefixItems"))
        ]
        return Shape.of(self.document, *found) if found else None

    @property
    def own(self) -> Shape:
        """The shape of the value itself, or of the elements of a list of lists of it."""
        shape = self
        for _ in range(_MAX_NESTED_LISTS):
            items = shape.items
            if items is None:
                break
            shape = items
        return shape

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are written down, in their order."""
        parts = (part.get("properties") for part in self.own.all)
        return tuple(dict.fromkeys(str(name) for found in parts for name in _keys(found)))

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that are always there."""
        found = (strings(part.get("required")) for part in self.own.certain)
        return tuple(dict.fromkeys(name for names in found for name in names))

    @property
    def is_closed(self) -> bool:
        """Whether other fields than those that are written down are refused."""
        parts = self.own.certain
        keywords = ("additionalProperties", "unevaluatedProperties")
        return any(part.get(keyword) is False for part in parts for keyword in keywords)

    @property
    def enum(self) -> tuple[Any, ...] | None:
        """The values that it may have, where they are listed."""
        fixed = [values for part in self.certain if (values := _fixed(part)) is not None]
        if fixed:
            return fixed[0]
        offered = [_fixed(part) for part in self.offered]
        if offered and None not in offered:
            return tuple(value for values in offered for value in values or ())
        return None

    def field(self, name: str) -> Shape | None:
        """The shape of a field; nothing where the schema does not have it."""
        own = self.own
        parts = [part for part in own.all if isinstance(part.get("properties"), dict)]
        found = [part["properties"][name] for part in parts if name in part["properties"]]
        if found:
            return Shape.of(self.document, *found)
        others = [part.get("additionalProperties") for part in own.all]
        described = [each for each in others if isinstance(each, dict)]
        if described:
            return Shape.of(self.document, *described)
        return Shape(self.document) if own._is_open(bool(parts)) else None

    def _is_open(self, has_fields: bool) -> bool:
        """Whether fields may be there that nobody wrote down, and are meant to."""
        if any(
            part.get("additionalProperties") is True
            or part.get("unevaluatedProperties") is True
            or part.get("patternProperties")
            for part in self.all
        ):
            return True
        types = self.types - {_NULL}
        return not has_fields and (not types or bool(types & {"object", "array"}))


_MAX_NESTED_LISTS: Final = 8


class _Parts:
    """The schemas that one schema is made of, each met once."""

    def __init__(self, document: OpenApi) -> None:
        self._document = document
        self._seen: set[int] = set()

    def of(self, schema: Any) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        certain = tuple(self._certain(schema))
        offered: list[Node] = []
        for part in certain:
            for alternatives in (part.get("anyOf"), part.get("oneOf")):
                offered += self._alternatives(alternatives)
        return certain, tuple(offered)

    def _certain(self, schema: Any) -> Iterator[Node]:
        if not isinstance(schema, dict) or id(schema) in self._seen:
            return
        if len(self._seen) >= MAX_SCHEMAS:
            return
        self._seen.add(id(schema))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield from self._certain(self._document.target(reference))
        if len(schema) > (reference is not None):
            yield schema
        for inner in schema.get("allOf") or () if isinstance(schema.get("allOf"), list) else ():
            yield from self._certain(inner)

    def _alternatives(self, schemas: Any) -> Iterator[Node]:
        for schema in schemas if isinstance(schemas, list) else ():
            for part in tuple(self._certain(schema)):
                yield part
                for inner in (part.get("anyOf"), part.get("oneOf")):
                    yield from self._alternatives(inner)


def _types(part: Node) -> Iterator[str]:
    declared = part.get("type")
    if isinstance(declared, str):
        yield declared
    elif isinstance(declared, list):
        yield from strings(declared)
    elif (values := _fixed(part)) is not None:
        yield from (_type_of(value) for value in values)
    else:
        yield from (name for name, words in _KEYWORDS.items() if any(w in part for w in words))
    if part.get("nullable") is True:  # OpenAPI 3.0
        yield _NULL


def _type_of(value: Any) -> str:
    match value:
        case None:
            return _NULL
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def type_of(value: Any) -> str:
    """The JSON type of a value; a whole number is an integer."""
    return _type_of(value)


def _fixed(part: Node) -> tuple[Any, ...] | None:
    if "const" in part:
        return (part["const"],)
    values = part.get("enum")
    return tuple(values) if isinstance(values, list) else None


def _keys(found: Any) -> Iterator[str]:
    yield from found if isinstance(found, dict) else ()
