"""Called Mappings: those that a Mapping calls by `$mapping` are there, get what they read, and none
leads back to itself."""

from collections.abc import Iterable, Iterator

from isthmus_api.expressions import calls, engine
from isthmus_api.expressions.syntax import Node, Shape
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan import expression_checks
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.resources import Resource, Resources

_EXPRESSION: Path = ("spec", "expression")

Mapping = Resource[MappingSpec]


def reached(start: Iterable[str], namespace: str, resources: Resources) -> dict[str, Mapping]:
    """The Mappings of these names and all that they call in turn, as far as they are there."""
    found: dict[str, Mapping] = {}
    ahead = list(start)
    while ahead:
        name = ahead.pop()
        mapping = None if name in found else resources.mapping(namespace, name)
        if mapping is not None:
            found[name] = mapping
            ahead += calls.mappings(mapping.spec.expression)
    return dict(sorted(found.items()))


def check(mapping: Mapping, resources: Resources) -> Iterator[Problem]:
    """Everything that is wrong with the calls of a Mapping."""
    namespace = mapping.key.namespace
    known = reached([mapping.key.name], namespace, resources)
    for call in calls.of(mapping.spec.expression):
        if call.function != calls.MAPPING or call.name is None:
            continue
        called = known.get(call.name)
        if called is None:
            yield _problem(
                mapping,
                call,
                Code.MAPPING_NOT_FOUND,
                f"there is no Mapping '{call.name}' in this namespace",
                "apply it, or name another one",
            )
            continue
        yield from _circle(mapping, call, known)
        yield from _unbound(mapping, call, called)
    yield from _too_deep(mapping, known)


def _circle(mapping: Mapping, call: calls.Call, known: dict[str, Mapping]) -> Iterator[Problem]:
    """The shortest way back from a call to the Mapping that makes it."""
    own, first = mapping.key.name, str(call.name)
    ways: dict[str, tuple[str, ...]] = {first: (own, first)}
    ahead = [first]
    while ahead and own not in ways:
        name = ahead.pop(0)
        for each in calls.mappings(known[name].spec.expression) if name in known else ():
            if each not in ways:
                ways[each] = (*ways[name], each)
                ahead.append(each)
    if own in ways:
        way = ways[own] if first != own else (own, own)
        yield _problem(
            mapping,
            call,
            Code.MAPPING_CYCLE,
            f"the Mappings call each other in a circle: {' → '.join(way)}",
            "a Mapping must end; repeat with $map or $reduce, or a function inside one Mapping",
        )


def _unbound(mapping: Mapping, call: calls.Call, called: Mapping) -> Iterator[Problem]:
    """Variables that the called Mapping reads, and the call does not hand over."""
    given = _given(call)
    if given is None:
        return
    for name in sorted(expression_checks.read_by(called.spec).keys() - given):
        yield _problem(
            mapping,
            call,
            Code.EXPRESSION_INVALID,
            f"the Mapping '{call.name}' reads ${name}, which this call does not give it",
            f'hand it over: $mapping("{call.name}", …, {{"{name}": …}})',
        )


def _given(call: calls.Call) -> set[str] | None:
    """The names of the variables that a call hands over; None where only running it tells."""
    if len(call.arguments) < 3:
        return set()
    written = call.arguments[2]
    if written.shape is not Shape.OBJECT:
        return None
    keys = [key for key, _ in written.pairs()]
    literal = all(key.shape is Shape.STRING for key in keys)
    return {key.text for key in keys} if literal else None


def _too_deep(mapping: Mapping, known: dict[str, Mapping]) -> Iterator[Problem]:
    level, depth = {mapping.key.name}, 0
    while level and depth <= calls.MAX_DEPTH:
        level = {
            each for name in level if name in known
            for each in calls.mappings(known[name].spec.expression)
        }  # fmt: skip
        depth += bool(level)
    if depth > calls.MAX_DEPTH and mapping.key.name not in _in_circles(known):
        yield Problem(
            Code.EXPRESSION_INVALID,
            f"more than {calls.MAX_DEPTH} Mappings call one another in a row from here",
            hint="put some of them together",
            path=_EXPRESSION,
            location=mapping.origin.locate(_EXPRESSION),
        )


def _in_circles(known: dict[str, Mapping]) -> set[str]:
    """All of them when there is a circle among them: it is told where it is."""
    open_ = {name: set(calls.mappings(each.spec.expression)) & known.keys()
             for name, each in known.items()}  # fmt: skip
    while ends := {name for name, called in open_.items() if not called & open_.keys()}:
        for name in ends:
            del open_[name]
    return set(known) if open_ else set()


def _problem(mapping: Mapping, call: calls.Call, code: Code, message: str, hint: str) -> Problem:
    place = _place(call)
    line, column = engine.position(mapping.spec.expression, place.start)
    return Problem(
        code,
        message,
        hint=hint,
        path=_EXPRESSION,
        location=mapping.origin.locate_text(_EXPRESSION, line=line, column=column),
    )


def _place(call: calls.Call) -> Node:
    return call.first or call.node
