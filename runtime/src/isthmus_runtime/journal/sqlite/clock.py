"""The journal's clock where there is no server: it neither jumps nor runs backwards.

It starts with the wall's time, or with that of the newest row where the wall was set back, and goes
on with the time since the machine started, sleep included. So a retry waits as long as it should
whatever is done to the wall's clock, and rows stay in the order in which they came.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

Source = Callable[[], float]


def since_boot() -> float:
    """Seconds that nobody can set; on Linux those in which the machine slept count."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where time comes from."""

    wall: Source = time.time
    steady: Source = since_boot


class Clock:
    """Unix seconds, near enough, and steady."""

    def __init__(self, sources: Sources, *, newest: float) -> None:
        self._steady = sources.steady
        self._zero = max(sources.wall(), newest) - sources.steady()

    def now(self) -> float:
        """The time by this journal."""
        return self._zero + self._steady()
