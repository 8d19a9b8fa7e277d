"""Sites: every place in a Route where an expression may stand, and the variables it may read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from isthmus_api.problems import Path
from isthmus_api.route import Call, OnError, Respond, RouteSpec, Step

RESERVED = frozenset({"request", "message", "route", "env"})
"""Variables that are always there."""

PARALLEL = frozenset({"index"})
"""Variables of a branch that a split runs."""

FAILED = frozenset({"failure"})
"""Variables of an `onError`."""


@dataclass(frozen=True, slots=True)
class Template:
    """A string that may hold `{% … %}`."""

    path: Path
    text: str
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Inline:
    """A JSONata expression without marks around it."""

    path: Path
    text: str
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class MappingUse:
    """A step runs a Mapping."""

    path: Path
    mapping: str
    variables: frozenset[str]


Site = Template | Inline | MappingUse


def sites(spec: RouteSpec) -> Iterator[Site]:
    """All sites of a Route whose branches have no cycle.

    A branch that is reached from two places is visited twice, as its variables may differ.
    """
    yield from _Walk(spec.branches).steps(spec.steps, ("spec", "steps"), set(RESERVED))


class _Walk:
    def __init__(self, branches: Mapping[str, tuple[Step, ...]]) -> None:
        self._branches = branches

    def steps(self, steps: tuple[Step, ...], path: Path, variables: set[str]) -> Iterator[Site]:
        """Visit steps in order; what they bind is added to `variables`."""
        for index, step in enumerate(steps):
            yield from self._step(step, (*path, index), variables)

    def _step(self, step: Step, path: Path, variables: set[str]) -> Iterator[Site]:
        known = frozenset(variables)
        yield from _own(step, path, known)
        if step.choice:
            branches = [when.branch for when in step.choice.when]
            for name in (*branches, step.choice.otherwise):
                yield from self._branch(name, variables)
        if step.split:
            yield from self._branch(step.split.branch, set(known | PARALLEL))
        if step.scatter:
            for name in step.scatter.branches:
                yield from self._branch(name, set(known))
        if step.into:
            variables.add(step.into)

    def _branch(self, name: str | None, variables: set[str]) -> Iterator[Site]:
        if name is not None and name in self._branches:
            yield from self.steps(self._branches[name], ("spec", "branches", name), variables)


def _own(step: Step, path: Path, known: frozenset[str]) -> Iterator[Site]:
    """The sites in the step itself, not in the branches it names."""
    if step.call:
        yield from _call(step.call, (*path, "call"), known)
    if step.map and step.map.mapping:
        yield MappingUse((*path, "map", "mapping"), step.map.mapping, known)
    if step.map and step.map.expression:
        yield Inline((*path, "map", "expression"), step.map.expression, known)
    if step.filter:
        yield Template((*path, "filter"), step.filter, known)
    if step.choice:
        for number, when in enumerate(step.choice.when):
            at = (*path, "choice", "when", number, "condition")
            yield Template(at, when.condition, known)
    if step.split:
        yield Template((*path, "split", "items"), step.split.items, known)
    if step.aggregate:
        yield Template((*path, "aggregate", "expression"), step.aggregate.expression, known)
    if step.respond:
        yield from _respond(step.respond, (*path, "respond"), known)
    if step.cache and step.cache.key:
        yield Template((*path, "cache", "key"), step.cache.key, known)
    if step.on_error:
        yield from _on_error(step.on_error, (*path, "onError"), known | FAILED)


def _call(call: Call, path: Path, known: frozenset[str]) -> Iterator[Site]:
    yield Template((*path, "path"), call.path, known)
    yield from _tree(call.query, (*path, "query"), known)
    yield from _tree(call.headers, (*path, "headers"), known)
    yield from _tree(call.body, (*path, "body"), known)


def _respond(respond: Respond, path: Path, known: frozenset[str]) -> Iterator[Site]:
    yield from _tree(respond.headers, (*path, "headers"), known)
    yield from _tree(respond.body, (*path, "body"), known)


def _on_error(on_error: OnError, path: Path, known: frozenset[str]) -> Iterator[Site]:
    yield from _tree(on_error.use, (*path, "use"), known)
    if on_error.respond:
        yield from _respond(on_error.respond, (*path, "respond"), known)


def _tree(value: Any, path: Path, known: frozenset[str]) -> Iterator[Site]:
    """The strings in free-form JSON."""
    match value:
        case str():
            yield Template(path, value, known)
        case dict():
            for key, item in value.items():
                yield from _tree(item, (*path, key), known)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _tree(item, (*path, index), known)
