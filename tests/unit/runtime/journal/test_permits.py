"""What counts against a shared limit: more than a window, by what calls need on their way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.journal.permits import (
    ON_THE_WAY_SECONDS,
    SLOTS,
    Rate,
    bucket,
    kept,
    on_the_way,
    room_in,
)

windows = st.floats(0.01, 3600 * 744, allow_nan=False)


@given(windows)
def test_calls_have_a_hundredth_of_the_window_and_80_ms_where_a_tenth_is_more(per: float) -> None:
    spare = on_the_way(per)

    assert per / 100 * 0.999 <= spare <= per / 10 * 1.001
    assert spare >= min(ON_THE_WAY_SECONDS, per / 10) * 0.999
    assert spare <= max(ON_THE_WAY_SECONDS, per / 100) + per / SLOTS


@given(
    per=windows,
    granted=st.floats(1e6, 1e6 + 100, allow_nan=False),
    calls=st.integers(1, 5),
)
def test_a_call_counts_for_the_window_and_its_way(per: float, granted: float, calls: int) -> None:
    """Its slot leaves once it has counted for so long, wherever in its slot it was granted."""
    slot = int(granted // (per / SLOTS))
    used = [0] * (kept(per) - 1) + [calls]

    leaves = granted + room_in(used, slot=slot, now=granted, per=per)

    long_enough = per + on_the_way(per)
    assert leaves - granted >= long_enough - 1e-6 * max(1.0, per)
    assert leaves - granted <= long_enough + per / SLOTS + 1e-6 * max(1.0, per)


@pytest.mark.parametrize(
    ("rate", "holds"),
    [
        pytest.param(Rate(60, 60.0, 10), 10, id="less than one call is made on the way"),
        pytest.param(Rate(100, 1.0, 50), 42, id="what is made in 80 ms"),
        pytest.param(Rate(1000, 1.0, 1), 1, id="never nothing"),
    ],
)
def test_a_shared_bucket_holds_less_by_what_is_made_on_the_way(rate: Rate, holds: int) -> None:
    assert rate.burst is not None
    assert bucket(rate, rate.burst) == holds
