"""Message cases: a Route that delivers, on one attempt of one message.

The message is as a source would have accepted it: verification and split come before that. In a
test `$message.id` is `test`, and it was accepted at 0.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from isthmus_api.comparison import Failure, compared
from isthmus_api.plan import PlannedFeed, RoutePlan
from isthmus_api.route_case import Expectation, RouteTest, TestMessage
from isthmus_cli import observed, route_differences, sent_requests
from isthmus_cli.sent_requests import UnsoundTest
from isthmus_runtime import testing, tracing
from isthmus_runtime.body import JSON, Body
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.exchange import request_variable
from isthmus_runtime.journal.entries import Draft, Message, Settlement, State
from isthmus_runtime.journalled import JournalledRoute
from isthmus_runtime.secrets import NotedSecrets
from isthmus_runtime.shared_tables import SharedTables
from isthmus_runtime.table import Match, Table
from isthmus_runtime.testing import ScriptedAnswers, ScriptedStore

_ID: Final = "test"
_RESULT: Final = "#result"
"""A fed Route that no name can be: what it would get is the result."""


def check(
    plan: RoutePlan, test: RouteTest, script: ScriptedAnswers, tables: SharedTables
) -> list[Failure]:
    """What comes out differently, and what may explain it."""
    settlement = _tried(plan, test, script, tables)
    failures = [
        *route_differences.calls(test.expect, script.calls),
        *route_differences.entries(test.expect, settlement.memories),
        *_end(test.expect, settlement),
    ]
    return failures + _reasons(settlement) if failures else []


def behaviour(
    plan: RoutePlan, test: RouteTest, script: ScriptedAnswers, tables: SharedTables
) -> dict[str, Any]:
    """All that the Route does with the message of a test, as JSON."""
    settlement = _tried(plan, test, script, tables)
    fed, result = _feeds(settlement)
    return observed.delivering(script.calls, settlement, fed, result and _value(result))


def _tried(
    plan: RoutePlan, test: RouteTest, script: ScriptedAnswers, tables: SharedTables
) -> Settlement:
    message = test.message or TestMessage.model_validate({})
    store = ScriptedStore(test.entries)
    return testing.run(_settled(plan, message, script, store, tables))


def _feeds(settlement: Settlement) -> tuple[list[str], Draft | None]:
    """The Routes that get the result, and what they get; None where there is no result."""
    fed = {draft.route.partition("/")[2]: draft for draft in settlement.feeds}
    result = fed.pop(_RESULT, None)
    return sorted(fed), result


def _end(expect: Expectation, settlement: Settlement) -> Iterator[Failure]:
    if expect.state is not None:
        yield from compared("the state", expect.state, str(settlement.state))
    fed, result = _feeds(settlement)
    if expect.feeds is not None:
        yield from compared("the Routes that get the result", sorted(expect.feeds), fed)
    if "body" in expect.written():
        if result is None:
            yield Failure("there is no result: the message did not finish")
        else:
            yield from compared("the result", expect.body, _value(result))


def _reasons(settlement: Settlement) -> list[Failure]:
    if settlement.state is State.FINISHED:
        return []
    told = f"{settlement.reason}: {settlement.detail}"
    return [Failure(f"note: the message ended {settlement.state}: {told}")]


def _value(draft: Draft) -> Any:
    return json.loads(draft.body) if draft.body else None


async def _settled(
    plan: RoutePlan,
    written: TestMessage,
    script: ScriptedAnswers,
    store: ScriptedStore,
    tables: SharedTables,
) -> Settlement:
    """Attempt one message with a Route that nothing else has used."""
    feeds = {**plan.feeds, _RESULT: PlannedFeed()}
    secrets = NotedSecrets(testing.Placeholders())
    route = JournalledRoute(
        plan.model_copy(update={"feeds": feeds}),
        Registry(secrets, script.transport, sign_in=testing.signed_in).of(plan),
        access=await testing.opened(store),
        secrets=secrets,
        owner=_ID,
        tables=tables,
        guarding=testing.Introduced(written.caller),
    )
    [settlement] = await route.attempt([_message(route, written)])
    return settlement


def _message(route: JournalledRoute, written: TestMessage) -> Message:
    """The message as the journal would have it."""
    request = _request(route, written)
    draft = route.drafter.draft(
        Body(sent_requests.body(written), content_type=JSON),
        trace=tracing.of([]),
        request=request,
        stored=json.dumps(request).encode(),
    )
    identity = _ID if draft.identity == draft.uid else draft.identity
    draft = replace(draft, uid=_ID, identity=identity)
    return Message(
        route=draft.route,
        uid=draft.uid,
        sequence=1,
        token=1,
        identity=draft.identity,
        body=draft.body,
        content_type=draft.content_type,
        request=draft.request,
        key=draft.key,
        version=draft.version,
        correlation_id=draft.correlation_id,
        trace=draft.trace,
        parent=None,
        attempt=written.attempt,
        accepted_at=0.0,
        claimed_at=0.0,
    )


def _request(route: JournalledRoute, written: TestMessage) -> dict[str, Any]:
    """What `$request` is to a message of a webhook; nothing to another."""
    webhook = route.plan.source.webhook
    if webhook is None:
        return {}
    sent = sent_requests.request(webhook, written)
    found = Table(route.endpoints).find(sent.head.method, sent.head.path)
    if not isinstance(found, Match):
        raise UnsoundTest(f"the Route does not take the path {sent.head.path}")
    told = request_variable(sent.head, found.params)
    return told | {"caller": written.caller or {}} if webhook.verify else told
