"""The steps of a Route with their paths, and the branches that a step names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from isthmus_api.problems import Path
from isthmus_api.route import RouteSpec
from isthmus_api.step import Step


def lists(spec: RouteSpec) -> Iterator[tuple[Path, tuple[Step, ...]]]:
    """The lists of steps: the Route's own, and each branch."""
    yield ("spec", "steps"), spec.steps
    for name, steps in spec.branches.items():
        yield ("spec", "branches", name), steps


def each(spec: RouteSpec) -> Iterator[tuple[Path, Step]]:
    """All steps, those of branches included."""
    for path, steps in lists(spec):
        for index, step in enumerate(steps):
            yield (*path, index), step


@dataclass(frozen=True, slots=True)
class Use:
    """A step names a branch."""

    verb: Literal["choice", "split", "scatter"]
    branch: str
    path: Path


def uses(step: Step, path: Path = ()) -> Iterator[Use]:
    """The branches that a step names."""
    if step.choice:
        for number, when in enumerate(step.choice.when):
            yield Use("choice", when.branch, (*path, "choice", "when", number, "branch"))
        if step.choice.otherwise:
            yield Use("choice", step.choice.otherwise, (*path, "choice", "otherwise"))
    if step.split:
        yield Use("split", step.split.branch, (*path, "split", "branch"))
    if step.scatter:
        for number, branch in enumerate(step.scatter.branches):
            yield Use("scatter", branch, (*path, "scatter", "branches", number))
