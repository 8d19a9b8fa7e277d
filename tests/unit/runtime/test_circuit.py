"""When a circuit opens, whom it lets through, and when it closes: over all orders of calls."""

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from isthmus_api.circuit_breaker import CircuitBreaker
from isthmus_runtime.connectors.circuit import Circuit, LastCalls, LastSeconds, Terms


def terms(**spec: object) -> Terms:
    return Terms.of(CircuitBreaker.model_validate(spec))


TERMS = st.builds(
    Terms,
    share=st.sampled_from([0.01, 0.3, 0.5, 1.0]),
    min_calls=st.integers(1, 4),
    pause=st.sampled_from([1.0, 3.0]),
    max_pause=st.sampled_from([3.0, 10.0]),
    probes=st.integers(1, 3),
    seconds=st.sampled_from([1.0, 30.0]),
    calls=st.none() | st.integers(4, 6),
)
RESULTS = st.sampled_from([True, False, None])


class Circuits(RuleBasedStateMachine):
    """Calls begin and end in any order, while time passes."""

    @initialize(terms=TERMS)
    def begin_all(self, terms: Terms) -> None:
        self.terms = terms
        self.changes: list[str] = ["closed"]
        self.circuit = Circuit(terms, lambda: self.changes.append(self.circuit.state))
        self.now = 100.0
        self.calls: list[tuple[int, int]] = []
        """Those under way: their names, and how many changes there had been."""
        self.opened_at = -math.inf
        self.pauses: list[float] = []
        self.probes_begun = self.probes_answered = self.probes_without_a_word = 0

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_call_begins(self) -> None:
        before, wait = self.circuit.state, self.circuit.wait(self.now)

        call = self.circuit.begin(self.now)

        assert (call is None) == (wait > 0)
        if before == "open":
            assert (call is not None) == (self.now >= self.opened_at + self.circuit.pause)
        if before == "open" and call is not None:
            self.probes_begun = self.probes_answered = self.probes_without_a_word = 0
        if call is not None:
            self.probes_begun += self.circuit.state == "half-open"
            self.calls.append((call, len(self.changes)))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), failed=RESULTS)
    def a_call_ends(self, data: st.DataObject, failed: bool | None) -> None:
        at = data.draw(st.integers(0, len(self.calls) - 1))
        call, changes = self.calls.pop(at)
        before, seen, pause = self.circuit.state, self.circuit.seen, self.circuit.pause
        is_late = changes != len(self.changes)

        self.circuit.end(call, self.now, failed=failed)

        after = self.circuit.state
        if is_late or failed is None:
            assert (after, self.circuit.seen) == (before, seen)
            self.probes_without_a_word += before == "half-open" and not is_late
        elif before == "closed":
            calls, fails = self.circuit.seen
            is_too_many = calls >= self.terms.min_calls and fails / calls >= self.terms.share
            assert after == ("open" if is_too_many else "closed")
        elif failed:
            assert after == "open"
            assert self.circuit.pause == min(pause * 2, self.terms.max_pause)
        else:
            self.probes_answered += 1
            all_answered = self.probes_answered == self.terms.probes
            assert after == ("closed" if all_answered else "half-open")
        if (before, after) == ("closed", "open"):
            assert self.circuit.pause == self.terms.pause
        if before != after == "open":
            self.opened_at = self.now
        if (before, after) == ("half-open", "closed"):
            assert self.circuit.seen == (0, 0)

    @invariant()
    def it_goes_round_in_one_direction(self) -> None:
        ways = {
            ("closed", "open"),
            ("open", "half-open"),
            ("half-open", "open"),
            ("half-open", "closed"),
        }
        assert set(pairwise(self.changes)) <= ways

    @invariant()
    def no_more_probes_go_than_allowed(self) -> None:
        if self.circuit.state == "half-open":
            assert self.probes_begun - self.probes_without_a_word <= self.terms.probes

    @invariant()
    def a_call_that_waits_as_told_may_go_where_a_pause_was_what_held_it(self) -> None:
        if self.circuit.state == "open":
            wait = self.circuit.wait(self.now)
            assert wait <= self.terms.max_pause
            assert self.circuit.wait(self.now + wait + 1e-6) == 0.0


Circuits.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestCircuits = Circuits.TestCase


NOTED = st.lists(st.tuples(st.sampled_from([0.0, 0.4, 1.0, 2.5, 9.0, 30.0]), st.booleans()))


@given(most=st.integers(1, 8), noted=NOTED)
def test_the_last_calls_are_the_last_ones(most: int, noted: list[tuple[float, bool]]) -> None:
    window = LastCalls(most)
    for _, failed in noted:
        window.note(0.0, failed=failed)

    latest = [failed for _, failed in noted][-most:]
    assert (window.calls, window.failed) == (len(latest), sum(latest))


@given(noted=NOTED)
def test_the_last_seconds_hold_all_of_nine_tenths_and_nothing_older(
    noted: list[tuple[float, bool]],
) -> None:
    window, now = LastSeconds(10.0), 100.0
    all_noted: list[tuple[float, bool]] = []
    for pause, failed in noted:
        now += pause
        window.note(now, failed=failed)
        all_noted.append((now, failed))

        surely = [failed for at, failed in all_noted if at > now - 9.0]
        perhaps = [failed for at, failed in all_noted if at > now - 10.0]
        assert len(surely) <= window.calls <= len(perhaps)
        assert sum(surely) <= window.failed <= sum(perhaps)


def test_the_latest_calls_are_looked_at_where_their_number_is_written() -> None:
    circuit = Circuit(terms(calls=4, minCalls=4, failureRate=75))
    for failed in (True, True, False, False, True, True, True):
        assert circuit.state == "closed"
        call = circuit.begin(0.0)
        assert call is not None
        circuit.end(call, 0.0, failed=failed)

    assert circuit.state == "open"
