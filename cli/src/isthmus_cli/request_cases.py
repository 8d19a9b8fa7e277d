"""Request cases: a Route that answers, on one request."""

from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.comparison import Failure
from isthmus_api.plan import RoutePlan
from isthmus_api.route_case import RouteTest, TestRequest
from isthmus_cli import observed, route_differences, sent_requests
from isthmus_cli.sent_requests import UnsoundTest
from isthmus_runtime import faults, testing, tracing
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Response
from isthmus_runtime.route import GuardedRoute, Route
from isthmus_runtime.shared_tables import SharedTables
from isthmus_runtime.stores import Stores
from isthmus_runtime.table import Match, Table
from isthmus_runtime.testing import Introduced, ScriptedAnswers, ScriptedStore

_NO_REQUEST: Final = TestRequest.model_validate({})


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a Route did with a request. `fault` says why its answer is a problem document."""

    response: Response
    fault: Fault | None = None


def check(
    plan: RoutePlan, test: RouteTest, script: ScriptedAnswers, tables: SharedTables
) -> list[Failure]:
    """What comes out differently, and what may explain it."""
    store, outcome = _tried(plan, test, script, tables)
    failures = [
        *route_differences.calls(test.expect, script.calls),
        *route_differences.entries(test.expect, store.written),
        *route_differences.answer(test.expect, outcome.response),
    ]
    return failures + _reasons(outcome.fault) if failures else []


def behaviour(
    plan: RoutePlan, test: RouteTest, script: ScriptedAnswers, tables: SharedTables
) -> dict[str, Any]:
    """All that the Route does with the request of a test, as JSON."""
    store, outcome = _tried(plan, test, script, tables)
    return observed.answering(script.calls, store.written, outcome.response)


def _tried(
    plan: RoutePlan, test: RouteTest, script: ScriptedAnswers, tables: SharedTables
) -> tuple[ScriptedStore, _Outcome]:
    store = ScriptedStore(test.entries)
    request = test.request or _NO_REQUEST
    return store, testing.run(_answered(plan, request, script, store, tables))


def _reasons(fault: Fault | None) -> list[Failure]:
    if fault is None:
        return []
    step = f" in the step {fault.step}" if fault.step else ""
    return [Failure(f"note: the Route failed{step}: {fault.reason}: {fault.detail}")]


async def _answered(
    plan: RoutePlan,
    request: TestRequest,
    script: ScriptedAnswers,
    store: ScriptedStore,
    tables: SharedTables,
) -> _Outcome:
    """Send one request to a Route that nothing else has used."""
    http = plan.source.http
    if http is None:
        raise UnsoundTest("this Route takes messages, not requests")
    registry = Registry(testing.Placeholders(), script.transport, sign_in=testing.signed_in)
    stores = Stores(plan.namespace, lambda: store)
    connectors = registry.of(plan)
    route = (
        GuardedRoute(plan, connectors, stores, tables, guarding=Introduced(request.caller))
        if plan.source.is_guarded
        else Route(plan, connectors, stores, tables)
    )
    sent = sent_requests.request(http, request)
    found = Table([route]).find(sent.head.method, sent.head.path)
    if not isinstance(found, Match):
        raise UnsoundTest(f"the Route does not take the path {sent.head.path}")
    trace = tracing.of(sent.head.headers)
    try:
        return _Outcome(await route.answer(sent, found.params, trace))
    except Fault as fault:
        answer = faults.response(fault, route=route.name, correlation_id=trace.correlation_id)
        return _Outcome(answer, fault)
