"""Trials: tests and samples, through both sides.

The tests are those of the new side, of Mappings and Routes that are on both and whose makings
differ. A test says more here than whether it passes: fields that it does not expect are held
against each other as well.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from isthmus_api.mapping import MappingTest
from isthmus_api.resources import Key
from isthmus_api.route_case import RouteTest
from isthmus_cli.diffs import fields
from isthmus_cli.diffs.behaviours import Behaviours
from isthmus_cli.diffs.fields import Change
from isthmus_cli.diffs.samples import Sample
from isthmus_cli.diffs.sides import Side, Sides

Run = Callable[[Behaviours], Any]
"""What one side makes of the message of a trial, as JSON."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One message for one object."""

    key: Key
    name: str
    kind: str
    """`test` or `sample`."""
    run: Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial came out; without changes both sides do the same."""

    trial: Trial
    changes: tuple[Change, ...]


def outcomes(
    sides: Sides, samples: Iterable[Sample], *, refused: frozenset[Key], now: int
) -> Iterator[Outcome]:
    """Every trial whose objects differ; `refused` are Routes that do not run as they are now."""
    old, new = (Behaviours(side, now=now) for side in (sides.old, sides.new))
    for trial in (*_tests(sides.new), *map(_of_sample, samples)):
        if trial.key not in refused and _is_of_both(trial.key, old, new):
            yield Outcome(trial, tuple(_changes(trial, old, new)))


def _is_of_both(key: Key, old: Behaviours, new: Behaviours) -> bool:
    """Whether an object is on both sides and may behave otherwise on each."""
    makings = [each.makings(key) for each in (old, new)]
    if None in makings or makings[0] == makings[1]:
        return False
    return key not in new.side.plans or (old.runs(key) and new.runs(key))


def _changes(trial: Trial, old: Behaviours, new: Behaviours) -> Iterator[Change]:
    came_out = trial.run(new)
    found = list(fields.changes(trial.run(old), came_out))
    if found:
        # What differs between two runs of one side is the clock's, or chance.
        unsteady = {each.path for each in fields.changes(came_out, trial.run(new))}
        yield from (each for each in found if each.path not in unsteady)


def _tests(side: Side) -> Iterator[Trial]:
    for mapping in side.resources.mappings():
        for case in mapping.spec.tests:
            yield Trial(mapping.key, case.name, "test", _maps(mapping.key, case))
    for route in side.resources.routes():
        for test in route.spec.tests:
            yield Trial(route.key, test.name, "test", _does(route.key, test))


def _of_sample(sample: Sample) -> Trial:
    def run(behaviours: Behaviours) -> Any:
        return behaviours.of_mapping(sample.key, sample.body, sample.variables)

    return Trial(sample.key, sample.name, "sample", run)


def _maps(key: Key, test: MappingTest) -> Run:
    return lambda behaviours: behaviours.of_mapping_test(key, test)


def _does(key: Key, test: RouteTest) -> Run:
    return lambda behaviours: behaviours.of_route(key, test)
