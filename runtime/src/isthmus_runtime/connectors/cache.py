"""Cache: answers of a call, kept in the replica's memory, bounded in time, number and bytes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal, Protocol

from isthmus_api.step import Cache as Policy
from isthmus_runtime.connectors.connector import Call
from isthmus_runtime.connectors.flights import Flights
from isthmus_runtime.connectors.shelf import Shelf
from isthmus_runtime.http.messages import Response

Fetch = Callable[[Call], Coroutine[Any, Any, Response]]
Outcome = Literal["hit", "miss", "joined", "revalidated", "stale"]


class Cache(Protocol):
    """The answers of one step.

    For each key one call at most is under way at a time. Who asks while it is under way waits for
    its answer, or its failure. Failures are not kept.
    """

    async def get(
        self, key: bytes, call: Call, fetch: Fetch, *, deadline: float
    ) -> tuple[Response, Outcome]:
        """The answer for `key`, from memory or from `fetch`; `TimeoutError` at the deadline."""
        ...


def of(policy: Policy) -> Cache:
    """The cache that a step declares."""
    if policy.mode == "http":
        from isthmus_runtime.connectors.http_cache import HttpCache

        return HttpCache(policy)
    return TimedCache(policy)


class TimedCache:
    """Keeps every answer for the same time."""

    def __init__(self, policy: Policy) -> None:
        self.shelf: Final[Shelf[tuple[Response, float]]] = shelf_of(policy)
        self._ttl = policy.ttl.seconds
        self._flights: Flights[Response] = Flights()

    async def get(
        self, key: bytes, call: Call, fetch: Fetch, *, deadline: float
    ) -> tuple[Response, Outcome]:
        """The answer for `key`."""
        kept = self.shelf.get(key)
        if kept and kept[1] > asyncio.get_running_loop().time():
            return kept[0], "hit"
        outcome: Outcome = "joined" if self._flights.is_under_way(key) else "miss"
        fetched = self._flights.join(
            key, lambda: self._fetched(key, call, fetch), deadline=deadline
        )
        return await fetched, outcome

    async def _fetched(self, key: bytes, call: Call, fetch: Fetch) -> Response:
        answer = await fetch(call)
        until = asyncio.get_running_loop().time() + self._ttl
        self.shelf.put(key, (answer, until), size_of(key, answer))
        return answer


def shelf_of(policy: Policy) -> Shelf[Any]:
    """An empty shelf with the bounds of a policy."""
    return Shelf(max_entries=policy.max_entries, max_bytes=policy.max_size.bytes)


def size_of(key: bytes, answer: Response) -> int:
    """What an answer counts for, in bytes."""
    return len(key) + len(answer.body)
