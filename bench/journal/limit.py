"""A limit that twelve replicas share: how much of it they use, and whether they ever exceed it."""

from __future__ import annotations

import asyncio
import bisect
import time
from typing import Final

from isthmus_api.quantities import Duration
from isthmus_api.rate_limit import RateLimit
from isthmus_runtime.connectors.limits.limiter import Limiter
from isthmus_runtime.connectors.sharing import Sharing
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.access import Access

REPLICAS: Final = 12
CALLERS: Final = 4
"""Of each replica."""
REQUESTS: Final = 400
PER: Final = 4.0
WINDOWS: Final = 4


async def hold(address: str) -> dict[str, float]:
    """Call as often as the limit allows, for some windows."""
    accesses = [Access(lambda: opening.open(address)) for _ in range(REPLICAS)]
    for access in accesses:
        await access.open()
    limit = RateLimit(requests=REQUESTS, per=Duration(f"{PER}s"))
    limiters = [
        Limiter("bench", "system", limit, at_once=CALLERS, sharing=Sharing(access))
        for access in accesses
    ]
    calls: list[float] = []

    async def call(limiter: Limiter) -> None:
        while len(calls) <= WINDOWS * REQUESTS:
            turn = await limiter.come(asyncio.get_running_loop().time() + 60)
            calls.append(time.monotonic())
            limiter.leave(turn)

    await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(CALLERS)))
    for limiter in limiters:
        await limiter.close()
    for access in accesses:
        await access.close()
    calls.sort()
    span = calls[WINDOWS * REQUESTS] - calls[0]
    most = max(bisect.bisect_left(calls, first + PER) - n for n, first in enumerate(calls))
    return {"used": WINDOWS * PER / span, "most": most / REQUESTS}
