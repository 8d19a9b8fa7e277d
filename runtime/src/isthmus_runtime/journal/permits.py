"""Permits: the limits of a system, shared by all that call it, in whatever process.

A limit is so many calls in any window of time. Time is cut into slots, a two-hundredth of the
window each; a call counts in the slot in which it was granted, and a grant is made when the calls
of the slots that a window can touch, and of two more, leave room. Those are what a call may need on
its way, a hundredth of the window: a system that counts for itself does not see more than the
limit. The price is one and a half hundredths of the rate at most.

Another limit is so many calls at once. A process holds places for its calls, under a lease, so that
the places of one that was killed come back.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

SLOTS: Final = 200
"""Of a window."""
KEPT: Final = SLOTS + 3
"""The one under way counts from its beginning, and two more are for calls on their way."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How many calls may be made now, and in how many seconds asking again may give more."""

    granted: int
    wait: float


class Permits(Protocol):
    """What a journal knows of limits; `name` is of the system."""

    async def take(self, name: str, *, requests: int, per: float, wanted: int) -> Grant:
        """Ask for `wanted` calls at once, under a limit of `requests` in `per` seconds."""
        ...

    async def enter(self, name: str, *, limit: int, owner: str, wanted: int, lease: float) -> int:
        """Ask for places, of `limit` altogether; how many were given. They, and those that the
        owner had, are its own for `lease` seconds from now."""
        ...

    async def leave(self, name: str, *, owner: str, places: int) -> None:
        """Give places back; who waits for them is woken, if it listens for `waiting_for(name)`."""
        ...


def waiting_for(name: str) -> str:
    """What to listen for while there is no place."""
    return f"places of {name}"


def slot_of(now: float, per: float) -> int:
    """The number of the slot that a moment is in."""
    return math.floor(now / (per / SLOTS))


def room_in(used: Sequence[int], *, slot: int, now: float, per: float) -> float:
    """Seconds until the oldest calls leave the slots that count; `used` ends with `slot`."""
    oldest = next((number for number, calls in enumerate(used) if calls), None)
    if oldest is None:
        return 0.0
    leaves = (slot + oldest + 1) * (per / SLOTS)
    return max(0.0, leaves - now)


class Window:
    """One limit, counted in this process."""

    def __init__(self, per: float) -> None:
        self._per = per
        self._slot = 0
        self._used = [0] * KEPT

    def take(self, now: float, *, requests: int, wanted: int) -> Grant:
        """Grant what there is room for."""
        gone = min(max(0, slot_of(now, self._per) - self._slot), KEPT)
        self._slot = max(self._slot, slot_of(now, self._per))
        self._used = self._used[gone:] + [0] * gone
        granted = max(0, min(wanted, requests - sum(self._used)))
        self._used[-1] += granted
        if granted == wanted:
            return Grant(granted, 0.0)
        return Grant(granted, room_in(self._used, slot=self._slot, now=now, per=self._per))


class LocalPermits:
    """Permits where one process makes all the calls."""

    def __init__(self, now: Callable[[], float], left: Callable[[str], None]) -> None:
        self._now, self._left = now, left
        self._windows: dict[tuple[str, float], Window] = {}
        self._places: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def take(self, name: str, *, requests: int, per: float, wanted: int) -> Grant:
        """See `Permits.take`."""
        window = self._windows.setdefault((name, per), Window(per))
        return window.take(self._now(), requests=requests, wanted=wanted)

    def enter(self, name: str, *, limit: int, owner: str, wanted: int) -> int:
        """See `Permits.enter`; what a process holds goes with it."""
        held = self._places[name]
        given = max(0, min(wanted, limit - sum(held.values())))
        held[owner] = held.get(owner, 0) + given
        return given

    def leave(self, name: str, *, owner: str, places: int) -> None:
        """See `Permits.leave`."""
        held = self._places[name]
        held[owner] = max(0, held.get(owner, 0) - places)
        self._left(waiting_for(name))
