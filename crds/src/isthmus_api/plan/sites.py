"""Sites: every place in a Route where an expression may stand, source and steps."""

import graphlib
from collections.abc import Iterator

from isthmus_api.plan import scope, site, source_sites, steps
from isthmus_api.plan.site import Inline, MappingUse, Site, Template
from isthmus_api.problems import Path
from isthmus_api.route import RouteSpec
from isthmus_api.step import OnError, Step
from isthmus_api.store import Lookup, Remember


def sites(spec: RouteSpec) -> Iterator[Site]:
    """All sites of a Route whose branches have no cycle.

    Each branch is visited once, however many steps lead to it (their number doubles with every
    choice), with the variables that it has on every way.
    """
    scopes = _Scopes(spec)
    yield from source_sites.sites(spec)
    start = scope.of_steps(spec)
    yield from _in_steps(spec.steps, ("spec", "steps"), start, scopes)
    yield from _failures(spec, start.union(*(scopes.bound_by(step) for step in spec.steps)))
    for name in scopes.outer_first:
        if name in scopes.known:
            path = ("spec", "branches", name)
            yield from _in_steps(spec.branches[name], path, scopes.known[name], scopes)


def _in_steps(
    found: tuple[Step, ...], path: Path, known: frozenset[str], scopes: "_Scopes"
) -> Iterator[Site]:
    for index, step in enumerate(found):
        yield from own(step, (*path, index), known)
        scopes.enter(step, known)
        known |= scopes.bound_by(step)


def _failures(spec: RouteSpec, known: frozenset[str]) -> Iterator[Site]:
    """What is read off the result of a batch."""
    batch = spec.delivery and spec.delivery.batch
    if batch and batch.failures:
        path = ("spec", "delivery", "batch", "failures")
        yield Template(path, batch.failures, known, is_whole=True)


class _Scopes:
    """The variables that branches have, and those they bind for the steps after them."""

    def __init__(self, spec: RouteSpec) -> None:
        named = {
            name: [use.branch for step in found for use in steps.uses(step)]
            for name, found in spec.branches.items()
        }
        order = graphlib.TopologicalSorter(named).static_order()
        inner_first = [name for name in order if name in spec.branches]
        self.outer_first = inner_first[::-1]
        self.known: dict[str, frozenset[str]] = {}
        self._bound: dict[str, frozenset[str]] = {}
        for name in inner_first:
            bound = (self.bound_by(step) for step in spec.branches[name])
            self._bound[name] = frozenset().union(*bound)

    def bound_by(self, step: Step) -> frozenset[str]:
        """Variables after a step; whichever branch a choice takes runs on the message itself."""
        own = frozenset({step.into} if step.into else ())
        taken = (use.branch for use in steps.uses(step) if use.verb == "choice")
        return own.union(*(self._bound.get(name, frozenset()) for name in taken))

    def enter(self, step: Step, known: frozenset[str]) -> None:
        """Note that the branches of a step are reached with the variables `known`."""
        for use in steps.uses(step):
            inside = known | scope.PARALLEL if use.verb == "split" else known
            self.known[use.branch] = self.known.get(use.branch, inside) & inside


def own(step: Step, path: Path, known: frozenset[str]) -> Iterator[Site]:
    """The sites in the step itself, not in the branches it names."""
    if step.call:
        yield from site.call(step.call, (*path, "call"), known)
    if step.map and step.map.mapping:
        yield MappingUse((*path, "map", "mapping"), step.map.mapping, known)
    if step.map and step.map.expression:
        yield Inline((*path, "map", "expression"), step.map.expression, known)
    if step.filter:
        yield Template((*path, "filter"), step.filter, known, is_whole=True)
    if step.choice:
        for number, when in enumerate(step.choice.when):
            at = (*path, "choice", "when", number, "condition")
            yield Template(at, when.condition, known, is_whole=True)
    if step.split:
        yield Template((*path, "split", "items"), step.split.items, known, is_whole=True)
    if step.aggregate:
        at = (*path, "aggregate", "expression")
        yield Template(at, step.aggregate.expression, known, is_whole=True)
    if step.respond:
        yield from site.respond(step.respond, (*path, "respond"), known)
    if step.remember:
        yield from _remember(step.remember, (*path, "remember"), known)
    if step.lookup:
        yield from _lookup(step.lookup, (*path, "lookup"), known)
    if step.cache and step.cache.key:
        yield Template((*path, "cache", "key"), step.cache.key, known)
    if step.on_error:
        yield from _on_error(step.on_error, (*path, "onError"), known | scope.FAILED)


def _remember(remember: Remember, path: Path, known: frozenset[str]) -> Iterator[Site]:
    yield Template((*path, "key"), remember.key, known)
    yield from site.tree(remember.value, (*path, "value"), known)
    if remember.reference:
        yield Template((*path, "reference"), remember.reference, known)


def _lookup(lookup: Lookup, path: Path, known: frozenset[str]) -> Iterator[Site]:
    for name, text in (("key", lookup.key), ("reference", lookup.reference)):
        if text is not None:
            yield Template((*path, name), text, known)


def _on_error(on_error: OnError, path: Path, known: frozenset[str]) -> Iterator[Site]:
    yield from site.tree(on_error.use, (*path, "use"), known)
    if on_error.respond:
        yield from site.respond(on_error.respond, (*path, "respond"), known)
