"""Policy: what becomes of a message after an attempt, by the kind of its failure.

    rejected    it does not fit its schema, or cannot be read: nothing but another message helps
    permanent   a 4xx, an expression, a guard: the same attempt fails the same way
    passing     time-outs, no connection, 408, 429, 5xx, sign-in: a later attempt may succeed

Only passing failures are tried again. Pure: no clock, no journal.
"""

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from isthmus_api.delivery import Delivery, DeliveryBackoff, DeliveryRetry
from isthmus_runtime.connectors import backoff
from isthmus_runtime.faults import Broken, Fault, Rejected, Upstream
from isthmus_runtime.journal.entries import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a Route delivers: attempts in all, waits between them, seconds after acceptance in which
    it must be done, and whether a message that died holds its key."""

    attempts: int
    backoff: backoff.Backoff
    deadline: float = math.inf
    blocks: bool = False

    @classmethod
    def of(cls, spec: Delivery) -> Self:
        """The terms that a Route declares."""
        return cls(
            attempts=spec.retry.attempts if spec.retry else DeliveryRetry().attempts,
            backoff=(spec.retry and spec.retry.backoff) or DeliveryBackoff(),
            deadline=spec.deadline.seconds if spec.deadline else math.inf,
            blocks=spec.on_failure == "block",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an attempt ends; the words are those of `Settlement`."""

    state: State
    reason: str = ""
    detail: str = ""
    group: str = ""
    delay: float = 0.0
    holds: bool = False
    counts: bool = True


FINISHED: Final = Verdict(state=State.FINISHED)
FILTERED: Final = Verdict(
    state=State.SKIPPED, reason="Filtered", detail="a filter did not let it through"
)
STALE: Final = Verdict(
    state=State.SKIPPED, reason="StaleVersion", detail="a newer version was delivered before"
)
DELIVERED: Final = Verdict(
    state=State.SKIPPED, reason="AlreadyDelivered", detail="the same content was delivered before"
)
REPLACED: Final = Verdict(
    state=State.SKIPPED, reason="Replaced", detail="the schedule fired again before it was done"
)

_PASSING_REASONS: Final = frozenset({"CircuitOpen", "RateLimited", "SecretMissing", "SignInFailed"})
"""Failures before anything was sent, which others mend without touching the message."""

_PASSING_STATUSES: Final = frozenset({408, 429})


def judge(
    failure: Fault,
    *,
    attempt: int,
    age: float,
    terms: Terms,
    jitter: Callable[[], float] = random.random,
) -> Verdict:
    """What becomes of a message whose attempt number `attempt` failed, `age` seconds after it was
    accepted."""
    if isinstance(failure, Rejected):
        return _ended(State.REJECTED, failure)
    if not is_passing(failure):
        return _ended(State.DEAD, failure, holds=terms.blocks)
    if attempt >= terms.attempts:
        counted = "1 attempt" if attempt == 1 else f"{attempt} attempts"
        return _ended(State.DEAD, failure, f" ({counted}, no more are made)", holds=terms.blocks)
    asked = failure.retry_after if isinstance(failure, Upstream) else None
    delay = backoff.wait(attempt, terms.backoff, retry_after=asked, jitter=jitter)
    if age + delay >= terms.deadline:
        return overdue(terms, group=group(failure), last=_detail(failure))
    return Verdict(
        state=State.RETRY,
        reason=failure.reason,
        detail=_detail(failure),
        group=group(failure),
        delay=delay,
    )


def postpone(refusal: Upstream, *, age: float, terms: Terms) -> Verdict:
    """What becomes of a message with which nothing was done, for its system is left alone: it comes
    again when that is over, and has all the attempts that it had."""
    delay = refusal.retry_after or 0.0
    if age + delay >= terms.deadline:
        return overdue(terms, group=group(refusal), last=_detail(refusal))
    return Verdict(
        state=State.RETRY,
        reason=refusal.reason,
        detail=_detail(refusal),
        group=group(refusal),
        delay=delay,
        counts=False,
    )


def overdue(terms: Terms, *, group: str = "DeadlineExceeded", last: str = "") -> Verdict:
    """The time in which a message must be delivered is over, or would be at its next attempt."""
    ended = f"; the last attempt: {last}" if last else ""
    return Verdict(
        state=State.DEAD,
        reason="DeadlineExceeded",
        detail=f"it could not be delivered within {terms.deadline:g} seconds{ended}",
        group=group,
        holds=terms.blocks,
    )


def is_refusal(reason: str) -> bool:
    """Whether a call failed for this reason before anything was done."""
    return reason == "CircuitOpen"


def is_passing(failure: Fault) -> bool:
    """Whether a later attempt may succeed."""
    match failure:
        case Rejected() | Broken():
            return False
        case Upstream(answered=int(status)) if status >= 300:
            return status in _PASSING_STATUSES or status >= 500
        case Upstream():
            return failure.passing or failure.reason in _PASSING_REASONS
        case _:  # the attempt's own time is over, or the runtime failed
            return True


_POSITION: Final = re.compile(r"\[\d+\]")


def group(failure: Fault) -> str:
    """What failures of one cause have in common: step, connector, reason, status, and the rules of
    a schema; no position in a list and no value."""
    answered = failure.answered if isinstance(failure, Upstream) else None
    rules = sorted(
        {f"{_POSITION.sub('[*]', error['path'])} {error['rule']}" for error in _errors(failure)}
    )
    parts = (failure.step, failure.connector, failure.reason, str(answered or ""), *rules)
    return " ".join(part for part in parts if part)


def _errors(failure: Fault) -> list[dict[str, str]]:
    found: list[dict[str, str]] = failure.extra.get("errors", [])
    return found


def _ended(state: State, failure: Fault, more: str = "", *, holds: bool = False) -> Verdict:
    return Verdict(
        state=state,
        reason=failure.reason,
        detail=_detail(failure) + more,
        group=group(failure),
        holds=holds,
    )


def _detail(failure: Fault) -> str:
    place = f"{failure.step}: " if failure.step else ""
    return place + failure.outward
