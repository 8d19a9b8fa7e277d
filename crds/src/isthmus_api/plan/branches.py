"""Branches of a Route: each is there, each is used, and none leads back to itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from isthmus_api.problems import Code, Path, Problem
from isthmus_api.route import RouteSpec, Step


@dataclass(frozen=True, slots=True)
class Use:
    """A step names a branch."""

    path: Path
    branch: str


def uses(steps: tuple[Step, ...], path: Path) -> Iterator[Use]:
    """The branches that `steps` name."""
    for index, step in enumerate(steps):
        at = (*path, index)
        if step.choice:
            for number, when in enumerate(step.choice.when):
                yield Use((*at, "choice", "when", number, "branch"), when.branch)
            if step.choice.otherwise:
                yield Use((*at, "choice", "otherwise"), step.choice.otherwise)
        if step.split:
            yield Use((*at, "split", "branch"), step.split.branch)
        if step.scatter:
            for number, branch in enumerate(step.scatter.branches):
                yield Use((*at, "scatter", "branches", number), branch)


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Everything that is wrong with the branches of a Route."""
    edges = {
        name: tuple(uses(steps, ("spec", "branches", name)))
        for name, steps in spec.branches.items()
    }
    start = tuple(uses(spec.steps, ("spec", "steps")))
    yield from _missing((*start, *(use for found in edges.values() for use in found)), edges)
    yield from _cycles(edges)
    yield from _unused(start, edges)


def _missing(found: tuple[Use, ...], edges: Mapping[str, object]) -> Iterator[Problem]:
    for use in found:
        if use.branch not in edges:
            known = ", ".join(edges) or "none yet"
            yield Problem(
                Code.BRANCH_NOT_FOUND,
                f"there is no branch '{use.branch}'",
                hint=f"add it to spec.branches; there are: {known}",
                path=use.path,
            )


def _cycles(edges: Mapping[str, tuple[Use, ...]]) -> Iterator[Problem]:
    done: set[str] = set()

    def follow(use: Use, trail: tuple[str, ...]) -> Iterator[Problem]:
        if use.branch in trail:
            circle = " -> ".join((*trail[trail.index(use.branch) :], use.branch))
            yield Problem(
                Code.BRANCH_CYCLE,
                f"the branches lead back to themselves: {circle}",
                hint="a Route must end; let the last branch name another one, or none",
                path=use.path,
            )
        elif use.branch not in done:
            for following in edges.get(use.branch, ()):
                yield from follow(following, (*trail, use.branch))
            done.add(use.branch)

    for name, found in edges.items():
        if name not in done:
            for use in found:
                yield from follow(use, (name,))
            done.add(name)


def _unused(start: tuple[Use, ...], edges: Mapping[str, tuple[Use, ...]]) -> Iterator[Problem]:
    reached: set[str] = set()
    ahead = [use.branch for use in start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += (use.branch for use in edges.get(name, ()))
    for name in edges:
        if name not in reached:
            yield Problem(
                Code.BRANCH_UNUSED,
                f"no step leads to the branch '{name}'",
                hint="name it in a choice, split or scatter, or remove it",
                path=("spec", "branches", name),
            )
