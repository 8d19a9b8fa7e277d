"""Findings: all that is different between two sides. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from isthmus_api.resources import Key
from isthmus_cli.diffs import objects, trials, workloads
from isthmus_cli.diffs.capacity import Share
from isthmus_cli.diffs.objects import ObjectChange
from isthmus_cli.diffs.samples import Sample
from isthmus_cli.diffs.sides import Side, Sides
from isthmus_cli.diffs.trials import Outcome
from isthmus_cli.diffs.workloads import Effect, Workload


@dataclass(frozen=True, slots=True)
class Findings:
    """What differs; `old` and `new` are what all Routes ask a cluster for."""

    objects: tuple[ObjectChange, ...]
    workloads: tuple[Workload, ...]
    outcomes: tuple[Outcome, ...]
    """Every trial, those that came out alike included."""
    old: Share
    new: Share

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.objects or self.workloads or self.differing)

    @property
    def differing(self) -> tuple[Outcome, ...]:
        """The trials that came out differently."""
        return tuple(each for each in self.outcomes if each.changes)

    @property
    def restarts(self) -> int:
        """How many Routes get other pods; each has one more for a while."""
        return sum(each.effect is Effect.RESTARTS for each in self.workloads)

    @property
    def trials(self) -> Counter[str]:
        """How many tests and samples went through both sides."""
        return Counter(each.trial.kind for each in self.outcomes)


def found(sides: Sides, samples: Sequence[Sample], *, now: int) -> Findings:
    """Hold two sides against each other; `now` is in milliseconds since 1970."""
    changed = tuple(workloads.changes(sides))
    kept = {each.key: each.old for each in changed if each.effect is Effect.REFUSED}
    return Findings(
        objects=tuple(objects.changes(sides)),
        workloads=changed,
        outcomes=tuple(trials.outcomes(sides, samples, refused=frozenset(kept), now=now)),
        old=_capacity(sides.old),
        new=_capacity(sides.new, as_they_are=kept),
    )


def _capacity(side: Side, as_they_are: Mapping[Key, Share] = MappingProxyType({})) -> Share:
    """What all Routes ask for; some go on as they are."""
    routes = side.resources.routes()
    return Share.sum(as_they_are.get(each.key, Share.of(each.spec)) for each in routes)
