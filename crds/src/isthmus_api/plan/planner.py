"""The planner: one Route and what it refers to, checked whole and joined into a RoutePlan.

All checks run, so a person sees every problem at once. A plan exists only when none is an error.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from isthmus_api.connector import ConnectorSpec
from isthmus_api.mapping import MappingSpec
from isthmus_api.model import Model
from isthmus_api.plan import branches, expression_checks, schemas, shape
from isthmus_api.plan.routeplan import PlannedMapping, RoutePlan
from isthmus_api.plan.sites import Inline, MappingUse, Template, sites
from isthmus_api.problems import Code, Path, Problem, errors
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec, Step


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning a Route came to. `plan` is missing when one of the problems is an error."""

    plan: RoutePlan | None
    problems: tuple[Problem, ...] = ()


def plan(route: Resource[RouteSpec], resources: Resources) -> Planned:
    """Check a Route against `resources` and join it with what it refers to."""
    problems = tuple(_distinct(_problems(route, resources)))
    if errors(problems):
        return Planned(None, problems)
    return Planned(_join(route, resources), problems)


def check(resources: Resources) -> tuple[Problem, ...]:
    """Every problem of every object: what `isthmus lint` shows."""
    return tuple(_distinct(_all_problems(resources)))


def _all_problems(resources: Resources) -> Iterator[Problem]:
    for mapping in resources.mappings():
        yield from _of(mapping, expression_checks.mapping(mapping))
        yield from _of(mapping, schemas.of_mapping(mapping.spec))
    for route in resources.routes():
        yield from _problems(route, resources)
    yield from shape.path_clashes(resources.routes())


def _problems(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    spec = route.spec
    yield from _of(route, _references(route, resources))
    yield from _of(route, shape.check(spec))
    yield from _of(route, schemas.of_route(spec))
    in_branches = tuple(branches.check(spec))
    yield from _of(route, in_branches)
    if not any(problem.code is Code.BRANCH_CYCLE for problem in in_branches):
        yield from _in_expressions(route, resources)


def _in_expressions(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    for site in sites(route.spec):
        match site:
            case Template():
                yield from _of(route, expression_checks.template(site, route.origin))
            case Inline():
                yield from _of(route, expression_checks.inline(site, route.origin))
            case MappingUse():
                mapping = resources.mapping(route.key.namespace, site.mapping)
                if mapping is not None:
                    yield from _of(mapping, expression_checks.mapping(mapping))
                    yield from _of(route, expression_checks.bindings(site, mapping))


def _references(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    namespace = route.key.namespace
    for step, path in _steps(route.spec):
        if step.call and not resources.connector(namespace, step.call.connector):
            known = [found.key.name for found in resources.connectors()]
            yield _not_found("Connector", step.call.connector, (*path, "call", "connector"), known)
        if step.map and step.map.mapping and not resources.mapping(namespace, step.map.mapping):
            known = [found.key.name for found in resources.mappings()]
            yield _not_found("Mapping", step.map.mapping, (*path, "map", "mapping"), known)


def _not_found(kind: str, name: str, path: Path, known: list[str]) -> Problem:
    code = Code.CONNECTOR_NOT_FOUND if kind == "Connector" else Code.MAPPING_NOT_FOUND
    there = f"there are: {', '.join(sorted(known))}" if known else "there is none yet"
    return Problem(
        code,
        f"there is no {kind} '{name}' in this namespace",
        hint=f"apply it, or name another one; {there}",
        path=path,
    )


def _steps(spec: RouteSpec) -> Iterator[tuple[Step, Path]]:
    """All steps of a Route with their paths."""
    for index, step in enumerate(spec.steps):
        yield step, ("spec", "steps", index)
    for name, steps in spec.branches.items():
        for index, step in enumerate(steps):
            yield step, ("spec", "branches", name, index)


def _join(route: Resource[RouteSpec], resources: Resources) -> RoutePlan:
    steps = [step for step, _ in _steps(route.spec)]
    namespace = route.key.namespace
    connectors: dict[str, ConnectorSpec] = {}
    mappings: dict[str, PlannedMapping] = {}
    for step in steps:
        if step.call and (connector := resources.connector(namespace, step.call.connector)):
            connectors[step.call.connector] = connector.spec
        if step.map and step.map.mapping:
            mapping = resources.mapping(namespace, step.map.mapping)
            if mapping is not None:
                mappings[step.map.mapping] = planned(mapping.spec)
    return RoutePlan.of(
        route.spec,
        namespace=namespace,
        name=route.key.name,
        connectors=connectors,
        mappings=mappings,
    )


def planned(spec: MappingSpec) -> PlannedMapping:
    """The part of a Mapping that running it needs."""
    return PlannedMapping(expression=spec.expression, tables=spec.tables)


def _of(resource: Resource[Model], problems: Iterable[Problem]) -> Iterator[Problem]:
    """Sign problems with their object, and place those that have no place yet."""
    for problem in problems:
        location = problem.location or resource.origin.locate(problem.path)
        yield replace(problem, subject=str(resource.key), location=location)


def _distinct(problems: Iterable[Problem]) -> Iterator[Problem]:
    seen: set[Problem] = set()
    for problem in problems:
        if problem not in seen:
            seen.add(problem)
            yield problem
