"""Conditions: what appears, and when a time moves."""

import pytest

from isthmus_operator.conditions import MAX_MESSAGE, Finding, Type, conditions
from isthmus_operator.reasons import Reason

THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def _ready(holds: bool | None) -> Finding:
    return Finding(Type.READY, holds, Reason.RUNNING, "It is so.")


@pytest.mark.parametrize(("holds", "status"), [(True, "True"), (False, "False"), (None, "Unknown")])
def test_ready_is_always_there(holds: bool | None, status: str) -> None:
    (written,) = conditions([_ready(holds)], before=[], generation=3, now=NOW)

    assert written["status"] == status
    assert written["observedGeneration"] == 3
    assert written["lastTransitionTime"] == NOW


@pytest.mark.parametrize("type", [Type.RECONCILING, Type.STALLED, Type.PAUSED])
def test_what_is_said_only_while_true_goes_when_it_is_not(type: Type) -> None:
    assert (
        conditions([Finding(type, False, Reason.PAUSED, "")], before=[], generation=1, now=NOW)
        == []
    )


def test_the_time_stays_while_the_status_does_though_reason_and_generation_change() -> None:
    before = conditions([_ready(False)], before=[], generation=1, now=THEN)
    other = Finding(Type.READY, False, Reason.PLAN_UNUSABLE, "Still not.")

    (after,) = conditions([other], before=before, generation=2, now=NOW)

    assert after["lastTransitionTime"] == THEN
    assert (after["reason"], after["observedGeneration"]) == (Reason.PLAN_UNUSABLE, 2)


def test_the_time_moves_with_the_status() -> None:
    before = conditions([_ready(False)], before=[], generation=1, now=THEN)

    (after,) = conditions([_ready(True)], before=before, generation=1, now=NOW)

    assert after["lastTransitionTime"] == NOW


def test_a_long_message_is_shortened() -> None:
    long = Finding(Type.READY, False, Reason.UNAVAILABLE, "x" * 5000)

    (written,) = conditions([long], before=[], generation=1, now=NOW)

    assert len(written["message"]) == MAX_MESSAGE
