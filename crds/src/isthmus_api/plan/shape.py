"""The shape of a Route: its steps can all be reached, and its names are its own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from isthmus_api.expressions import builtins
from isthmus_api.plan.sites import FAILED, PARALLEL, RESERVED
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec, Step


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Everything that is wrong with the shape of a Route."""
    lists: list[tuple[Path, tuple[Step, ...]]] = [(("spec", "steps"), spec.steps)]
    lists += [(("spec", "branches", name), steps) for name, steps in spec.branches.items()]
    for path, steps in lists:
        yield from _after_the_answer(steps, path)
        yield from _names(steps, path)
    yield from _answers_in_parallel(spec)
    yield from _params(spec)


def _after_the_answer(steps: tuple[Step, ...], path: Path) -> Iterator[Problem]:
    for index, step in enumerate(steps[:-1]):
        if step.respond:
            yield Problem(
                Code.STEP_UNREACHABLE,
                "no step is reached after respond, which ends the Route",
                hint="move respond to the end, or into a branch of a choice",
                path=(*path, index + 1),
            )


def _names(steps: tuple[Step, ...], path: Path) -> Iterator[Problem]:
    for index, step in enumerate(steps):
        if step.into in RESERVED | PARALLEL | FAILED | builtins.NAMES:
            yield Problem(
                Code.NAME_CLASH,
                f"the variable '{step.into}' would hide ${step.into}, which expressions know "
                "already",
                hint="choose another name",
                path=(*path, index, "into"),
            )


def _answers_in_parallel(spec: RouteSpec) -> Iterator[Problem]:
    """A branch that runs several times, or beside another, cannot give the one answer."""
    for name in _parallel_branches(spec):
        for index, step in enumerate(spec.branches.get(name, ())):
            answers = step.respond or (step.on_error and step.on_error.respond)
            if answers:
                yield Problem(
                    Code.STEP_UNREACHABLE,
                    f"the branch '{name}' runs in parallel, so it cannot answer the caller",
                    hint="bind the result, and respond after the split or scatter",
                    path=("spec", "branches", name, index),
                )


def _parallel_branches(spec: RouteSpec) -> set[str]:
    """Branches that a split or scatter runs, directly or through a choice."""
    steps = (*spec.steps, *(step for found in spec.branches.values() for step in found))
    ahead = [name for step in steps for name in _parallel(step)]
    found: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += (n for step in spec.branches.get(name, ()) for n in _alternatives(step))
    return found


def _parallel(step: Step) -> tuple[str, ...]:
    if step.split:
        return (step.split.branch,)
    return step.scatter.branches if step.scatter else ()


def _alternatives(step: Step) -> tuple[str, ...]:
    if not step.choice:
        return ()
    branches = tuple(when.branch for when in step.choice.when)
    return (*branches, step.choice.otherwise) if step.choice.otherwise else branches


def _params(spec: RouteSpec) -> Iterator[Problem]:
    if spec.source.http is None:
        return
    segments = spec.source.http.path.split("/")
    for segment in segments:
        if "{" in segment and not (segment.startswith("{") and segment.count("{") == 1):
            yield Problem(
                Code.INVALID_VALUE,
                f"'{segment}' mixes text and a variable",
                hint="a variable takes a whole segment: /orders/{id}/lines",
                path=("spec", "source", "http", "path"),
            )
    variables = [segment for segment in segments if segment.startswith("{")]
    for variable in {v for v in variables if variables.count(v) > 1}:
        yield Problem(
            Code.NAME_CLASH,
            f"the path names {variable} twice",
            hint="give each variable a name of its own",
            path=("spec", "source", "http", "path"),
        )


def path_clashes(routes: Iterable[Resource[RouteSpec]]) -> Iterator[Problem]:
    """Routes of one set that would take the same requests."""
    taken: dict[tuple[str, str], Resource[RouteSpec]] = {}
    for route in routes:
        http = route.spec.source.http
        if http is None:
            continue
        place = (http.method, "/".join(_anonymous(segment) for segment in http.path.split("/")))
        first = taken.setdefault(place, route)
        if first is not route:
            problem = Problem(
                Code.PATH_CLASH,
                f"{http.method} {http.path} is taken by {first.key} already",
                hint="served side by side, each Route needs a method and path of its own",
                subject=str(route.key),
                path=("spec", "source", "http", "path"),
            )
            yield replace(problem, location=route.origin.locate(problem.path))


def _anonymous(segment: str) -> str:
    return "{}" if segment.startswith("{") else segment
