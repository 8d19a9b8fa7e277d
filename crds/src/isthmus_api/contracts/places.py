"""Places: where in the manifests a finding has its cause."""

import re
from dataclasses import dataclass

from isthmus_api.contracts.findings import Finding
from isthmus_api.expressions import engine
from isthmus_api.problems import Location, Path
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec

_EXPRESSION: Path = ("spec", "expression")


@dataclass(frozen=True, slots=True)
class Spot:
    """A field of an object."""

    subject: str
    path: Path
    location: Location | None


def of_call(finding: Finding, route: Resource[RouteSpec]) -> Spot:
    """The call, or the parameter of it."""
    path = finding.use.path
    kind, _, name = finding.parameter.partition(" ")
    part = {"query": ("query", name), "header": ("headers", name)}.get(kind)
    if part and name in (finding.use.call.query if kind == "query" else finding.use.call.headers):
        path = (*path, *part)
    elif finding.json_path and finding.side == "request":
        path = (*path, "body")
    return Spot(str(route.key), path, route.origin.locate(path))


def of_read(finding: Finding, route: Resource[RouteSpec], resources: Resources) -> Spot | None:
    """The expression that reads the field; nothing for a finding about what is sent."""
    if finding.read is None:
        return None
    place = finding.read.place
    name = finding.json_path.rpartition(".")[2].removesuffix("[]")
    line, column = _found(place.text, name)
    if not place.mapping:
        at = route.origin.locate_text(place.path, line=line, column=column)
        return Spot(str(route.key), place.path, at)
    mapping = resources.mapping(route.key.namespace, place.mapping)
    if mapping is None:
        return None
    at = mapping.origin.locate_text(_EXPRESSION, line=line, column=column)
    return Spot(str(mapping.key), _EXPRESSION, at)


def _found(text: str, name: str) -> tuple[int, int]:
    """Line and column of a name in an expression, where it stands for a field."""
    match = re.search(rf"(?<![\w$'\"]){re.escape(name)}(?![\w'\"])", text) if name else None
    return engine.position(text, match.start()) if match else (1, 1)
