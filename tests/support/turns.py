"""Calls that go through a limiter, as a Connector's do."""

import contextlib
from collections.abc import AsyncIterator

from isthmus_runtime.connectors.limits.limiter import Limiter, Turn


@contextlib.asynccontextmanager
async def turn(limiter: Limiter, *, deadline: float) -> AsyncIterator[Turn]:
    """Hold a turn, as soon as there is one."""
    held = limiter.at_once(deadline) or await limiter.come(deadline)
    try:
        yield held
    finally:
        limiter.leave(held)
