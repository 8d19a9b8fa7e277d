"""The reference pages, made from the same schemas as the CustomResourceDefinitions.

`python -m isthmus_api.reference docs/reference` writes one page per kind, and one of the functions
of expressions. Each object has a section of its own, headed by its path; one that stands in several
places is told once, where it stands least deep.
"""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isthmus_api import crd
from isthmus_api.expressions.functions import reference as functions
from isthmus_api.model import API_VERSION
from isthmus_api.quantities import Cpu, Duration, Size
from isthmus_api.resources import KINDS, Kind

_FORMS = {
    Duration.pattern: "duration such as `300ms`",
    Size.pattern: "size such as `10Mi`",
    Cpu.pattern: "CPU such as `100m`",
}
_HEADER = (
    "| Field | Type | Default | Description |",
    "|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class _Page:
    """The sections of one page: objects by path, and for every object the path that tells it."""

    sections: dict[str, crd.Schema]
    homes: dict[str, str]

    @classmethod
    def of(cls, objects: Iterator[tuple[str, crd.Schema]]) -> "_Page":
        found = dict(objects)
        homes: dict[str, str] = {}
        for path in sorted(found, key=lambda path: path.count(".")):
            homes.setdefault(_identity(found[path]), path)
        told = set(homes.values())
        return cls({path: node for path, node in found.items() if path in told}, homes)


def to_markdown(kind: Kind) -> str:
    """The reference page of `kind`."""
    properties = crd.crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    objects = (each for name in properties for each in _objects(name, properties[name]))
    page = _Page.of(objects)
    lines = [*_front(kind), *(line for path in page.sections for line in _section(path, page))]
    return "\n".join(lines)


def file_name(kind: Kind) -> str:
    """The file that holds the reference page of `kind`."""
    return f"{kind.name.lower()}.md"


def _front(kind: Kind) -> Iterator[str]:
    yield f"<!-- {crd.GENERATED} -->"
    yield from (f"# {kind.name}", "", kind.summary, "")
    yield "```yaml"
    yield from (f"apiVersion: {API_VERSION}", f"kind: {kind.name}")
    yield from ("```", "")
    yield f"`kubectl get {kind.plural}`, or `{kind.short}`; `kubectl explain {kind.plural}.spec`."
    yield ""


def _objects(path: str, node: crd.Schema) -> Iterator[tuple[str, crd.Schema]]:
    """Every object at and below `node` that has fields of its own, an outer before its inner."""
    if "properties" in node:
        yield path, node
    for name, field in node.get("properties", {}).items():
        yield from _objects(f"{path}.{name}", field)
    if "items" in node:
        yield from _objects(f"{path}[]", node["items"])
    if "additionalProperties" in node:
        yield from _objects(f"{path}.*", node["additionalProperties"])


def _identity(node: crd.Schema) -> str:
    """Equal for objects with the same fields, whatever they are there for."""
    return json.dumps(node["properties"], sort_keys=True)


def _section(path: str, page: _Page) -> Iterator[str]:
    node = page.sections[path]
    required = node.get("required", [])
    yield from (f"## `{path}`", "", node["description"], "")
    yield from _HEADER
    for name, field in node["properties"].items():
        yield _row(name, field, page, is_required=name in required)
    yield ""


def _row(name: str, field: crd.Schema, page: _Page, *, is_required: bool) -> str:
    default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
    cells = (
        f"`{name}`",
        _type(field, page) + _bounds(field),
        "**required**" if is_required else default,
        field["description"].split("\n\n")[0],
    )
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _type(node: crd.Schema, page: _Page) -> str:
    match node:
        case {"properties": _}:
            home = page.homes[_identity(node)]
            return f"[object](#{_anchor(home)})"
        case {"items": items}:
            return f"list of {_type(items, page)}{_bounds(items)}"
        case {"additionalProperties": values}:
            return f"map of name to {_type(values, page)}"
        case {"enum": values}:
            return f"one of {', '.join(f'`{value}`' for value in values)}"
        case {"pattern": form} if form in _FORMS:
            return _FORMS[form]
        case {"type": "object", "x-kubernetes-preserve-unknown-fields": True}:
            return "any JSON object"
        case {"type": "object"}:
            return "`{}`"
        case {"type": type}:
            return str(type)
        case _:
            return "any JSON"


_SIZES = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "entries"),
    ("minimum", "maximum", ""),
)


def _bounds(node: crd.Schema) -> str:
    """What is asked of a value beside its type; an object tells it in its own section."""
    if node.get("pattern") in _FORMS:
        return ""
    sizes = [_size(node.get(low), node.get(high), unit) for low, high, unit in _SIZES]
    form = [f"form {_code(node['pattern'])}"] if "pattern" in node else []
    rules = [] if "properties" in node else node.get("x-kubernetes-validations", [])
    asked = [size for size in sizes if size] + form + [_code(rule["message"]) for rule in rules]
    return "".join(f"; {each}" for each in asked)


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _size(low: int | None, high: int | None, unit: str) -> str:
    match low, high:
        case None, None:
            return ""
        case None, _:
            return f"at most {high} {unit}".strip()
        case _, None:
            return f"at least {low} {unit}".strip()
        case _:
            return f"{low} to {high} {unit}".strip()


def _anchor(path: str) -> str:
    """The anchor that a heading gets, after GitHub's rule."""
    return re.sub(r"[^\w-]", "", path.lower())


def main(arguments: list[str] | None = None) -> None:
    """Write the reference pages of all kinds, and that of the functions, into a folder."""
    parser = argparse.ArgumentParser(
        prog="python -m isthmus_api.reference", description=main.__doc__
    )
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS.values():
        (folder / file_name(kind)).write_text(to_markdown(kind), encoding="utf-8")
    (folder / "functions.md").write_text(functions.reference_markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
