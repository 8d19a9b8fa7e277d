"""A limiter: how often each caller may call, counted in this process.

Of each caller it keeps when its requests so far would be through at the rate that is allowed, so a
caller may make all of its requests in a row, and one more whenever a part of the window has passed.
Who has not called for a window is forgotten; beyond that many callers, who called longest ago.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Final

from isthmus_api.caller_limit import CallerLimit
from isthmus_runtime.callers import addresses
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Head, Header

MOST_CALLERS: Final = 10_000


class Limiter:
    """Counts the requests of the callers of one Route."""

    def __init__(self, spec: CallerLimit, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = spec.per.seconds
        self._interval = self._window / spec.requests
        self._name = spec.by.encode()
        self._policy: Header = (
            b"ratelimit-policy",
            b'"%b";q=%d;w=%d' % (self._name, spec.requests, max(1, math.ceil(self._window))),
        )
        self._clock = clock
        self._through: OrderedDict[str, float] = OrderedDict()

    @property
    def known(self) -> int:
        """How many callers are remembered."""
        return len(self._through)

    def take(self, who: str) -> tuple[Header, ...]:
        """Count a request; what its answer says of the limit. `Rejected` with 429 where it is one
        too many, which does not count.

        The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
        """
        now = self._clock()
        through = max(self._through.get(who, now), now)
        ahead = through + self._interval - now
        if ahead > self._window * (1 + 1e-9):  # what adding up loses is not the caller's
            wait = max(1, math.ceil(ahead - self._window))
            headers = ((b"retry-after", b"%d" % wait), *self._fields(0, wait))
            raise Rejected("TooManyRequests", "too many requests", 429, headers=headers)
        self._through[who] = through + self._interval
        self._through.move_to_end(who)
        self._forget(now)
        left = int((self._window - ahead) / self._interval + 1e-6)
        return self._fields(left, math.ceil(ahead))

    def _fields(self, left: int, seconds: int) -> tuple[Header, ...]:
        """How many requests are left, and when all of them are there again."""
        return (self._policy, (b"ratelimit", b'"%b";r=%d;t=%d' % (self._name, left, seconds)))

    def _forget(self, now: float) -> None:
        """Let go of some that need not be known any more, and of more than there is room for."""
        for _ in range(2):
            who, through = next(iter(self._through.items()))
            if through > now and len(self._through) <= MOST_CALLERS:
                return
            del self._through[who]


ByAddress = Callable[[Head], tuple[Header, ...]]
"""Counts a request for where it comes from."""


def by_address(spec: CallerLimit, sender: addresses.Sender) -> ByAddress:
    """A limit of each address. Of IPv6 it is that of the network, of which a caller has all."""
    limiter = Limiter(spec)

    def take(head: Head) -> tuple[Header, ...]:
        address = sender(head)
        if isinstance(address, IPv6Address):
            return limiter.take(str(address.packed[:8]))
        return limiter.take(str(address))

    return take
