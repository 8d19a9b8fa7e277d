"""The tests of a Route: the compiled Route on a request, with Connectors that answer from a script.

Only the network is made up. Sign-in, retries, time-outs and fall-backs are those of production, in
time that does not pass.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from isthmus_api.comparison import NOTHING, Failure, compared
from isthmus_api.expressions.templates import as_text
from isthmus_api.plan import RoutePlan
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_api.route_case import Expectation, ExpectedCall, RouteTest, TestRequest
from isthmus_cli.cases import Case, case
from isthmus_runtime import faults, testing, tracing
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Header, Request, Response
from isthmus_runtime.route import Route
from isthmus_runtime.table import Match, Table
from isthmus_runtime.testing import MadeCall, NoAnswer, ScriptedAnswers

_NO_REQUEST = TestRequest.model_validate({})


class _UnsoundTest(Exception):
    """The test itself cannot be run; the message says what to write."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a Route did with a request. `fault` says why its answer is a problem document."""

    response: Response
    fault: Fault | None = None


def cases(route: Resource[RouteSpec], plan: RoutePlan) -> Iterator[Case]:
    """The tests of a Route that has no errors."""
    for index, test in enumerate(route.spec.tests):
        check = partial(_check, plan, test)
        yield case(route, index=index, name=test.name, check=check)


def _check(plan: RoutePlan, test: RouteTest) -> list[Failure]:
    script = ScriptedAnswers(test.answers)
    try:
        outcome = testing.run(_answered(plan, test.request or _NO_REQUEST, script))
    except _UnsoundTest as error:
        return [Failure(str(error))]
    except NoAnswer:
        return [Failure(_no_answer(call)) for call in script.unanswered]
    failures = [*_calls(test.expect, script.calls), *_answer(test.expect, outcome.response)]
    return failures + _reasons(outcome, script) if failures else []


def _no_answer(call: MadeCall) -> str:
    return (
        f"the call {call} had no answer left; add one to this test's answers, such as "
        f"{{connector: {call.connector}, body: {{}}}}"
    )


def _reasons(outcome: _Outcome, script: ScriptedAnswers) -> list[Failure]:
    """What may explain why a test failed."""
    notes = [
        Failure(f"note: an answer of the Connector {answer.connector} was not asked for")
        for answer in script.unused
    ]
    if outcome.fault:
        step = f" in the step {outcome.fault.step}" if outcome.fault.step else ""
        fault = f"{outcome.fault.reason}: {outcome.fault.detail}"
        notes.append(Failure(f"note: the Route failed{step}: {fault}"))
    return notes


async def _answered(plan: RoutePlan, request: TestRequest, script: ScriptedAnswers) -> _Outcome:
    """Send one request to a Route that nothing else has used."""
    registry = Registry(testing.Placeholders(), script.transport)
    route = Route(plan, registry.of(plan))
    sent = _request(plan, request)
    found = Table([route]).find(sent.head.method, sent.head.path)
    if not isinstance(found, Match):
        raise _UnsoundTest(f"the Route does not take the path {sent.head.path}")
    trace = tracing.of(sent.head.headers)
    try:
        return _Outcome(await route.answer(sent, found.params, trace))
    except Fault as fault:
        answer = faults.response(fault, route=route.name, correlation_id=trace.correlation_id)
        return _Outcome(answer, fault)


def _request(plan: RoutePlan, request: TestRequest) -> Request:
    http = plan.source.http
    if http is None:
        raise _UnsoundTest("only Routes with an http source can be tested")
    path = _path(http.path, request.params)
    query = "&".join(_parameters(request.query))
    target = f"{path}?{query}" if query else path
    head = Head(http.method, target.encode(), path, query, _request_headers(request))
    return Request(head, _json(request.body) if _has_body(request) else b"")


def _path(path: str, params: Mapping[str, str]) -> str:
    segments = [
        _param(segment[1:-1], path, params) if segment.startswith("{") else segment
        for segment in path.split("/")
    ]
    return "/".join(segments)


def _param(name: str, path: str, params: Mapping[str, str]) -> str:
    if not params.get(name):
        raise _UnsoundTest(
            f"the path {path} needs a value for {name}; write request: {{params: {{{name}: …}}}}"
        )
    return quote(params[name], safe="")


def _parameters(query: Mapping[str, Any]) -> Iterator[str]:
    for name, texts in _texts(query).items():
        for text in texts:
            yield f"{quote(name, safe='')}={quote(text, safe='')}"


def _texts(query: Mapping[str, Any]) -> dict[str, list[str]]:
    """Query parameters as the lists of texts that are sent."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    texts = {
        name: [as_text(item) for item in values if item is not None]
        for name, values in listed.items()
    }
    return {name: values for name, values in texts.items() if values}


def _has_body(request: TestRequest) -> bool:
    return "body" in request.written()


def _json(value: Any) -> bytes:
    try:
        return testing.as_json(value)
    except ValueError as error:
        raise _UnsoundTest(f"the request's body is no JSON: {error}") from error


def _request_headers(request: TestRequest) -> list[Header]:
    fields = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    named = {name for name, _ in fields}
    if b"host" not in named:
        fields.append((b"host", b"localhost"))
    if _has_body(request) and b"content-type" not in named:
        fields.append((b"content-type", b"application/json"))
    return fields


def _calls(expect: Expectation, made: list[MadeCall]) -> Iterator[Failure]:
    """The calls, one by one; where their number differs, which are missing or too many."""
    if expect.calls is None:
        return
    for number, (expected, call) in enumerate(zip(expect.calls, made, strict=False), 1):
        yield from _call(f"call {number} ({call.method} {call.path})", expected, call)
    for number, missing in enumerate(expect.calls[len(made) :], len(made) + 1):
        what = " ".join(part for part in (missing.method, missing.path) if part) or "a call"
        yield Failure(f"call {number} was not made: {what} of the Connector {missing.connector}")
    for number, call in enumerate(made[len(expect.calls) :], len(expect.calls) + 1):
        yield Failure(f"call {number} was not expected: {call}")


def _call(what: str, expected: ExpectedCall, call: MadeCall) -> Iterator[Failure]:
    yield from compared(f"{what}: the Connector", expected.connector, call.connector)
    if expected.method is not None:
        yield from compared(f"{what}: the method", expected.method, call.method)
    if expected.path not in (None, call.path, unquote(call.path)):
        yield from compared(f"{what}: the path", expected.path, call.path)
    if expected.query is not None:
        yield from compared(
            f"{what}: the query", _unlisted(_texts(expected.query)), _unlisted(call.query)
        )
    yield from _headers(what, expected.headers, call.headers)
    if "body" in expected.written():
        yield from compared(f"{what}: the body", expected.body, _value(call.body))


def _answer(expect: Expectation, answer: Response) -> Iterator[Failure]:
    if expect.status is not None:
        yield from compared("the status", expect.status, answer.status)
    yield from _headers("the answer", expect.headers, answer.headers)
    if "body" in expect.written():
        yield from compared("the body", expect.body, _value(answer.body))


def _headers(
    what: str, expected: Mapping[str, str] | None, actual: list[Header] | tuple[Header, ...]
) -> Iterator[Failure]:
    for name, value in (expected or {}).items():
        found = [held.decode("latin-1") for key, held in actual if key == name.lower().encode()]
        yield from compared(
            f"{what}: the header {name}", value, ", ".join(found) if found else NOTHING
        )


def _unlisted(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Parameters as people write them: a list only where one comes several times."""
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in query.items()}


def _value(body: bytes) -> Any:
    """A body as JSON; as text where it is none, and null where there is nothing."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
