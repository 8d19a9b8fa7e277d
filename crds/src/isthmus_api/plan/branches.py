"""Branches of a Route: each is there, each is used, and none leads back to itself."""

from collections.abc import Iterable, Iterator, Mapping

from isthmus_api.plan import steps
from isthmus_api.plan.steps import Use
from isthmus_api.problems import Code, Problem
from isthmus_api.route import RouteSpec

Edges = Mapping[str, tuple[Use, ...]]
"""The branches that each branch names."""


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Everything that is wrong with the branches of a Route."""
    start, *branches = (
        tuple(use for index, step in enumerate(found) for use in steps.uses(step, (*path, index)))
        for path, found in steps.lists(spec)
    )
    edges = dict(zip(spec.branches, branches, strict=True))
    yield from _missing((*start, *(use for found in branches for use in found)), edges)
    yield from _cycles(edges)
    yield from _unused(start, edges)


def reached(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """The branches that `start` leads to, itself included."""
    found: set[str] = set()
    ahead = list(start)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += edges.get(name, ())
    return found


def _missing(found: tuple[Use, ...], edges: Edges) -> Iterator[Problem]:
    for use in found:
        if use.branch not in edges:
            known = ", ".join(edges) or "none yet"
            yield Problem(
                Code.BRANCH_NOT_FOUND,
                f"there is no branch '{use.branch}'",
                hint=f"add it to spec.branches; there are: {known}",
                path=use.path,
            )


def _cycles(edges: Edges) -> Iterator[Problem]:
    """Follow every use once, with the branches on the way to it."""
    done: set[str] = set()
    for name in edges:
        trail = [name]
        ahead = [iter(() if name in done else edges[name])]
        while ahead:
            use = next(ahead[-1], None)
            if use is None:
                ahead.pop()
                done.add(trail.pop())
            elif use.branch in trail:
                yield _cycle((*trail[trail.index(use.branch) :], use.branch), use)
            elif use.branch in edges and use.branch not in done:
                trail.append(use.branch)
                ahead.append(iter(edges[use.branch]))


def _cycle(circle: tuple[str, ...], use: Use) -> Problem:
    return Problem(
        Code.BRANCH_CYCLE,
        f"the branches lead back to themselves: {' -> '.join(circle)}",
        hint="a Route must end; let the last branch name another one, or none",
        path=use.path,
    )


def _unused(start: tuple[Use, ...], edges: Edges) -> Iterator[Problem]:
    named = {name: [use.branch for use in found] for name, found in edges.items()}
    used = reached((use.branch for use in start), named)
    for name in edges:
        if name not in used:
            yield Problem(
                Code.BRANCH_UNUSED,
                f"no step leads to the branch '{name}'",
                hint="name it in a choice, split or scatter, or remove it",
                path=("spec", "branches", name),
            )
