"""Trials: the tests of a Route fit its source. What comes of them is shown by running them."""

from collections.abc import Iterator

from isthmus_api.plan import scope
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.route import RouteSpec
from isthmus_api.route_case import RouteTest


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Tests that ask for what a Route with this source does not have."""
    for index, test in enumerate(spec.tests):
        path: Path = ("spec", "tests", index)
        if spec.source.is_asynchronous:
            yield from _of_messages(spec, test, path)
        else:
            yield from _of_requests(spec, test, path)


def _of_messages(spec: RouteSpec, test: RouteTest, path: Path) -> Iterator[Problem]:
    if test.request:
        yield _misplaced(
            "this Route takes messages, not requests",
            "write message: {body: …}",
            (*path, "request"),
        )
    for name in ("status", "headers"):
        if name in test.expect.written():
            yield _misplaced(
                f"this Route answers nobody, so there is no {name}",
                "write state: finished, or another one",
                (*path, "expect", name),
            )
    if "body" in test.expect.written() and scope.is_batched(spec):
        yield _misplaced(
            "the result of a batch belongs to no single message",
            "expect the calls it makes, and a state",
            (*path, "expect", "body"),
        )
    parts = test.message.written() if test.message else {}
    for name in ("params", "query", "headers", "caller"):
        if name in parts and not spec.source.webhook:
            yield _misplaced(
                f"only a message of a webhook has {name}", "remove it", (*path, "message", name)
            )


def _of_requests(spec: RouteSpec, test: RouteTest, path: Path) -> Iterator[Problem]:
    if test.request and test.request.caller is not None and spec.source.is_open:
        yield _misplaced(
            "anybody may call this Route, and nobody has a name",
            "remove it, or write source: {http: {auth: …}}",
            (*path, "request", "caller"),
        )
    if test.message:
        yield _misplaced(
            "this Route takes requests, not messages",
            "write request: {…}",
            (*path, "message"),
        )
    for name in ("state", "feeds"):
        if name in test.expect.written():
            yield _misplaced(
                f"this Route answers its caller, so there is no {name}",
                "expect a status, headers or a body",
                (*path, "expect", name),
            )


def _misplaced(message: str, hint: str, path: Path) -> Problem:
    return Problem(Code.MISPLACED, message, hint=hint, path=path)
