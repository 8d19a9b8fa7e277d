"""What becomes of a message after an attempt."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.connector import Backoff
from isthmus_api.expressions.engine import EvaluationFault, GuardExceeded
from isthmus_api.quantities import Duration
from isthmus_runtime import faults
from isthmus_runtime.delivery import policy
from isthmus_runtime.delivery.policy import Terms, Verdict
from isthmus_runtime.faults import Broken, Fault, Rejected, Upstream
from isthmus_runtime.journal.entries import State

TERMS = Terms(
    attempts=4,
    backoff=Backoff(initial=Duration("2s"), max=Duration("1m")),
    deadline=3600,
)


def terms(**changed: Any) -> Terms:
    return Terms(
        **{"attempts": TERMS.attempts, "backoff": TERMS.backoff, "deadline": 3600, **changed}
    )


def answered(status: int, **more: Any) -> Upstream:
    return Upstream(
        "UnexpectedStatus", f"erp answered {status}", connector="erp", answered=status, **more
    )


def unanswered(reason: str, *, passing: bool = False) -> Upstream:
    return Upstream(reason, "erp did not answer", connector="erp", passing=passing)


def judged(
    failure: Fault, *, attempt: int = 1, age: float = 0, given: Terms = TERMS, drawn: float = 1.0
) -> Verdict:
    return policy.judge(failure, attempt=attempt, age=age, terms=given, jitter=lambda: drawn)


FIRST_ATTEMPT = {
    "no connection may pass": (unanswered("ConnectFailed", passing=True), State.RETRY),
    "a time-out may pass": (unanswered("Timeout", passing=True), State.RETRY),
    "a broken connection may pass": (unanswered("ConnectionBroken", passing=True), State.RETRY),
    "no room under the rate limit may pass": (unanswered("RateLimited"), State.RETRY),
    "a system that is left alone may come back": (unanswered("CircuitOpen"), State.RETRY),
    "a Secret that is missing may come": (unanswered("SecretMissing"), State.RETRY),
    "a sign-in that failed may be mended": (unanswered("SignInFailed"), State.RETRY),
    "the attempt's own time may suffice later": (faults.out_of_time(), State.RETRY),
    "a failure of the runtime may pass": (Fault("InternalError", "it failed"), State.RETRY),
    **{f"{status} may pass": (answered(status), State.RETRY) for status in (408, 429)},
    **{f"{status} may pass": (answered(status), State.RETRY) for status in (500, 501, 503, 599)},
    **{
        f"{status} stays": (answered(status), State.DEAD)
        for status in (301, 400, 401, 403, 404, 409, 410, 422, 499)
    },
    "an answer that cannot be read stays": (unanswered("InvalidAnswer"), State.DEAD),
    "an answer that is too large stays": (unanswered("ResponseTooLarge"), State.DEAD),
    "a failed expression stays": (
        faults.from_expression(EvaluationFault("no number", code="T2001")),
        State.DEAD,
    ),
    "a guard stays": (
        faults.from_expression(GuardExceeded("too long", code="U1006")),
        State.DEAD,
    ),
    "a value that has no JSON form stays": (Broken("NotEncodable", "no JSON"), State.DEAD),
    "what does not fit its schema is rejected": (
        Rejected("SchemaMismatch", "it does not fit", 422),
        State.REJECTED,
    ),
    "what is no JSON is rejected": (Rejected("InvalidJson", "no JSON", 400), State.REJECTED),
}


@pytest.mark.parametrize(("failure", "state"), FIRST_ATTEMPT.values(), ids=FIRST_ATTEMPT.keys())
def test_after_the_first_attempt(failure: Fault, state: State) -> None:
    verdict = judged(failure)

    assert verdict.state is state
    assert verdict.reason == failure.reason
    assert (verdict.delay > 0) is (state is State.RETRY)
    assert not verdict.holds


@pytest.mark.parametrize(
    ("attempt", "drawn", "delay"), [(1, 1.0, 2), (1, 0.0, 1), (2, 1.0, 4), (3, 1.0, 8)]
)
def test_waits_double_with_jitter(attempt: int, drawn: float, delay: float) -> None:
    assert judged(answered(503), attempt=attempt, drawn=drawn).delay == delay


def test_a_longer_wish_of_the_target_wins() -> None:
    assert judged(answered(429, retry_after=50.0)).delay == 50
    assert judged(answered(429, retry_after=0.5)).delay == 2


def test_after_the_last_attempt_it_is_dead_with_the_cause() -> None:
    verdict = judged(answered(503), attempt=4)

    assert verdict == Verdict(
        state=State.DEAD,
        reason="UnexpectedStatus",
        detail="erp answered 503 (4 attempts, no more are made)",
        group="erp UnexpectedStatus 503",
    )
    one = judged(answered(503), given=terms(attempts=1))
    assert one.detail == "erp answered 503 (1 attempt, no more are made)"


@given(age=st.floats(0, 10_000), attempt=st.integers(1, 9), wish=st.none() | st.floats(0, 3600))
def test_no_attempt_is_planned_beyond_the_deadline_or_the_last(
    age: float, attempt: int, wish: float | None
) -> None:
    verdict = judged(answered(503, retry_after=wish), attempt=attempt, age=age)

    if verdict.state is State.RETRY:
        assert attempt < TERMS.attempts
        assert age + verdict.delay < TERMS.deadline
    else:
        assert verdict.state is State.DEAD


def test_what_has_no_time_for_another_attempt_is_dead_and_says_why() -> None:
    verdict = judged(answered(503), age=3599)

    assert verdict == Verdict(
        state=State.DEAD,
        reason="DeadlineExceeded",
        detail="it could not be delivered within 3600 seconds; the last attempt: erp answered 503",
        group="erp UnexpectedStatus 503",
    )


BLOCKING = {
    "a permanent failure holds": (judged(answered(404), given=terms(blocks=True)), True),
    "the last attempt holds": (judged(answered(503), attempt=4, given=terms(blocks=True)), True),
    "the deadline holds": (judged(answered(503), age=3600, given=terms(blocks=True)), True),
    "overdue without an attempt holds": (policy.overdue(terms(blocks=True)), True),
    "a retry holds by being under way": (judged(answered(503), given=terms(blocks=True)), False),
    "what nobody can deliver does not hold": (
        judged(Rejected("InvalidJson", "no JSON", 400), given=terms(blocks=True)),
        False,
    ),
}


@pytest.mark.parametrize(("verdict", "holds"), BLOCKING.values(), ids=BLOCKING.keys())
def test_where_failures_block(verdict: Verdict, holds: bool) -> None:
    assert verdict.holds is holds


def test_failures_of_one_cause_are_one_group_without_values() -> None:
    def mismatch(*paths: str) -> Rejected:
        errors = [{"path": path, "rule": "minimum"} for path in paths]
        return Rejected("SchemaMismatch", "…", 422, step="check", extra={"errors": errors})

    one = judged(mismatch("$.lines[0].price", "$.lines[31].price"))

    assert one.group == "check SchemaMismatch $.lines[*].price minimum"
    assert judged(mismatch("$.lines[7].price")).group == one.group
    assert judged(mismatch("$.total")).group != one.group
    assert judged(answered(404)).group != judged(answered(422)).group


def test_the_detail_holds_no_value_of_the_message() -> None:
    error = EvaluationFault("the value 'canary' is no number", code="T2001", source="x", offset=0)
    failure = faults.from_expression(error)
    failure.step = "map-1"

    verdict = judged(failure)

    assert verdict.detail == (
        "map-1: an expression failed on this message (line 1, column 1) [T2001]"
    )
    assert "canary" not in repr(verdict)
