"""The tests of a Route: compiled, on a request or on a message, with Connectors that answer from a
script and stores that hold what the test says.

Only the network and the journal are made up. Sign-in, retries, time-outs and fall-backs are those
of production, in time that does not pass.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from isthmus_api.comparison import Failure
from isthmus_api.plan import RoutePlan
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_api.route_case import RouteTest
from isthmus_cli import message_cases, request_cases
from isthmus_cli.cases import Case, case
from isthmus_cli.sent_requests import UnsoundTest
from isthmus_runtime.shared_tables import SharedTables
from isthmus_runtime.testing import MadeCall, NoAnswer, ScriptedAnswers


def cases(route: Resource[RouteSpec], plan: RoutePlan, tables: SharedTables) -> Iterator[Case]:
    """The tests of a Route that has no errors."""
    for index, test in enumerate(route.spec.tests):
        check = partial(_check, plan, test, tables)
        yield case(route, index=index, name=test.name, check=check)


def behaviour(plan: RoutePlan, test: RouteTest, tables: SharedTables) -> dict[str, Any]:
    """All that a Route does with a test, as JSON, whatever the test expects."""
    script = ScriptedAnswers(test.answers)
    observe = message_cases.behaviour if plan.source.is_asynchronous else request_cases.behaviour
    did: dict[str, Any] = {}
    try:
        did = observe(plan, test, script, tables)
    except UnsoundTest as error:
        return {"error": str(error)}
    except NoAnswer:
        pass  # it is among the unanswered
    if script.unanswered:
        return {"error": _no_answer(script.unanswered[0])}
    return did


def _check(plan: RoutePlan, test: RouteTest, tables: SharedTables) -> list[Failure]:
    script = ScriptedAnswers(test.answers)
    check = message_cases.check if plan.source.is_asynchronous else request_cases.check
    try:
        failures = check(plan, test, script, tables)
    except UnsoundTest as error:
        return [Failure(str(error))]
    except NoAnswer:
        failures = []
    if script.unanswered:
        return [Failure(_no_answer(call)) for call in script.unanswered]
    return failures + _unused(script) if failures else []


def _no_answer(call: MadeCall) -> str:
    return (
        f"the call {call} had no answer left; add one to this test's answers, such as "
        f"{{connector: {call.connector}, body: {{}}}}"
    )


def _unused(script: ScriptedAnswers) -> list[Failure]:
    """What may explain why a test failed."""
    return [
        Failure(f"note: an answer of the Connector {answer.connector} was not asked for")
        for answer in script.unused
    ]
