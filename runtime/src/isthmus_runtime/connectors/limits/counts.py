"""Counts: a rate, counted in one process. Exact, for no call is on its way between processes."""

import math
from abc import ABC, abstractmethod
from collections import deque

from isthmus_runtime.journal.permits import Grant, Rate


class Count(ABC):
    """What was let through. Times are of one clock, and never go back."""

    def take(self, now: float, wanted: int) -> Grant:
        """Ask for `wanted` calls."""
        granted = 0
        while granted < wanted and self.take_one(now):
            granted += 1
        return Grant(granted, 0.0 if granted == wanted else self._wait(now))

    @abstractmethod
    def take_one(self, now: float) -> bool:
        """Whether one more call may go now; then it is counted."""

    @abstractmethod
    def note(self, now: float, calls: int) -> None:
        """Calls that others counted already."""

    @abstractmethod
    def _wait(self, now: float) -> float:
        """In how many seconds there is room again, when there is none."""


class Window(Count):
    """At most so many calls in any window: the times of the last ones are kept."""

    def __init__(self, requests: int, per: float) -> None:
        self._requests, self._per = requests, per
        self._starts: deque[float] = deque(maxlen=requests)

    def take_one(self, now: float) -> bool:
        """See `Count.take_one`."""
        starts = self._starts
        while starts and starts[0] + self._per <= now:
            starts.popleft()
        if len(starts) == self._requests:
            return False
        starts.append(now)
        return True

    def note(self, now: float, calls: int) -> None:
        """See `Count.note`."""
        self._starts.extend([now] * calls)

    def _wait(self, now: float) -> float:
        return self._starts[0] + self._per - now


class Bucket(Count):
    """A bucket of calls that fills again, known by when it will be full."""

    def __init__(self, requests: int, per: float, burst: int) -> None:
        self._one = per / requests
        self._last = (burst - 1) * self._one
        """So long before it is full there is just one call left in it."""
        self._full_at = -math.inf

    def take_one(self, now: float) -> bool:
        """See `Count.take_one`."""
        if self._full_at - now > self._last + 1e-6 * self._one:
            return False
        self._full_at = max(now, self._full_at) + self._one
        return True

    def note(self, now: float, calls: int) -> None:
        """See `Count.note`."""
        self._full_at = max(now, self._full_at) + calls * self._one

    def _wait(self, now: float) -> float:
        return self._full_at - now - self._last


def of(rate: Rate) -> Count:
    """The count for a rate."""
    if rate.burst is None:
        return Window(rate.requests, rate.per)
    return Bucket(rate.requests, rate.per, rate.burst)
