"""A limit that twelve replicas share: how much of it they use, and whether they ever exceed it."""

from __future__ import annotations

import asyncio
import bisect
import time
from typing import Final

from isthmus_runtime.connectors.shared import Limits, SharedLimiter
from isthmus_runtime.journal import opening

REPLICAS: Final = 12
CALLERS: Final = 4
"""Of each replica."""
REQUESTS: Final = 200
PER: Final = 1.0
WINDOWS: Final = 8


async def hold(address: str) -> dict[str, float]:
    """Call as often as the limit allows, for some windows."""
    journals = [await opening.open(address) for _ in range(REPLICAS)]
    limits = Limits("bench/system", requests=REQUESTS, per=PER, concurrency=None)
    limiters = [SharedLimiter(journal, limits, owner=str(n)) for n, journal in enumerate(journals)]
    calls: list[float] = []

    async def call(limiter: SharedLimiter) -> None:
        while len(calls) <= WINDOWS * REQUESTS:
            async with limiter.turn(deadline=asyncio.get_running_loop().time() + 60):
                calls.append(time.monotonic())

    await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(CALLERS)))
    for limiter in limiters:
        await limiter.close()
    for journal in journals:
        await journal.close()
    calls.sort()
    span = calls[WINDOWS * REQUESTS] - calls[0]
    most = max(bisect.bisect_left(calls, first + PER) - n for n, first in enumerate(calls))
    return {"used": WINDOWS * PER / span, "most": most / REQUESTS}
