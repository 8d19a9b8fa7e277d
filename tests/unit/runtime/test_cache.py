"""What a call's cache keeps, in time that a test turns."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.step import Cache
from isthmus_runtime import testing
from isthmus_runtime.connectors.cache import TimedCache
from isthmus_runtime.connectors.connector import Call
from isthmus_runtime.connectors.http_cache import HttpCache
from isthmus_runtime.faults import Upstream
from isthmus_runtime.http.messages import Response

FAR = 1e9
CALL = Call("GET", "/", [], b"", repeatable=True)


@given(
    asked=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 40)), max_size=60),
    entries=st.integers(1, 4),
)
def test_it_never_holds_more_answers_or_bytes_than_allowed(
    asked: list[tuple[str, int]], entries: int
) -> None:
    policy = Cache.model_validate({"ttl": "5s", "maxEntries": entries, "maxSize": "100"})

    async def everything() -> None:
        cache = TimedCache(policy)
        for name, size in asked:

            async def fetch(call: Call, size: int = size) -> Response:
                return Response(200, [], b"x" * size)

            await cache.get(name.encode(), CALL, fetch, deadline=FAR)
            await asyncio.sleep(1)
            held = [
                1 + len(kept[0].body)
                for name in sorted({name for name, _ in asked})
                if (kept := cache.shelf.get(name.encode()))
            ]
            assert len(held) == len(cache.shelf) <= entries
            assert cache.shelf.bytes == sum(held) <= 100

    testing.run(everything())


def test_an_answer_ends_with_its_time_to_the_moment() -> None:
    calls: list[float] = []

    async def everything() -> list[Any]:
        loop = asyncio.get_running_loop()
        cache = TimedCache(Cache.model_validate({"ttl": "10s"}))

        async def fetch(call: Call) -> Response:
            calls.append(loop.time())
            return Response(200)

        outcomes = []
        for pause in (0, 9, 0.5, 0.5, 0):
            await asyncio.sleep(pause)
            outcomes.append((await cache.get(b"k", CALL, fetch, deadline=FAR))[1])
        return outcomes

    assert testing.run(everything()) == ["miss", "hit", "hit", "miss", "hit"]
    assert len(calls) == 2


def test_an_answer_that_says_how_long_it_is_fresh_ends_with_that_time_to_the_moment() -> None:
    said = [(b"cache-control", b"max-age=10, stale-if-error=5"), (b"age", b"2")]
    healthy = [True]

    async def fetch(call: Call) -> Response:
        if healthy[0]:
            return Response(200, said)
        raise Upstream("UnexpectedStatus", "erp answered 503", connector="erp", answered=503)

    async def everything() -> list[str]:
        cache = HttpCache(Cache.model_validate({"mode": "http", "ttl": "1h"}))

        async def outcome() -> str:
            try:
                return (await cache.get(b"k", CALL, fetch, deadline=FAR))[1]
            except Upstream:
                return "failed"

        outcomes = [await outcome()]
        healthy[0] = False
        for pause in (7.9, 0.1, 4.9, 0.1):
            await asyncio.sleep(pause)
            outcomes.append(await outcome())
        return outcomes

    assert testing.run(everything()) == ["miss", "hit", "stale", "stale", "failed"]
