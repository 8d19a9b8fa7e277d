"""The document: the operations of all Routes that have a path."""

from collections.abc import Iterator
from typing import Final

from isthmus_api.openapi import accepting, answering
from isthmus_api.openapi.components import Components, Json, Labels
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec

OPENAPI: Final = "3.1.0"


def document(resources: Resources, *, title: str = "Isthmus", version: str = "1") -> Json:
    """Describe all Routes with an http or webhook source. They must be free of errors."""
    labels = Labels((*resources.routes(), *resources.mappings()))
    components = Components()
    paths: Json = {}
    for route in resources.routes():
        for path, method, operation in _operations(route, resources, labels, components):
            paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": OPENAPI,
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": components.document(),
    }


def _operations(
    route: Resource[RouteSpec], resources: Resources, labels: Labels, components: Components
) -> Iterator[tuple[str, str, Json]]:
    """The operations of a Route, each with its path and method."""
    source = route.spec.source
    if http := source.http:
        made = answering.Operation(route, http, resources, labels, components)
        yield http.path, http.method, made.build()
    if webhook := source.webhook:
        accepted = accepting.Operation(route, webhook, resources, labels.of(route.key), components)
        yield webhook.path, webhook.method, accepted.build()
        if challenge := accepted.challenge():
            yield webhook.path, *challenge
