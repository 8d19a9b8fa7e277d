"""Reads and the input schema: what an expression reads of its input is something that it can have.

What is found is a warning, for a read may be meant for another shape of the input: in
`(kind = "b2b" ? company : person).taxNumber` each has fields that the other lacks.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.expressions import engine, functions, jlens_engine, syntax
from isthmus_api.expressions.engine import Fields
from isthmus_api.expressions.syntax import Shape
from isthmus_api.mapping import MappingSpec
from isthmus_api.problems import Code, Path, Problem, Severity
from isthmus_api.resources import Resource

_EXPRESSION: Path = ("spec", "expression")
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Miss:
    """A field that is read and that no schema of its object names."""

    path: tuple[str, ...]
    named: tuple[str, ...]
    excluded: bool


def check(mapping: Resource[MappingSpec]) -> Iterator[Problem]:
    """Fields that the expression reads and that `input.schema` does not have."""
    spec = mapping.spec
    if spec.input is None:
        return
    try:
        reads = jlens_engine.ENGINE.compile(spec.expression, functions.library(spec.tables)).reads()
    except engine.ExpressionError:
        return
    root = spec.input.schema_
    for miss in _misses(reads.input or Fields(), _views(root, root), root, ()):
        yield _problem(mapping, miss)


def _misses(
    fields: Fields, views: list[Schema], root: Schema, path: tuple[str, ...]
) -> Iterator[_Miss]:
    if not _tells(views):
        return
    for name, inner in fields.fields.items():
        members = [each for view in views for each in _members(view, name)]
        if members:
            below = [found for member in members for found in _views(member, root)]
            yield from _misses(inner, below, root, (*path, name))
            continue
        named = tuple(sorted({key for view in views for key in _properties(view)}))
        yield _Miss((*path, name), named, all(_is_closed(view) for view in views))


def _views(schema: Any, root: Schema) -> list[Schema]:
    """The schemas that one value, or the items of one array, may have to fit.

    JSONata reads a field of an array in each of its items.
    """
    return _viewed(schema, root, set())


def _viewed(schema: Any, root: Schema, seen: set[int]) -> list[Schema]:
    if not isinstance(schema, dict) or id(schema) in seen:
        return []
    seen.add(id(schema))
    parts: list[Any] = [schema[key] for key in ("then", "else", "items") if key in schema]
    for key in ("allOf", "prefixItems"):
        parts += _list(schema, key)
    if isinstance(reference := schema.get("$ref"), str):
        parts.append(_referred(reference, root))
    own = [schema] if _says_something(schema) else []
    found = own + [view for part in parts for view in _viewed(part, root, seen)]
    for way in (*_list(schema, "anyOf"), *_list(schema, "oneOf")):
        # A way that says nothing of fields lets all of them be there.
        found += _viewed(way, root, seen) or [_OPEN]
    return found


_OPEN: Final[Schema] = {"additionalProperties": True}


def _list(schema: Schema, key: str) -> list[Any]:
    found = schema.get(key)
    return found if isinstance(found, list) else []


_SCALARS: Final = frozenset({"string", "number", "integer", "boolean", "null"})


def _says_something(schema: Schema) -> bool:
    """Whether a schema says by itself which fields there are."""
    return "properties" in schema or _is_closed(schema) or _is_scalar(schema)


def _tells(views: list[Schema]) -> bool:
    """Whether what may be there is known: somebody names fields, and nobody leaves them open."""
    named = any("properties" in view or _is_closed(view) or _is_scalar(view) for view in views)
    return named and not any(_is_open(view) for view in views)


def _is_open(schema: Schema) -> bool:
    """Whether fields that are not named are meant to be there."""
    return any(
        schema.get(key) is True or (isinstance(schema.get(key), dict) and not _is_closed(schema))
        for key in ("additionalProperties", "unevaluatedProperties")
    )


def _is_closed(schema: Schema) -> bool:
    return _is_scalar(schema) or any(
        schema.get(key) is False for key in ("additionalProperties", "unevaluatedProperties")
    )


def _is_scalar(schema: Schema) -> bool:
    kind = schema.get("type")
    kinds = {kind} if isinstance(kind, str) else set(kind) if isinstance(kind, list) else set()
    return bool(kinds) and kinds <= _SCALARS


def _members(schema: Schema, name: str) -> Iterator[Any]:
    """What a field of this name has to fit; nothing where it is not named."""
    if name in _properties(schema):
        yield schema["properties"][name]
    patterns = schema.get("patternProperties")
    for pattern, inner in patterns.items() if isinstance(patterns, dict) else ():
        if _matches(pattern, name):
            yield inner


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # ECMA's expressions are others; then nothing is known
        return True


def _properties(schema: Schema) -> Schema:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _referred(reference: str, root: Schema) -> Any:
    if reference == "#":
        return root
    found: Any = root
    for part in reference.removeprefix("#/").split("/") if reference.startswith("#/") else ():
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
    return found if found is not root else None


def _problem(mapping: Resource[MappingSpec], miss: _Miss) -> Problem:
    place = ".".join(miss.path)
    near = difflib.get_close_matches(miss.path[-1], miss.named, n=1)
    there = ", ".join(miss.named) or "no fields"
    line, column = _position(mapping.spec.expression, miss.path[-1])
    what = "excludes" if miss.excluded else "does not name"
    return Problem(
        Code.EXPRESSION_WARNING,
        f"the expression reads $.{place}, which input.schema {what}",
        hint=f"did you mean {near[0]}?" if near else f"there it has: {there}",
        path=_EXPRESSION,
        location=mapping.origin.locate_text(_EXPRESSION, line=line, column=column),
        severity=Severity.WARNING,
    )


def _position(source: str, name: str) -> tuple[int, int]:
    """Where a field of that name is first read."""
    try:
        ahead = [syntax.parse(source)]
    except syntax.Unreadable:
        return 1, 1
    starts: list[int] = []
    while ahead:
        node = ahead.pop()
        ahead += node.children
        if node.shape in (Shape.NAME, Shape.STRING) and node.text == name:
            starts.append(node.start)
    return engine.position(source, min(starts, default=0))
