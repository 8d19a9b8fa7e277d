"""Permits: the limits of a system, shared by all that call it, in whatever process.

A rate is so many calls in any window of time. Time is cut into slots, a two-hundredth of the window
each; a call counts in the slot in which it was granted, and a grant is made when the calls of the
slots that a window can touch, and of some more, leave room. Those are what calls need on their way:
a system that counts for itself sees one call early and another late, and must not see more than the
limit. They are a hundredth of the window, but 80 ms where that is short (a tenth of it at most).
That, and half a slot, is how much less than the limit can be used.

With a burst the rate is a bucket instead, as systems have it that count in that way. It holds less
than the burst by what the rate makes in that same time.

Another limit is so many calls at once. A process holds places for its calls, under a lease, so that
the places of one that was killed come back. A pause holds back all of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

SLOTS: Final = 200
"""Of a window."""
ON_THE_WAY_SECONDS: Final = 0.08
"""What a call may take from its grant to the system: some round trips, on busy machines."""
_FEWEST, _MOST = 2, 20


@dataclass(frozen=True, slots=True)
class Rate:
    """`requests` in any `per` seconds, or a bucket of `burst` that so many fill again."""

    requests: int
    per: float
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """How many calls may be made now, and in how many seconds asking again may give more."""

    granted: int
    wait: float


class Permits(Protocol):
    """What a journal knows of limits; `name` is of the system."""

    async def take(self, name: str, rate: Rate, *, wanted: int) -> Grant:
        """Ask for `wanted` calls at once."""
        ...

    async def note(self, name: str, rate: Rate, *, calls: int) -> None:
        """Calls that were granted and went out late: they count from now, room or not."""
        ...

    async def enter(self, name: str, *, limit: int, owner: str, wanted: int, lease: float) -> int:
        """Ask for places, of `limit` altogether; how many were given. They, and those that the
        owner had, are its own for `lease` seconds from now."""
        ...

    async def leave(self, name: str, *, owner: str, places: int) -> None:
        """Give places back; who waits for them is woken, if it listens for `waiting_for(name)`."""
        ...

    async def pause(self, name: str, seconds: float) -> None:
        """Hold calls back for so long, or for longer where that was said before; who listens for
        `pausing(name)` is woken."""
        ...

    async def paused(self, name: str) -> float:
        """For how many seconds calls are held back."""
        ...

    def listen(self, what: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` on this loop when there may be news, by whoever; returns how to stop."""
        ...


def waiting_for(name: str) -> str:
    """What to listen for while there is no place."""
    return f"places of {name}"


def pausing(name: str) -> str:
    """What to listen for to hear of pauses."""
    return f"pause of {name}"


def kept(per: float) -> int:
    """How many slots count: those of a window, the one under way, which counts from its beginning,
    and those for calls on their way."""
    return SLOTS + 1 + _spare(per)


def on_the_way(per: float) -> float:
    """Seconds that a call has from its grant to the system."""
    return _spare(per) * per / SLOTS


def bucket(rate: Rate, burst: int) -> int:
    """What a shared bucket holds."""
    return max(1, burst - math.floor(rate.requests / rate.per * on_the_way(rate.per)))


def room_in(used: Sequence[int], *, slot: int, now: float, per: float) -> float:
    """Seconds until the oldest calls leave the slots that count; `used` ends with `slot`."""
    oldest = next((number for number, calls in enumerate(used) if calls), None)
    if oldest is None:
        return 0.0
    leaves = (slot + oldest + 1) * (per / SLOTS)
    return max(0.0, leaves - now)


def _spare(per: float) -> int:
    return max(_FEWEST, min(_MOST, math.ceil(ON_THE_WAY_SECONDS / (per / SLOTS))))
