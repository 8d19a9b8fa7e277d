"""Answering: a Route that answers its caller, as an operation."""

from collections.abc import Iterator
from typing import Final

from isthmus_api.expressions import holes
from isthmus_api.openapi import parameters, security
from isthmus_api.openapi.components import FAILURES, JSON, Components, Json, Labels
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_api.source import HttpSource
from isthmus_api.step import Respond, Step

WITH_BODY: Final = ("POST", "PUT", "PATCH")


class Operation:
    """One Route as an operation; the schemas it needs go to `components`."""

    def __init__(
        self,
        route: Resource[RouteSpec],
        http: HttpSource,
        resources: Resources,
        labels: Labels,
        components: Components,
    ) -> None:
        self._route = route
        self._http = http
        self._resources = resources
        self._name = labels.of(route.key)
        self._labels = labels
        self._components = components

    def build(self) -> Json:
        """The operation."""
        described: Json = {"operationId": self._name}
        found = parameters.of(self._route, self._resources, where=lambda path: True)
        if found:
            described["parameters"] = found
        if self._http.method in WITH_BODY:
            described["requestBody"] = self._request_body()
        described |= security.described(self._http.auth, self._name, self._components)
        return {**described, "responses": self._responses()}

    def _request_body(self) -> Json:
        first = self._route.spec.steps[0]
        if first.validate_ is None:
            return {"content": {JSON: {}}}
        schema = self._components.schema(f"{self._name}-request", first.validate_.schema_)
        return {"required": True, "content": {JSON: {"schema": schema}}}

    def _responses(self) -> Json:
        spec = self._route.spec
        responses: Json = {}
        if not spec.steps[-1].respond:
            responses["200"] = self._response("The answer.", self._answer_schema())
        for respond in _responds(spec):
            said = self._response(
                "The answer of a respond.", self._respond_schema(respond), media_type(respond)
            )
            responses.setdefault(str(respond.status), said)
        if any(step.filter for step in _all_steps(spec)):
            responses["204"] = {"description": "The Route filtered the request out."}
        return dict(sorted(responses.items())) | FAILURES

    def _response(self, description: str, schema: Json | None, media_type: str = JSON) -> Json:
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
        return self._components.schema(self._labels.of(mapping.key), mapping.spec.output.schema_)


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


def media_type(respond: Respond) -> str:
    """The content type that a respond gives, where it can be told."""
    given = {name.lower(): value for name, value in respond.headers.items()}
    media_type = given.get("content-type", JSON)
    return JSON if holes.OPEN in media_type else media_type
