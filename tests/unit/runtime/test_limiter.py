"""What a limiter lets pass, over all series of times."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.caller_limit import CallerLimit
from isthmus_runtime.callers import limiter
from isthmus_runtime.callers.limiter import Limiter
from isthmus_runtime.faults import Rejected


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def passes(made: Limiter, who: str = "a") -> bool:
    try:
        made.take(who)
    except Rejected:
        return False
    return True


PAUSES = st.lists(st.floats(0, 3), min_size=1, max_size=80)


@given(st.integers(1, 20), PAUSES)
def test_no_more_pass_than_a_window_allows_and_one_always_does_after_the_wait(
    requests: int, pauses: list[float]
) -> None:
    clock = Clock()
    made = Limiter(CallerLimit.model_validate({"requests": requests, "per": "10s"}), clock=clock)
    passed: deque[float] = deque()
    for pause in pauses:
        clock.now += pause
        if passes(made):
            passed.append(clock.now)
        else:
            assert len([at for at in passed if at > clock.now - 10]) >= 1
    spent = [sum(at - 10 < other <= at for other in passed) for at in passed]
    assert max(spent, default=0) <= 2 * requests  # a row of all, and those that came back meanwhile


def test_all_of_a_window_may_come_in_a_row_and_then_one_by_one() -> None:
    clock = Clock()
    made = Limiter(CallerLimit.model_validate({"requests": 5, "per": "10s"}), clock=clock)

    assert [passes(made) for _ in range(6)] == [True] * 5 + [False]
    clock.now += 2
    assert [passes(made), passes(made)] == [True, False]
    clock.now += 100
    assert [passes(made) for _ in range(6)] == [True] * 5 + [False]


def test_who_waits_as_long_as_it_is_told_passes() -> None:
    clock = Clock()
    made = Limiter(CallerLimit.model_validate({"requests": 3, "per": "10s"}), clock=clock)
    for _ in range(3):
        made.take("a")

    with pytest.raises(Rejected) as refused:
        made.take("a")
    clock.now += float(dict(refused.value.headers)[b"retry-after"])

    assert passes(made)


def test_callers_beyond_count_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "MOST_CALLERS", 10)
    clock = Clock()
    made = Limiter(CallerLimit.model_validate({"requests": 1, "per": "1h"}), clock=clock)

    for number in range(1000):
        assert passes(made, str(number))

    assert made.known == 10
    assert not passes(made, "999")
    clock.now += 7200
    assert passes(made, "new")
    assert passes(made, "newer")
    assert made.known < 10
