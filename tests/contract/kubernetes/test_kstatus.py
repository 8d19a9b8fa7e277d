"""What Flux and `helm --wait` see of our objects, computed by the library that both use."""

from pathlib import Path

from health_states import STATES
from kstatus import statuses


def test_it_computes_the_status_that_each_state_is_to_have(tmp_path: Path) -> None:
    computed = statuses([state.known() for state in STATES], tmp_path)

    assert {state.id: found for state, found in zip(STATES, computed, strict=True)} == {
        state.id: state.kstatus for state in STATES
    }


def test_it_waits_for_what_is_being_deleted(tmp_path: Path) -> None:
    running = STATES[0].known()
    running["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert statuses([running], tmp_path) == ["Terminating"]
