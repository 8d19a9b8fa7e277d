"""The planner: one Route and what it refers to, checked whole and joined into a RoutePlan.

All checks run, so a person sees every problem at once. A plan exists only when none is an error.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from isthmus_api.connector import ConnectorSpec
from isthmus_api.mapping import JsonSchema, MappingSpec
from isthmus_api.model import Model
from isthmus_api.plan import (
    branches,
    called,
    deliveries,
    expression_checks,
    feeding,
    schema_reads,
    schemas,
    scope,
    shape,
    sign_in,
    sources,
    steps,
    trials,
)
from isthmus_api.plan.routeplan import PlannedMapping, RoutePlan
from isthmus_api.plan.site import Inline, MappingUse, Template
from isthmus_api.plan.sites import sites
from isthmus_api.problems import Code, Path, Problem, errors
from isthmus_api.resources import CONNECTOR, MAPPING, ROUTE, Key, Kind, Resource, Resources
from isthmus_api.route import RouteSpec


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning a Route came to. `plan` is missing when one of the problems is an error."""

    plan: RoutePlan | None
    problems: tuple[Problem, ...] = ()


def plan(route: Resource[RouteSpec], resources: Resources, *, passed: str = "") -> Planned:
    """Check a Route against `resources` and join it with what it refers to.

    `passed` is the hash of a plan that was found good before: when this one is the same, its
    expressions are not looked at again, and their warnings are not among the problems.
    """
    whole = joined(route, resources)
    found = _in_itself(route, resources) if whole.hash == passed else _problems(route, resources)
    problems = tuple(_distinct(found))
    return Planned(None if errors(problems) else whole, problems)


def check(resources: Resources) -> tuple[Problem, ...]:
    """Every problem of every object: what `isthmus lint` shows."""
    return tuple(_distinct(_all_problems(resources)))


def _all_problems(resources: Resources) -> Iterator[Problem]:
    for mapping in resources.mappings():
        yield from _of_mapping(mapping, resources)
        yield from _of(mapping, schemas.of_mapping(mapping.spec))
    for connector in resources.connectors():
        yield from _of(connector, sign_in.check(connector))
    for route in resources.routes():
        yield from _own_problems(route, resources)
    yield from shape.path_clashes(resources.routes())


def _problems(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    found = tuple(_own_problems(route, resources))
    yield from found
    if not _has_no_end(found):
        yield from _in_used(route, resources)


def _own_problems(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    """Without those of the Mappings and Connectors that it uses."""
    found = tuple(_in_itself(route, resources))
    yield from found
    if not _has_no_end(found):
        yield from _in_expressions(route, resources)


def _has_no_end(problems: Iterable[Problem]) -> bool:
    """Whether its branches lead back to themselves, so that they cannot be walked."""
    return any(problem.code is Code.BRANCH_CYCLE for problem in problems)


def _in_itself(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    """What is wrong apart from expressions."""
    yield from _of(route, _not_found(route, resources))
    yield from _of(route, feeding.check(route, resources))
    yield from _of(route, feeding.unused(route, resources))
    yield from _of(route, sources.check(route.spec))
    yield from _of(route, deliveries.check(route.spec))
    yield from _of(route, trials.check(route.spec))
    yield from _of(route, shape.check(route.spec))
    yield from _of(route, schemas.of_route(route.spec))
    yield from _of(route, branches.check(route.spec))


def _in_expressions(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    known = scope.of_fields(route.spec)
    for site in sites(route.spec):
        mapping = None
        match site:
            case Template():
                yield from _of(route, expression_checks.template(site, route.origin))
            case Inline():
                yield from _of(route, expression_checks.inline(site, route.origin))
            case MappingUse():
                mapping = resources.mapping(route.key.namespace, site.mapping)
                if mapping is not None:
                    yield from _of(route, expression_checks.bindings(site, mapping))
        yield from _of(route, expression_checks.fields(site, mapping, known))


def _in_used(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    """What is wrong with the Mappings and Connectors that it uses."""
    for used in _mappings(route, resources).values():
        yield from _of_mapping(used, resources)
    for reference in _references(route.spec):
        connector = resources.connector(route.key.namespace, reference.name)
        if reference.kind is CONNECTOR and connector is not None:
            yield from _of(connector, sign_in.check(connector))


def _of_mapping(mapping: Resource[MappingSpec], resources: Resources) -> Iterator[Problem]:
    """What is wrong with the expression of a Mapping and with the Mappings that it calls."""
    yield from _of(mapping, expression_checks.mapping(mapping))
    yield from _of(mapping, schema_reads.check(mapping))
    yield from _of(mapping, called.check(mapping, resources))


def _mappings(route: Resource[RouteSpec], resources: Resources) -> dict[str, Resource[MappingSpec]]:
    """The Mappings that a Route uses, and those that they call in turn."""
    names = [each.name for each in _references(route.spec) if each.kind is MAPPING]
    return called.reached(names, route.key.namespace, resources)


@dataclass(frozen=True, slots=True)
class _Reference:
    kind: Kind
    name: str
    path: Path


def _references(spec: RouteSpec) -> Iterator[_Reference]:
    """What a Route refers to."""
    if spec.source.route:
        yield _Reference(ROUTE, spec.source.route.name, ("spec", "source", "route", "name"))
    if spec.source.poll:
        at = ("spec", "source", "poll", "call", "connector")
        yield _Reference(CONNECTOR, spec.source.poll.call.connector, at)
    for path, step in steps.each(spec):
        if step.call:
            yield _Reference(CONNECTOR, step.call.connector, (*path, "call", "connector"))
        if step.map and step.map.mapping:
            yield _Reference(MAPPING, step.map.mapping, (*path, "map", "mapping"))


_NOT_FOUND: Final = {
    CONNECTOR.name: Code.CONNECTOR_NOT_FOUND,
    MAPPING.name: Code.MAPPING_NOT_FOUND,
    ROUTE.name: Code.ROUTE_NOT_FOUND,
}


def _not_found(route: Resource[RouteSpec], resources: Resources) -> Iterator[Problem]:
    namespace = route.key.namespace
    for reference in _references(route.spec):
        kind = reference.kind.name
        if Key(kind, namespace, reference.name) not in resources.by_key:
            yield Problem(
                _NOT_FOUND[kind],
                f"there is no {kind} '{reference.name}' in this namespace",
                hint=f"apply it, or name another one; {_there(kind, namespace, resources)}",
                path=reference.path,
            )


_MAX_NAMES: Final = 20


def _there(kind: str, namespace: str, resources: Resources) -> str:
    """The names there are to choose from. Looks at all objects, so only where one is missing."""
    keys = (key for key in resources.by_key if (key.kind, key.namespace) == (kind, namespace))
    names = sorted(key.name for key in keys)
    more = len(names) - _MAX_NAMES
    shown = ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
    return f"there are: {shown}" if names else "there is none yet"


def joined(route: Resource[RouteSpec], resources: Resources) -> RoutePlan:
    """A Route with what it refers to, as far as that is there; nothing is checked."""
    namespace = route.key.namespace
    connectors: dict[str, ConnectorSpec] = {}
    for reference in _references(route.spec):
        name = reference.name
        if reference.kind is CONNECTOR and (connector := resources.connector(namespace, name)):
            connectors[name] = connector.spec
    return RoutePlan.of(
        route.spec,
        namespace=namespace,
        name=route.key.name,
        connectors=connectors,
        mappings={name: planned(used.spec) for name, used in _mappings(route, resources).items()},
        feeds=feeding.fed(route, resources),
    )


def planned(spec: MappingSpec) -> PlannedMapping:
    """The part of a Mapping that running it needs."""
    return PlannedMapping(
        expression=spec.expression,
        tables=spec.tables,
        shared=spec.shared_tables,
        input=_enforced(spec.input),
        output=_enforced(spec.output),
    )


def _enforced(schema: JsonSchema | None) -> JsonSchema | None:
    """A schema that messages are held to; one that only describes them is no part of a plan."""
    return schema if schema and schema.on_mismatch else None


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
