"""The shape of a Route: its steps can all be reached, and its names are its own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from isthmus_api.expressions import builtins
from isthmus_api.plan import branches, scope, steps
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_api.step import Step


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Everything that is wrong with the shape of a Route."""
    for path, found in steps.lists(spec):
        yield from _after_the_answer(found, path)
    hidden = scope.hidden_by(spec) | builtins.NAMES
    for path, step in steps.each(spec):
        yield from _variable(step, path, hidden)
        yield from _results(step, path)
        yield from _unsendable(step, path)
    yield from _answers_in_parallel(spec)
    yield from _params(spec)
    yield from _exposed(spec)


def _after_the_answer(found: tuple[Step, ...], path: Path) -> Iterator[Problem]:
    for index, step in enumerate(found[:-1]):
        if step.respond:
            yield Problem(
                Code.STEP_UNREACHABLE,
                "no step is reached after respond, which ends the Route",
                hint="move respond to the end, or into a branch of a choice",
                path=(*path, index + 1),
            )


def _variable(step: Step, path: Path, hidden: frozenset[str]) -> Iterator[Problem]:
    if step.into in hidden:
        yield Problem(
            Code.NAME_CLASH,
            f"the variable '{step.into}' would hide ${step.into}, which expressions know already",
            hint="choose another name",
            path=(*path, "into"),
        )


def _results(step: Step, path: Path) -> Iterator[Problem]:
    """A scatter gathers by name, so a branch that it names twice has one result."""
    seen: set[str] = set()
    for use in steps.uses(step, path):
        if use.verb == "scatter" and use.branch in seen:
            yield Problem(
                Code.NAME_CLASH,
                f"the scatter names the branch '{use.branch}' twice",
                hint="name each branch once",
                path=use.path,
            )
        seen.add(use.branch)


def _unsendable(step: Step, path: Path) -> Iterator[Problem]:
    """What is written in full and can never be sent; the runtime judges what expressions give."""
    call = step.call
    if call is None:
        return
    if "{%" not in call.path and {".", ".."} & set(call.path.partition("?")[0].split("/")):
        yield Problem(
            Code.INVALID_VALUE,
            f"the path '{call.path}' has a segment . or ..",
            hint="write the path that it leads to",
            path=(*path, "call", "path"),
        )
    for name, value in call.headers.items():
        if "{%" not in value and any(c in "\r\n\0" or ord(c) > 255 for c in value):
            yield Problem(
                Code.INVALID_VALUE,
                f"the header '{name}' holds a line break or a character beyond latin-1",
                hint="a header is one line; encode other text",
                path=(*path, "call", "headers", name),
            )


def _answers_in_parallel(spec: RouteSpec) -> Iterator[Problem]:
    """A branch that runs several times, or beside another, cannot give the one answer."""
    if spec.source.is_asynchronous:
        return  # nobody gets an answer from there at all
    for name in sorted(parallel_branches(spec)):
        for index, step in enumerate(spec.branches.get(name, ())):
            answers = step.respond or (step.on_error and step.on_error.respond)
            if answers:
                yield Problem(
                    Code.STEP_UNREACHABLE,
                    f"the branch '{name}' runs in parallel, so it cannot answer the caller",
                    hint="bind the result, and respond after the split or scatter",
                    path=("spec", "branches", name, index),
                )


def parallel_branches(spec: RouteSpec) -> set[str]:
    """Branches that a split or scatter runs, directly or through a choice."""
    uses = [use for _, step in steps.each(spec) for use in steps.uses(step)]
    alternatives = {
        name: [use.branch for step in found for use in steps.uses(step) if use.verb == "choice"]
        for name, found in spec.branches.items()
    }
    return branches.reached((use.branch for use in uses if use.verb != "choice"), alternatives)


def _params(spec: RouteSpec) -> Iterator[Problem]:
    endpoint = spec.source.endpoint
    if endpoint is None:
        return
    at = _path_of(spec)
    segments = endpoint.path.split("/")
    for segment in segments:
        if "{" in segment and not (segment.startswith("{") and segment.count("{") == 1):
            yield Problem(
                Code.INVALID_VALUE,
                f"'{segment}' mixes text and a variable",
                hint="a variable takes a whole segment: /orders/{id}/lines",
                path=at,
            )
    variables = [segment for segment in segments if segment.startswith("{")]
    for variable in sorted({v for v in variables if variables.count(v) > 1}):
        yield Problem(
            Code.NAME_CLASH,
            f"the path names {variable} twice",
            hint="give each variable a name of its own",
            path=at,
        )


def _path_of(spec: RouteSpec) -> Path:
    """Where the path is written that callers use."""
    return ("spec", "source", "http" if spec.source.http else "webhook", "path")


def _exposed(spec: RouteSpec) -> Iterator[Problem]:
    """What a prefix leads to the Route must be able to reach its source."""
    if spec.expose is None:
        return
    if spec.source.endpoint is None:
        yield Problem(
            Code.MISPLACED,
            "nobody calls this Route, so there is nothing to expose",
            hint="remove it: only sources http and webhook have a path",
            path=("spec", "expose"),
        )
        return
    prefix, served = spec.expose.path_prefix, spec.source.endpoint.path
    if prefix is None:
        return
    wanted = [segment for segment in prefix.split("/") if segment]
    given = [segment for segment in served.split("/") if segment]
    pairs = zip(wanted, given, strict=False)
    reached = len(wanted) <= len(given) and all(a == b or b.startswith("{") for a, b in pairs)
    if not reached:
        yield Problem(
            Code.INVALID_VALUE,
            f"nothing that begins with '{prefix}' reaches the source's path '{served}'",
            hint="write how the source's path begins, or leave it out",
            path=("spec", "expose", "pathPrefix"),
        )


def path_clashes(routes: Iterable[Resource[RouteSpec]]) -> Iterator[Problem]:
    """Routes of one set that would take the same requests."""
    taken: dict[tuple[str, str], Resource[RouteSpec]] = {}
    for route in routes:
        for method, served in _requests(route.spec):
            place = (method, "/".join(_anonymous(segment) for segment in served.split("/")))
            first = taken.setdefault(place, route)
            if first is not route:
                problem = Problem(
                    Code.PATH_CLASH,
                    f"{method} {served} is taken by {first.key} already",
                    hint="served side by side, each Route needs a method and path of its own",
                    subject=str(route.key),
                    path=_path_of(route.spec),
                )
                yield replace(problem, location=route.origin.locate(problem.path))


def _requests(spec: RouteSpec) -> Iterator[tuple[str, str]]:
    """The methods and paths that a Route takes; a challenge may have a method of its own."""
    endpoint, webhook = spec.source.endpoint, spec.source.webhook
    if endpoint:
        yield endpoint.method, endpoint.path
    if webhook and webhook.challenge and webhook.challenge.method:
        yield webhook.challenge.method, webhook.path


def _anonymous(segment: str) -> str:
    return "{}" if segment.startswith("{") else segment
