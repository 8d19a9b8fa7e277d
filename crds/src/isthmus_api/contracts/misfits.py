"""Misfits: what of a Route does not fit the documents of the Connectors it calls, as problems.

They are warnings: a vendor's document may be behind its API, so it keeps no Route from running.
"""

from collections.abc import Iterator, Mapping

from isthmus_api.contracts import places, routes
from isthmus_api.contracts.findings import Finding
from isthmus_api.contracts.operations import Directory
from isthmus_api.problems import Code, Problem, Severity
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec


def of_route(
    route: Resource[RouteSpec], resources: Resources, directories: Mapping[str, Directory]
) -> Iterator[Problem]:
    """Every misfit of a Route; `directories` are those of its namespace's Connectors, by name."""
    calls = routes.calls(route, resources)
    for name in dict.fromkeys(use.call.connector for use in calls.uses):
        connector = resources.connector(route.key.namespace, name)
        if name in directories and connector and connector.spec.http:
            for finding in calls.misfits(name, connector.spec.http, directories[name]):
                yield _problem(finding, route, resources)


def _problem(finding: Finding, route: Resource[RouteSpec], resources: Resources) -> Problem:
    spot = places.of_read(finding, route, resources) or places.of_call(finding, route)
    return Problem(
        Code.CONTRACT_MISMATCH,
        finding.message,
        hint=finding.hint,
        subject=spot.subject,
        path=spot.path,
        location=spot.location,
        severity=Severity.WARNING,
    )
