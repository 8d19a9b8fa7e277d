"""The window of a limit, for any calls at any times."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.journal.permits import SLOTS, Window

PER = 10.0

steps = st.lists(
    st.tuples(st.floats(0.0, 4.0, allow_nan=False), st.integers(1, 20)), min_size=1, max_size=60
)


@given(steps, st.integers(1, 25))
def test_no_window_has_more_than_the_limit(asked: list[tuple[float, int]], requests: int) -> None:
    window, now = Window(PER), 1_000.0
    granted: list[float] = []
    for pause, wanted in asked:
        now += pause
        granted += [now] * window.take(now, requests=requests, wanted=wanted).granted

    for first, last in zip(granted, granted[requests:], strict=False):
        assert last - first > PER + 2 * PER / SLOTS - 1e-6


@given(steps, st.integers(1, 25))
def test_waiting_as_told_gives_room_and_not_much_later_than_it_must(
    asked: list[tuple[float, int]], requests: int
) -> None:
    window, now = Window(PER), 1_000.0
    granted: list[float] = []
    for pause, wanted in asked:
        now += pause
        found = window.take(now, requests=requests, wanted=wanted)
        granted += [now] * found.granted
        if found.granted < wanted:
            assert found.wait > 0
            leaves = granted[-requests] + PER
            assert now + found.wait <= leaves + 3.001 * PER / SLOTS
            now += found.wait + 1e-6
            again = window.take(now, requests=requests, wanted=1)
            assert again.granted == 1
            granted.append(now)
