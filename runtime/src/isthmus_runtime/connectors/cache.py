"""Cache: answers of a call, kept in the replica's memory, bounded in time, number and bytes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from isthmus_api.step import Cache as Policy
from isthmus_runtime.connectors.flights import Flights
from isthmus_runtime.http.messages import Response

Fetch = Callable[[], Coroutine[Any, Any, Response]]
Outcome = Literal["hit", "miss", "joined"]


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Response
    until: float
    size: int


class ResponseCache:
    """The answers of one step. For each key one call at most is under way at a time.

    Who asks while it is under way waits for its answer, or its failure. Failures are not kept.
    """

    def __init__(self, policy: Policy) -> None:
        self._ttl = policy.ttl.seconds
        self._max_entries = policy.max_entries
        self._max_bytes = policy.max_size.bytes
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0
        self._flights: Flights[Response] = Flights()

    async def get(self, key: bytes, fetch: Fetch, *, deadline: float) -> tuple[Response, Outcome]:
        """The answer for `key`, from memory or from `fetch`; `TimeoutError` at the deadline."""
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(key)
        if entry and entry.until > now:
            self._entries.move_to_end(key)
            return entry.answer, "hit"
        outcome: Outcome = "joined" if self._flights.is_under_way(key) else "miss"
        fetched = self._flights.join(key, lambda: self._fetched(key, fetch), deadline=deadline)
        return await fetched, outcome

    async def _fetched(self, key: bytes, fetch: Fetch) -> Response:
        answer = await fetch()
        self._keep(key, answer)
        return answer

    def _keep(self, key: bytes, answer: Response) -> None:
        self._drop(key)
        until = asyncio.get_running_loop().time() + self._ttl
        entry = _Entry(answer, until, len(key) + len(answer.body))
        if entry.size > self._max_bytes:
            return
        self._entries[key] = entry
        self._bytes += entry.size
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry:
            self._bytes -= entry.size
