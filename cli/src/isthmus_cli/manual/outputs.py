"""The page of what commands write with `-o json`, of the shapes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from isthmus_cli import shapes

_HEAD: Final = """\
<!-- Generated from isthmus_cli: do not edit. -->
# What commands write as JSON

With `-o json` a command writes one document to standard output; errors and progress go to standard
error. Keys may be added; none goes and none changes its type without a line in the changelog.
`?` marks a key that may be left out; `[]` are the items of a list, `.*` the values by any key.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a document."""

    path: str
    type: str
    told: str

    def __str__(self) -> str:
        return f"{self.path}: {self.type}"


def keys(shape: Any) -> list[Key]:
    """All keys of a document, in the order in which they are written."""
    schema = TypeAdapter(shape).json_schema()
    return list(_keys("", schema, schema.get("$defs", {}), ()))


def lines() -> Iterator[str]:
    """The lines of cli-output.md."""
    yield from _HEAD.splitlines()
    for command, shape in shapes.WRITTEN.items():
        yield from _section(f"isthmus {command}", shape, "")
    for command, shape in shapes.LINES.items():
        yield from _section(f"isthmus {command}", shape, "One document in each line.")
    yield from ("", "## Others", "", "| command | writes |", "|---|---|")
    yield from (f"| `isthmus {name}` | {what} |" for name, what in shapes.OTHERS.items())


def _section(title: str, shape: Any, told: str) -> Iterator[str]:
    yield from ("", f"## {title}")
    if told:
        yield told
    yield from ("", "| key | type | |", "|---|---|---|")
    yield from (f"| `{key.path}` | {key.type} | {key.told} |" for key in keys(shape))


def _keys(
    path: str, schema: dict[str, Any], known: dict[str, Any], above: tuple[str, ...]
) -> Iterator[Key]:
    """The keys below a schema; of what is part of itself only once."""
    if ref := str(schema.get("$ref", "")).rpartition("/")[2]:
        if ref not in above:
            yield from _keys(path, known[ref], known, (*above, ref))
        return
    for each in schema.get("anyOf", ()):
        yield from _keys(path, each, known, above)
    if isinstance(inner := schema.get("items"), dict):
        yield from _keys(f"{path}[]", inner, known, above)
    if isinstance(inner := schema.get("additionalProperties"), dict):
        yield Key(f"{path}.*", _type(inner, known), "")
        yield from _keys(f"{path}.*", inner, known, above)
    for name, field in schema.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        optional = "" if name in schema.get("required", ()) else "?"
        told = " ".join(str(field.get("description", "")).split())
        yield Key(f"{at}{optional}", _type(field, known), told)
        yield from _keys(at, field, known, above)


def _type(schema: dict[str, Any], known: dict[str, Any]) -> str:
    if ref := str(schema.get("$ref", "")).rpartition("/")[2]:
        return _type(known[ref], known)
    if "anyOf" in schema:
        return " or ".join(_type(each, known) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), known)}"
    return str(schema.get("type", "any"))
