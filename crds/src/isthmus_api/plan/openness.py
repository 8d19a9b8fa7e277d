"""Openness: which Routes anybody may call, and which of those say so."""

from collections.abc import Iterator
from dataclasses import replace

from isthmus_api.problems import Code, Problem, Severity
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec


def open_routes(resources: Resources) -> Iterator[Resource[RouteSpec]]:
    """The Routes that ask nothing of those who call."""
    for route in resources.routes():
        if route.spec.source.is_open:
            yield route


def check(resources: Resources) -> Iterator[Problem]:
    """Routes that are open and do not say that this is meant."""
    for route in open_routes(resources):
        http = route.spec.source.http
        if http is not None and not http.open:
            problem = Problem(
                Code.ROUTE_OPEN,
                "anybody who reaches this Route may call it",
                hint="write auth: … for who may, or open: true where that is meant",
                subject=str(route.key),
                path=("spec", "source", "http"),
                severity=Severity.WARNING,
            )
            yield replace(problem, location=route.origin.locate(problem.path))
