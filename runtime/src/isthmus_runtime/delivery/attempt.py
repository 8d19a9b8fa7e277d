"""Attempt: a message once through the steps of its Route, and how that is to be settled.

Nothing is raised but a cancellation: a drain, or a schedule that gives an earlier message up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from isthmus_api.delivery import Delivery
from isthmus_api.plan import RoutePlan
from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.delivery import policy
from isthmus_runtime.delivery.passage import Passage, Passed
from isthmus_runtime.delivery.policy import Terms, Verdict
from isthmus_runtime.delivery.versions import is_older
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.exchange import IDENTITY
from isthmus_runtime.faults import Fault, Rejected
from isthmus_runtime.http.messages import Header
from isthmus_runtime.journal.entries import Draft, Message, Settlement, State
from isthmus_runtime.tracing import Trace


class Attempts:
    """Attempts messages of one Route, one by one. Where it `detects_changes`, the source must know
    what was delivered last for a key."""

    def __init__(
        self,
        plan: RoutePlan,
        passage: Passage,
        *,
        drafter: Drafter,
        feeds: Sequence[Drafter],
        detects_changes: bool = False,
    ) -> None:
        spec = plan.delivery or Delivery()
        self._passage = passage
        self._drafter = drafter
        self._feeds = feeds
        self._terms = Terms.of(spec)
        self._skips_delivered = spec.skip_if_delivered
        self._detects_changes = detects_changes
        self._variables = {
            "route": {"name": plan.name, "namespace": plan.namespace},
            "env": plan.env,
        }
        self.notes = drafter.is_versioned or self._skips_delivered or self._detects_changes

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]:
        """Attempt each message; how each is settled."""
        return [await self._one(message) for message in messages]

    async def _one(self, message: Message) -> Settlement:
        message = self._completed(message)
        verdict = self._before(message)
        if verdict is not None:
            return self._settled(message, verdict)
        variables = {
            **self._variables,
            "request": _request(message),
            "message": about(message),
            IDENTITY: message.identity,
        }
        passed = await self._passage.through(body(message), variables, trace=trace(message))
        return self._settled(message, self._judged(message, passed.failure, passed), passed)

    def _completed(self, message: Message) -> Message:
        """A message whose key could not be read, with what its body gives now: it may have been
        mended since."""
        if message.key is not None or not self._drafter.is_keyed:
            return message
        key, version = self._drafter.read(body(message), trace(message), _request(message))
        return replace(message, key=key, version=version)

    def _before(self, message: Message) -> Verdict | None:
        """What is known before any step runs."""
        if _age(message) >= self._terms.deadline:
            return policy.overdue(self._terms)
        if self._drafter.is_keyed and message.key is None:
            return self._judged(message, _missing("key"))
        if self._drafter.is_versioned and message.version is None:
            return self._judged(message, _missing("version"))
        if message.delivered and self._skips_delivered:
            return policy.DELIVERED
        latest = message.latest.version if message.latest else None
        if latest and message.version and is_older(message.version, latest):
            return policy.STALE
        return None

    def _judged(
        self, message: Message, failure: Fault | None, passed: Passed | None = None
    ) -> Verdict:
        if passed and passed.refusal:
            verdict = policy.postpone(passed.refusal, age=_age(message), terms=self._terms)
        elif failure is not None:
            verdict = policy.judge(
                failure, attempt=message.attempt, age=_age(message), terms=self._terms
            )
        else:
            return policy.FILTERED if passed and passed.is_filtered else policy.FINISHED
        return verdict if message.key else replace(verdict, holds=False)

    def _settled(
        self, message: Message, verdict: Verdict, passed: Passed | None = None
    ) -> Settlement:
        is_finished = verdict.state is State.FINISHED
        is_through = is_finished or verdict is policy.FILTERED
        return Settlement(
            message=message,
            state=verdict.state,
            reason=verdict.reason,
            detail=verdict.detail,
            group=verdict.group,
            delay=verdict.delay,
            holds=verdict.holds,
            counts=verdict.counts,
            # A poll finds a record that was filtered out again, too, until it changes.
            notes=self.notes and (is_finished or (is_through and self._detects_changes)),
            feeds=self._fed(message, passed) if passed and is_finished else (),
            memories=passed.memories if passed and is_through else (),
            journey=passed.transcript if passed else b"",
        )

    def _fed(self, message: Message, passed: Passed) -> tuple[Draft, ...]:
        """The messages that this one leaves for other Routes."""
        result = passed.result if self._feeds else Body(b"")
        return tuple(feed.fed(result, trace=passed.x.trace, parent=message) for feed in self._feeds)


def about(message: Message) -> dict[str, Any]:
    """What `$message` is."""
    return {
        "id": message.uid,
        "identity": message.identity,
        "key": message.key,
        "version": message.version,
        "attempt": message.attempt,
        "acceptedAt": round(message.accepted_at * 1000),
    }


def body(message: Message) -> Body:
    """The body as steps take it."""
    return Body(message.body, content_type=message.content_type.encode("latin-1", "replace"))


def trace(message: Message) -> Trace:
    """The trace that the message came with goes on."""
    parent, _, state = message.trace.partition(" ")
    fields: list[Header] = [
        (b"traceparent", parent.encode("latin-1")),
        (b"x-correlation-id", message.correlation_id.encode("latin-1", "replace")),
    ]
    if state:
        fields.append((b"tracestate", state.encode("latin-1")))
    return tracing.of(fields)


def _request(message: Message) -> Mapping[str, Any]:
    if message.request in (b"", b"{}"):
        return {}
    found: dict[str, Any] = orjson.loads(message.request)
    return found


def _age(message: Message) -> float:
    return message.claimed_at - message.accepted_at


def _missing(what: str) -> Rejected:
    reason = "KeyMissing" if what == "key" else "VersionMissing"
    return Rejected(reason, f"message.{what} gives nothing for this message", 422)
