"""What a call's cache keeps, in time that a test turns."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.step import Cache
from isthmus_runtime import testing
from isthmus_runtime.connectors.cache import ResponseCache
from isthmus_runtime.http.messages import Response

FAR = 1e9


@given(
    asked=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 40)), max_size=60),
    entries=st.integers(1, 4),
)
def test_it_never_holds_more_answers_or_bytes_than_allowed(
    asked: list[tuple[str, int]], entries: int
) -> None:
    policy = Cache.model_validate({"ttl": "5s", "maxEntries": entries, "maxSize": "100"})

    async def everything() -> None:
        cache = ResponseCache(policy)
        for name, size in asked:

            async def fetch(size: int = size) -> Response:
                return Response(200, [], b"x" * size)

            await cache.get(name.encode(), fetch, deadline=FAR)
            await asyncio.sleep(1)
            kept = cache._entries
            assert len(kept) <= entries
            assert cache._bytes == sum(1 + len(e.answer.body) for e in kept.values()) <= 100

    testing.run(everything())


def test_an_answer_ends_with_its_time_to_the_moment() -> None:
    calls: list[float] = []

    async def everything() -> list[Any]:
        loop = asyncio.get_running_loop()
        cache = ResponseCache(Cache.model_validate({"ttl": "10s"}))

        async def fetch() -> Response:
            calls.append(loop.time())
            return Response(200)

        outcomes = []
        for pause in (0, 9, 0.5, 0.5, 0):
            await asyncio.sleep(pause)
            outcomes.append((await cache.get(b"k", fetch, deadline=FAR))[1])
        return outcomes

    assert testing.run(everything()) == ["miss", "hit", "hit", "miss", "hit"]
    assert len(calls) == 2
