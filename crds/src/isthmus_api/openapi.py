"""OpenAPI 3.1: what callers of the served Routes may send and what they get.

Everything is read off the Routes: path variables, the query parameters and headers that expressions
read, the schema of a `validate` that comes first, the output schema of the Mapping that makes the
answer. What the Routes do not say is left open.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from isthmus_api.expressions import functions, jlens_engine, templates
from isthmus_api.expressions.engine import Fields, Reads
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan.site import MappingUse, Template
from isthmus_api.plan.sites import sites
from isthmus_api.resources import Key, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_api.source import HttpSource
from isthmus_api.step import Respond, Step

Json = dict[str, Any]

OPENAPI: Final = "3.1.0"

_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_JSON: Final = "application/json"
_COMPONENTS: Final = "#/components/schemas/"
# OpenAPI has other places for these and ignores them as parameters.
_NO_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})
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
        "content": {"application/problem+json": {"schema": {"$ref": f"{_COMPONENTS}Problem"}}},
    }
    for name, description in (
        ("Rejected", "The request is not taken."),
        ("Failed", "The Route, or a system behind it, failed."),
    )
}


def document(resources: Resources, *, title: str = "Isthmus", version: str = "1") -> Json:
    """Describe all Routes with an http source. They must be free of errors."""
    routes = list(resources.routes())
    labels = _Labels((*routes, *resources.mappings()))
    paths: Json = {}
    schemas: Json = {"Problem": _PROBLEM}
    for route in routes:
        http = route.spec.source.http
        if http is not None:
            operation = _Operation(route, http, resources, labels, schemas).build()
            paths.setdefault(http.path, {})[http.method.lower()] = operation
    return {
        "openapi": OPENAPI,
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": schemas, "responses": _RESPONSES},
    }


class _Labels:
    """Names of objects as OpenAPI knows them: with the namespace only where there are several."""

    def __init__(self, resources: Iterable[Resource[Any]]) -> None:
        self._has_several = len({resource.key.namespace for resource in resources}) > 1

    def of(self, key: Key) -> str:
        """The name of an object in a document."""
        return f"{key.namespace}.{key.name}" if self._has_several else key.name


class _Operation:
    """One Route as an operation; the schemas it needs go to `schemas`."""

    def __init__(
        self,
        route: Resource[RouteSpec],
        http: HttpSource,
        resources: Resources,
        labels: _Labels,
        schemas: Json,
    ) -> None:
        self._route = route
        self._http = http
        self._resources = resources
        self._name = labels.of(route.key)
        self._labels = labels
        self._schemas = schemas

    def build(self) -> Json:
        """The operation."""
        described: Json = {"operationId": self._name}
        if parameters := [*self._path_variables(), *self._read_parameters()]:
            described["parameters"] = parameters
        if self._http.method in _WITH_BODY:
            described["requestBody"] = self._request_body()
        return {**described, "responses": self._responses()}

    def _path_variables(self) -> Iterator[Json]:
        for segment in self._http.path.split("/"):
            if segment.startswith("{"):
                yield _parameter(segment[1:-1], "path") | {"required": True}

    def _read_parameters(self) -> Iterator[Json]:
        """What expressions read; whether they can do without it nobody knows, so nothing is
        required."""
        reads = list(_request_reads(self._route, self._resources))
        for name in _fields(reads, "query"):
            yield _parameter(name, "query")
        for name in _fields(reads, "headers"):
            if name.lower() not in _NO_PARAMETERS:
                yield _parameter(name, "header")

    def _request_body(self) -> Json:
        first = self._route.spec.steps[0]
        if first.validate_ is None:
            return {"content": {_JSON: {}}}
        schema = self._component(f"{self._name}-request", first.validate_.schema_)
        return {"required": True, "content": {_JSON: {"schema": schema}}}

    def _responses(self) -> Json:
        spec = self._route.spec
        responses: Json = {}
        if not spec.steps[-1].respond:
            responses["200"] = self._response("The answer.", self._answer_schema())
        for respond in _responds(spec):
            said = self._response(
                "The answer of a respond.", self._respond_schema(respond), _media_type(respond)
            )
            responses.setdefault(str(respond.status), said)
        if any(step.filter for step in _all_steps(spec)):
            responses["204"] = {"description": "The Route filtered the request out."}
        refs = {
            "4XX": {"$ref": "#/components/responses/Rejected"},
            "5XX": {"$ref": "#/components/responses/Failed"},
        }
        return dict(sorted(responses.items())) | refs

    def _response(self, description: str, schema: Json | None, media_type: str = _JSON) -> Json:
        if self._http.method == "HEAD":
            return {"description": description}
        media = {"schema": schema} if schema else {}
        return {"description": description, "content": {media_type: media}}

    def _respond_schema(self, respond: Respond) -> Json | None:
        is_last = self._route.spec.steps[-1].respond is respond
        return self._answer_schema() if is_last and "body" not in respond.written() else None

    def _answer_schema(self) -> Json | None:
        """The output schema of the Mapping that makes the body at the end."""
        makers = [step for step in self._route.spec.steps if _makes_body(step)]
        name = makers[-1].map.mapping if makers and makers[-1].map else None
        mapping = name and self._resources.mapping(self._route.key.namespace, name)
        if not mapping or mapping.spec.output is None:
            return None
        return self._component(self._labels.of(mapping.key), mapping.spec.output.schema_)

    def _component(self, name: str, schema: Json) -> Json:
        ref = f"{_COMPONENTS}{name}"
        self._schemas[name] = schema if "$id" in schema else _moved(schema, ref)
        return {"$ref": ref}


def _parameter(name: str, place: str) -> Json:
    return {"name": name, "in": place, "schema": {"type": "string"}}


def _makes_body(step: Step) -> bool:
    verbs = (step.call, step.map, step.choice, step.split, step.aggregate, step.scatter)
    return step.into is None and any(verb is not None for verb in verbs)


def _all_steps(spec: RouteSpec) -> Iterator[Step]:
    yield from spec.steps
    for steps in spec.branches.values():
        yield from steps


def _responds(spec: RouteSpec) -> Iterator[Respond]:
    for step in _all_steps(spec):
        if step.respond:
            yield step.respond
        if step.on_error and step.on_error.respond:
            yield step.on_error.respond


def _media_type(respond: Respond) -> str:
    """The content type that a respond gives, where it can be told."""
    given = {name.lower(): value for name, value in respond.headers.items()}
    media_type = given.get("content-type", _JSON)
    return _JSON if templates.OPEN in media_type else media_type


def _fields(reads: Sequence[Fields], part: str) -> list[str]:
    """The names read of one part of `$request`, in order."""
    parts = (read.fields.get(part) for read in reads)
    return sorted({name for found in parts if found for name in found.fields})


def _request_reads(route: Resource[RouteSpec], resources: Resources) -> Iterator[Fields]:
    """What each expression of a Route reads of `$request`."""
    for read in _reads(route, resources):
        if "request" in read.variables:
            yield read.variables["request"]


def _reads(route: Resource[RouteSpec], resources: Resources) -> Iterator[Reads]:
    library = functions.library({})
    for site in sites(route.spec):
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
