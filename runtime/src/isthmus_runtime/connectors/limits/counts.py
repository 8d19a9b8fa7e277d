"""Counts: a rate, counted in one process. Exact, for no call is on its way between processes."""

import math
from collections import deque
from typing import Protocol

from isthmus_runtime.journal.permits import Grant, Rate


class Count(Protocol):
    """What was let through. Times are of one clock, and never go back."""

    def take(self, now: float, wanted: int) -> Grant:
        """Ask for `wanted` calls."""
        ...

    def note(self, now: float, calls: int) -> None:
        """Calls that others counted already."""
        ...


class Window:
    """At most so many calls in any window: the times of the last ones are kept."""

    def __init__(self, requests: int, per: float) -> None:
        self._requests, self._per = requests, per
        self._starts: deque[float] = deque(maxlen=requests)

    def take(self, now: float, wanted: int) -> Grant:
        """See `Count.take`."""
        starts = self._starts
        while starts and starts[0] + self._per <= now:
            starts.popleft()
        granted = min(wanted, self._requests - len(starts))
        self.note(now, granted)
        return Grant(granted, 0.0 if granted == wanted else starts[0] + self._per - now)

    def note(self, now: float, calls: int) -> None:
        """See `Count.note`."""
        self._starts.extend([now] * calls)


class Bucket:
    """A bucket of calls that fills again, known by when it will be full."""

    def __init__(self, requests: int, per: float, burst: int) -> None:
        self._one, self._burst = per / requests, burst
        self._full_at = -math.inf

    def take(self, now: float, wanted: int) -> Grant:
        """See `Count.take`."""
        lacks = max(0.0, self._full_at - now)
        granted = max(0, min(wanted, math.floor(self._burst - lacks / self._one + 1e-6)))
        self.note(now, granted)
        if granted == wanted:
            return Grant(granted, 0.0)
        return Grant(granted, self._full_at - now - (self._burst - 1) * self._one)

    def note(self, now: float, calls: int) -> None:
        """See `Count.note`."""
        self._full_at = max(now, self._full_at) + calls * self._one


def of(rate: Rate) -> Count:
    """The count for a rate."""
    if rate.burst is None:
        return Window(rate.requests, rate.per)
    return Bucket(rate.requests, rate.per, rate.burst)
