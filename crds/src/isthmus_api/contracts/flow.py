"""Flow: which calls a Route makes, what it sends with each, and what it reads of each answer.

The steps are followed without running them. A branch is looked at with everything that any step
leads into it, again and again until nothing new comes in; so the work grows with the Route and not
with the ways through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from isthmus_api.contracts import reading, sent
from isthmus_api.contracts.reading import WHOLE, Taken
from isthmus_api.contracts.sent import UNKNOWN, Sent
from isthmus_api.contracts.values import NOTHING, OTHER, Origin, State, Value, joined
from isthmus_api.expressions import engine, templates
from isthmus_api.expressions.engine import Fields
from isthmus_api.plan import sites, source_sites, steps
from isthmus_api.plan.site import Inline, MappingUse, Site, Template
from isthmus_api.poll import PollSource
from isthmus_api.problems import Path
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_api.step import Call, Step

_SENDS_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_OTHER_BODIES: Final = frozenset({"form", "multipart", "text"})
_BODIES: Final = _OTHER_BODIES | {"body"}
_MAX_PASSES: Final = 64
"""Branches lie at most 32 deep, and each pass takes what is known one branch further."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is read: at `path` of the Route, or in the Mapping that it uses there."""

    path: Path
    mapping: str = ""
    text: str = ""
    """The expression, with what is around it."""


@dataclass(frozen=True, slots=True)
class Read:
    """A field of an answer is read. `is_whole`: with all that is in it. `is_sure`: the value is
    always the answer of this call, not sometimes something else."""

    fields: tuple[str, ...]
    is_whole: bool
    is_sure: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Use:
    """One call of a Route. `body` is what it sends, as far as that is known."""

    path: Path
    call: Call
    sends_body: bool
    body: Sent
    reads: tuple[Read, ...]


def uses(route: Resource[RouteSpec], resources: Resources) -> tuple[Use, ...]:
    """The calls of a Route whose branches have no cycle, each with all that is read of it."""
    flow = _Flow(route, resources)
    for _ in range(_MAX_PASSES):
        before = flow.known
        flow.follow()
        if flow.known == before:
            break
    return flow.uses()


class _Flow:
    """What is known so far of the branches, and what the last pass saw of the calls."""

    def __init__(self, route: Resource[RouteSpec], resources: Resources) -> None:
        self._spec = route.spec
        self._namespace = route.key.namespace
        self._resources = resources
        self._feeds = bool(resources.fed_by(route.key.namespace, route.key.name))
        self.entered: dict[str, State] = {}
        self.left: dict[str, State | None] = {}
        self._calls: dict[Path, tuple[Call, Value]] = {}
        self._reads: dict[Path, dict[Read, None]] = {}

    @property
    def known(self) -> tuple[dict[str, State], dict[str, State | None]]:
        """What passes add to."""
        return dict(self.entered), dict(self.left)

    def follow(self) -> None:
        """Go through the Route once."""
        self._calls, self._reads = {}, {}
        end = self._steps(self._spec.steps, ("spec", "steps"), self._source())
        for name, found in self._spec.branches.items():
            if name in self.entered:
                path = ("spec", "branches", name)
                self.left[name] = self._steps(found, path, self.entered[name])
        if end is not None:
            self._result(end)

    def uses(self) -> tuple[Use, ...]:
        """What the last pass saw."""
        return tuple(self._use(path, *found) for path, found in self._calls.items())

    def _use(self, path: Path, call: Call, body: Value) -> Use:
        written = call.written()
        sends = call.method in _SENDS_BODY or "body" in written
        shape = sent.of_tree(call.body) if "body" in written else body.made
        if not _OTHER_BODIES.isdisjoint(written):
            sends = False  # documents are compared where they are JSON
        reads = tuple(self._reads.get(path, ()))
        return Use(path, call, sends, shape if sends else UNKNOWN, tuple(_furthest(reads)))

    # The source

    def _source(self) -> State:
        """The body of messages as the source makes them."""
        poll = self._spec.source.poll
        record = self._poll(poll) if poll else OTHER
        for site in source_sites.sites(self._spec):
            if _is_of_record(site) and not _is_everything(site):
                self._site(site, State(record))
        return State(record)

    def _poll(self, poll: PollSource) -> Value:
        path: Path = ("spec", "source", "poll")
        page = State(self._called(poll.call, (*path, "call"), State(OTHER)))
        if poll.document:  # its records are no JSON that a document of the vendor describes
            return OTHER
        for site in source_sites.sites(self._spec):
            if site.path[:4] == (*path, "pagination") and not _is_of_record(site):
                self._site(site, page)
        return self._value(Template((*path, "records"), poll.records, frozenset()), page)

    # Steps

    def _steps(self, found: tuple[Step, ...], path: Path, state: State | None) -> State | None:
        for index, step in enumerate(found):
            if state is None:
                return None
            state = self._step(step, (*path, index), state)
        return state

    def _step(self, step: Step, path: Path, state: State) -> State | None:
        kept = {(*path, "map", "expression"), (*path, "split", "items")}
        kept |= {(*path, "map", "mapping"), (*path, "aggregate", "expression")}
        for site in sites.own(step, path, frozenset()):
            if site.path not in kept:
                self._site(site, state)
        if step.respond:
            if "body" not in step.respond.written():
                self._take(Taken(state.body, WHOLE), Place((*path, "respond")))
            return None
        if step.choice:
            return self._choice(step, path, state)
        result = self._result_of(step, path, state)
        if result is None:
            return state
        if step.on_error and "use" in step.on_error.written():
            result = result.or_else(replace(NOTHING, made=sent.of_tree(step.on_error.use)))
        return state.bind(step.into, result) if step.into else replace(state, body=result)

    def _result_of(self, step: Step, path: Path, state: State) -> Value | None:
        """What a step gives; nothing where it leaves the body as it is."""
        if step.call:
            return self._called(step.call, (*path, "call"), state)
        if step.map and step.map.mapping:
            at = (*path, "map", "mapping")
            return self._value(MappingUse(at, step.map.mapping, frozenset()), state)
        if step.map and step.map.expression:
            at = (*path, "map", "expression")
            return self._value(Inline(at, step.map.expression, frozenset()), state)
        if step.aggregate:
            at = (*path, "aggregate", "expression")
            return self._value(Template(at, step.aggregate.expression, frozenset()), state)
        if step.split:
            at = (*path, "split", "items")
            items = self._value(Template(at, step.split.items, frozenset()), state)
            left = self._branch(step.split.branch, replace(state, body=items))
            return left.body if left else NOTHING
        if step.scatter:
            left_by = {name: self._branch(name, state) for name in step.scatter.branches}
            return Value(parts={name: end.body for name, end in left_by.items() if end})
        return OTHER if step.lookup else None

    def _called(self, call: Call, path: Path, state: State) -> Value:
        if call.method in _SENDS_BODY and _BODIES.isdisjoint(call.written()):
            self._take(Taken(state.body, WHOLE), Place(path))
        self._calls[path] = (call, state.body)
        if call.answer and call.answer.as_ in ("text", "base64"):
            return OTHER
        return Value(frozenset({Origin(path)}))

    def _choice(self, step: Step, path: Path, state: State) -> State | None:
        named = [use.branch for use in steps.uses(step, path)]
        ends = [self._branch(name, state) for name in named]
        if step.choice and not step.choice.otherwise:
            ends.append(state)
        end = joined(iter(ends))
        if end is None or step.into is None:
            return end
        return replace(end, body=state.body).bind(step.into, end.body)

    def _branch(self, name: str, state: State) -> State | None:
        """What a branch leads to, as far as it is known by now."""
        self.entered[name] = state.or_else(self.entered.get(name, state))
        return self.left.get(name)

    def _result(self, end: State) -> None:
        """What becomes of the body after the last step."""
        last: Path = ("spec", "steps", len(self._spec.steps) - 1)
        if not self._spec.source.is_asynchronous or self._feeds:
            self._take(Taken(end.body, WHOLE), Place(last))
        batch = self._spec.delivery and self._spec.delivery.batch
        if batch and batch.failures:
            at = ("spec", "delivery", "batch", "failures")
            self._site(Template(at, batch.failures, frozenset()), end)

    # Expressions

    def _value(self, site: Site, state: State) -> Value:
        """The value of a site whose result is kept; only what it reads on the way is noted."""
        match site:
            case MappingUse():
                mapping = self._resources.mapping(self._namespace, site.mapping)
                if mapping is None:
                    return OTHER
                spec = mapping.spec
                place = Place(site.path, site.mapping, spec.expression)
                return self._noted(reading.outcome(spec.expression, state, spec.tables), place)
            case Inline():
                return self._noted(
                    reading.outcome(site.text, state), Place(site.path, text=site.text)
                )
            case Template():
                sources = list(_sources(site.text))
                if len(sources) != 1:
                    return OTHER
                found = reading.outcome(sources[0], state)
                return self._noted(found, Place(site.path, text=site.text))

    def _noted(self, found: reading.Outcome, place: Place) -> Value:
        for taken in found.taken:
            self._take(taken, place)
        return found.result

    def _site(self, site: Site, state: State) -> None:
        """Note what a site reads, its result with all that is in it."""
        match site:
            case Template():
                for source in _sources(site.text):
                    place = Place(site.path, text=site.text)
                    result = self._noted(reading.outcome(source, state), place)
                    self._take(Taken(result, WHOLE), place)
            case _:
                self._value(site, state)

    def _take(self, taken: Taken, place: Place) -> None:
        """Note a read with the calls whose answers it may be of."""
        for fields, is_whole in _leaves(taken.fields):
            value = taken.value
            for name in fields:
                value = value.at(name)
            sure = len(value.origins) == 1 and not value.is_other
            for origin in value.origins:
                read = Read(origin.fields, is_whole, sure, place)
                self._reads.setdefault(origin.call, {})[read] = None
            if is_whole:
                for part in value.parts.values():
                    self._take(Taken(part, WHOLE), place)


def _furthest(reads: tuple[Read, ...]) -> Iterator[Read]:
    """The reads of each place without those that a further one includes."""
    included = {
        (read.place, read.fields[:count])
        for read in reads
        for count in range(len(read.fields) + read.is_whole)
    }
    for read in reads:
        if read.is_whole or (read.place, read.fields) not in included:
            yield read


def _leaves(fields: Fields, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    if fields.whole or not fields.fields:
        if path or fields.whole:
            yield path, fields.whole
        return
    for name, inner in fields.fields.items():
        yield from _leaves(inner, (*path, name))


def _sources(text: str) -> Iterator[str]:
    try:
        yield from (hole.source for hole in templates.parse(text).holes)
    except engine.ExpressionError:
        return


def _is_of_record(site: Site) -> bool:
    """Whether a site of the source looks at a message, or at the record that becomes one."""
    of_poll = site.path[3:4] in (("watermark",), ("changeDetection",)) or (
        site.path[3:5] == ("pagination", "keyset")
    )
    return of_poll or site.path[:2] == ("spec", "message")


def _is_everything(site: Site) -> bool:
    """Whether a site takes the whole body for what it is, as comparing records does."""
    return isinstance(site, Template) and [s.strip() for s in _sources(site.text)] == ["$"]
