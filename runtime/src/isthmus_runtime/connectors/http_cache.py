"""HTTP cache: keeps answers for as long as they say, and asks whether old ones are still right."""

import asyncio
import time
from typing import Final, NamedTuple

from isthmus_api.step import Cache as Policy
from isthmus_runtime.connectors import freshness
from isthmus_runtime.connectors.cache import Fetch, Outcome, shelf_of, size_of
from isthmus_runtime.connectors.connector import Call
from isthmus_runtime.connectors.flights import Flights
from isthmus_runtime.connectors.shelf import Shelf
from isthmus_runtime.faults import Upstream
from isthmus_runtime.http.messages import Header, Response

_NOT_MODIFIED: Final = 304
_ASKS_ITSELF: Final = frozenset({b"if-none-match", b"if-modified-since", b"range"})
"""Fields of a call whose answer tells of what its step has, and not of what is kept here."""


class _Kept(NamedTuple):
    """An answer, and until when it may be used, by the loop's time."""

    answer: Response
    fresh: float
    while_revalidating: float
    if_error: float


class HttpCache:
    """Keeps answers as RFC 9111 says; those that say nothing, for the time of the policy."""

    def __init__(self, policy: Policy) -> None:
        self._shelf: Shelf[_Kept] = shelf_of(policy)
        self._ttl = policy.ttl.seconds
        self._flights: Flights[tuple[Response, Outcome]] = Flights()
        self._now = asyncio.get_running_loop().time

    async def get(
        self, key: bytes, call: Call, fetch: Fetch, *, deadline: float
    ) -> tuple[Response, Outcome]:
        """The answer for `key`. One that is stale by now is used where it allows that: at once,
        while a new one is fetched for those to come, or when a new one cannot be had."""
        kept, now = self._shelf.get(key), self._now()
        if kept and now < kept.fresh:
            return kept.answer, "hit"

        async def renew() -> tuple[Response, Outcome]:
            return await self._renewed(key, kept, call, fetch)

        if kept and now < kept.while_revalidating:
            self._flights.begin(key, renew)
            return kept.answer, "stale"
        is_joined = self._flights.is_under_way(key)
        try:
            answer, outcome = await self._flights.join(key, renew, deadline=deadline)
        except (Upstream, TimeoutError) as error:
            if kept and _is_failure(error) and self._now() < kept.if_error:
                return kept.answer, "stale"
            raise
        return answer, "joined" if is_joined else outcome

    async def _renewed(
        self, key: bytes, kept: _Kept | None, call: Call, fetch: Fetch
    ) -> tuple[Response, Outcome]:
        asked_at = self._now()
        asking = _conditions(kept, call)
        try:
            answer = await fetch(call._replace(headers=[*call.headers, *asking]))
        except Upstream as fault:
            if not (kept and asking and fault.answer and fault.answered == _NOT_MODIFIED):
                raise
            answer = freshness.confirmed(kept.answer, fault.answer)
            self._keep(key, answer, asked_at)
            return answer, "revalidated"
        self._keep(key, answer, asked_at)
        return answer, "miss"

    def _keep(self, key: bytes, answer: Response, asked_at: float) -> None:
        now = self._now()
        found = freshness.of(answer, ttl=self._ttl, arrived=time.time(), took=now - asked_at)
        if found is None or not (_is_of_use(found) or freshness.conditions(answer)):
            self._shelf.drop(key)
            return
        kept = _Kept(
            answer,
            now + found.fresh,
            now + found.while_revalidating,
            now + found.if_error,
        )
        self._shelf.put(key, kept, size_of(key, answer))


def _is_of_use(found: freshness.Freshness) -> bool:
    """Whether it may be used without being asked for again."""
    return max(found.fresh, found.while_revalidating, found.if_error) > 0


def _conditions(kept: _Kept | None, call: Call) -> list[Header]:
    if kept is None or any(name in _ASKS_ITSELF for name, _ in call.headers):
        return []
    return freshness.conditions(kept.answer)


def _is_failure(error: Exception) -> bool:
    """Whether the system failed, or could not be asked, rather than refused (RFC 5861, 4)."""
    answered = error.answered if isinstance(error, Upstream) else None
    return answered is None or answered >= 500
