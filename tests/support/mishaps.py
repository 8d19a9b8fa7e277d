"""Accidents at moments drawn in advance: by how far the work is, so on any machine at the same."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Accident = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Mishap:
    """An accident, and how far the work is when it happens: from 0 to 1."""

    at: float
    happen: Accident


def drawn(dice: random.Random, **accidents: tuple[int, Accident]) -> list[Mishap]:
    """So many of each accident, spread over the work, each at a random moment of its part."""
    found = [
        Mishap((place + dice.random()) / count, accident)
        for count, accident in accidents.values()
        for place in range(count)
    ]
    return sorted(found, key=lambda mishap: mishap.at)


async def happen(mishaps: list[Mishap], progress: Callable[[], Awaitable[float]]) -> None:
    """Let all of them happen, each when the work has come so far."""
    for mishap in mishaps:
        while await progress() < mishap.at:  # noqa: ASYNC110 - how far it is has no event
            await asyncio.sleep(0.02)
        await mishap.happen()
