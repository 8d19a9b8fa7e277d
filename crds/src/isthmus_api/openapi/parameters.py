"""Parameters: what a request is made of, as far as the expressions of a Route tell."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from isthmus_api.expressions import functions, jlens_engine, templates
from isthmus_api.expressions.engine import Fields, Reads
from isthmus_api.mapping import MappingSpec
from isthmus_api.openapi.components import Json
from isthmus_api.plan.site import MappingUse, Template
from isthmus_api.plan.sites import sites
from isthmus_api.problems import Path
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec

# OpenAPI has other places for these and ignores them as parameters.
_NO_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})


def of(
    route: Resource[RouteSpec], resources: Resources, *, where: Callable[[Path], bool]
) -> list[Json]:
    """The parameters that a Route reads at the places `where` holds for."""
    endpoint = route.spec.source.endpoint
    reads = list(_request_reads(route, resources, where))
    return [
        *(_path_variables(endpoint.path) if endpoint else ()),
        *(_parameter(name, "query") for name in _fields(reads, "query")),
        *(
            _parameter(name, "header")
            for name in _fields(reads, "headers")
            if name.lower() not in _NO_PARAMETERS
        ),
    ]


def _path_variables(path: str) -> Iterator[Json]:
    for segment in path.split("/"):
        if segment.startswith("{"):
            yield _parameter(segment[1:-1], "path") | {"required": True}


def _parameter(name: str, place: str) -> Json:
    """A parameter; whether expressions can do without it nobody knows, so it is not required."""
    return {"name": name, "in": place, "schema": {"type": "string"}}


def _fields(reads: Sequence[Fields], part: str) -> list[str]:
    """The names read of one part of `$request`, in order."""
    parts = (read.fields.get(part) for read in reads)
    return sorted({name for found in parts if found for name in found.fields})


def _request_reads(
    route: Resource[RouteSpec], resources: Resources, where: Callable[[Path], bool]
) -> Iterator[Fields]:
    """What each expression of a Route reads of `$request`."""
    for read in _reads(route, resources, where):
        if "request" in read.variables:
            yield read.variables["request"]


def _reads(
    route: Resource[RouteSpec], resources: Resources, where: Callable[[Path], bool]
) -> Iterator[Reads]:
    library = functions.library({})
    for site in (each for each in sites(route.spec) if where(each.path)):
        if isinstance(site, MappingUse):
            mapping = resources.mapping(route.key.namespace, site.mapping)
            if mapping is not None:
                yield _mapping_reads(mapping.spec)
        elif isinstance(site, Template):
            yield from templates.parse(site.text).compile(jlens_engine.ENGINE, library).reads()
        else:
            yield jlens_engine.ENGINE.compile(site.text, library).reads()


def _mapping_reads(spec: MappingSpec) -> Reads:
    library = functions.library(spec.tables)
    return jlens_engine.ENGINE.compile(spec.expression, library).reads()
