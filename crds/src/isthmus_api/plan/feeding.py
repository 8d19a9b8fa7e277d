"""Feeding: which Route gets the results of which, and that none gets its own."""

from collections.abc import Iterator
from typing import Final

from isthmus_api.plan import scope
from isthmus_api.plan.routeplan import PlannedFeed
from isthmus_api.problems import Code, Path, Problem, Severity
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec

_MAKES_A_RESULT_ONLY: Final = ("map", "filter", "aggregate", "validate", "lookup")
_NAME: Path = ("spec", "source", "route", "name")


def fed(route: Resource[RouteSpec], resources: Resources) -> dict[str, PlannedFeed]:
    """The Routes that get the results of this one; none where it has no results to give."""
    if _gives_nothing(route) is not None:
        return {}
    namespace = route.key.namespace
    names = resources.fed_by(namespace, route.key.name)
    found = (resources.route(namespace, name) for name in names)
    return {
        each.key.name: PlannedFeed(message=each.spec.message, env=each.spec.env)
        for each in found
        if each
    }


def unused(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    """A warning when the last step makes a result that nobody gets."""
    spec = route.spec
    last = spec.steps[-1]
    is_read = resources.fed_by(route.key.namespace, route.key.name) or scope.is_batched(spec)
    if spec.source.is_asynchronous and last.verb in _MAKES_A_RESULT_ONLY and not is_read:
        yield Problem(
            Code.INEFFECTIVE,
            f"nothing comes after this {last.verb}, and this Route feeds no other",
            hint=f"call a Connector with it, or let a Route have source: {{route: {{name: "
            f"{route.key.name}}}}}",
            path=("spec", "steps", len(spec.steps) - 1),
            severity=Severity.WARNING,
        )


def check(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    """What is wrong with the Route that feeds this one. That it is missing is told elsewhere."""
    feeder = _feeder(route, resources)
    if feeder is None:
        return
    circle = _circle(route, resources)
    if circle:
        yield Problem(
            Code.ROUTE_CYCLE,
            f"the Routes feed each other: {' -> '.join(circle)}",
            hint="messages would go round for ever; let one of them have another source",
            path=_NAME,
        )
    if reason := _gives_nothing(feeder):
        yield Problem(
            Code.MISPLACED,
            f"the Route '{feeder.key.name}' {reason}",
            hint="feed this Route from one that delivers message by message",
            path=_NAME,
        )


def _gives_nothing(route: Resource[RouteSpec]) -> str | None:
    """Why a Route feeds no other, in words."""
    if not route.spec.source.is_asynchronous:
        return "answers its caller, so it feeds no other Route"
    if scope.is_batched(route.spec):
        return "delivers in batches, whose result belongs to no single message"
    return None


def _feeder(route: Resource[RouteSpec], resources: Resources) -> Resource[RouteSpec] | None:
    source = route.spec.source.route
    return resources.route(route.key.namespace, source.name) if source else None


def _circle(route: Resource[RouteSpec], resources: Resources) -> list[str]:
    """The Routes from this one back to itself, in the order in which messages go; or nothing.

    A circle further up, which this Route only hangs on, is told to those in it.
    """
    names = [route.key.name]
    feeder = _feeder(route, resources)
    while feeder is not None and feeder.key.name not in names:
        names.append(feeder.key.name)
        feeder = _feeder(feeder, resources)
    is_own = feeder is not None and feeder.key == route.key
    return [route.key.name, *reversed(names)] if is_own else []
