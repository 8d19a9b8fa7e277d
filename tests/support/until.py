"""Waiting for what comes in its own time: patience is counted from the last sign of life."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.05


async def moving(look: Callable[[], Awaitable[T]], so: Callable[[T], bool], *, within: float) -> T:
    """Look until what is seen is so, and give it; fails when it stands still for too long."""
    last, since = await look(), time.monotonic()
    while not so(last):
        await asyncio.sleep(LOOK_EVERY)
        seen = await look()
        if seen != last:
            last, since = seen, time.monotonic()
        elif time.monotonic() - since > within:
            raise AssertionError(f"it stands still at {last!r} for {within:.0f} s")
    return last
