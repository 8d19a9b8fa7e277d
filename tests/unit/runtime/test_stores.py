"""What one message remembers and looks up."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from isthmus_api.store import Lookup
from isthmus_runtime import stores, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Broken, Fault
from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.journal.journal import Unavailable
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Waiting


class CountingStore:
    """A store with one entry, which counts how often it is asked."""

    def __init__(self, *, away: bool = False) -> None:
        self.asked = 0
        self._away = away

    async def put(self, memories: Sequence[Memory]) -> None:
        raise AssertionError(memories)

    async def get(
        self, namespace: str, store: str, *, key: str | None = None, reference: str | None = None
    ) -> Memory | None:
        self.asked += 1
        if self._away:
            raise Unavailable("away")
        found = Memory(namespace=namespace, store=store, key="7", value=b'"Jan"')
        return found if key == "7" else None


def looking_up(store: CountingStore, key: str) -> Waiting:
    spec = Lookup(store="customers", key=key)
    return stores.Stores("shop", lambda: store).looking_up(spec, Binder())


def message(body: Any = None) -> Exchange:
    return Exchange(Body.of(body), variables={}, deadline=0, trace=tracing.of([]))


async def found(verb: Waiting) -> Any:
    body = await verb(message())
    return body and body.value


async def test_one_message_asks_once_for_an_entry_and_the_next_one_again() -> None:
    store = CountingStore()
    there, missing = looking_up(store, "7"), looking_up(store, "8")

    async def one() -> list[Any]:
        stores.begin()
        answers = [await found(there), await found(there), await found(missing)]
        # What a split runs side by side belongs to the message, too.
        return [*answers, *await asyncio.gather(found(there), found(missing))]

    entry = {"key": "7", "reference": None, "value": "Jan"}
    assert await one() == [entry, entry, None, entry, None]
    assert store.asked == 2
    await one()
    assert store.asked == 4


async def test_what_one_message_keeps_at_hand_is_bounded() -> None:
    store = CountingStore()
    stores.begin()

    for key in range(stores.MAX_KEPT + 50):
        await found(looking_up(store, str(key + 100)))
    before = store.asked
    await found(looking_up(store, "100"))
    await found(looking_up(store, str(stores.MAX_KEPT + 140)))

    assert store.asked == before + 1


async def test_a_store_that_is_away_is_a_failure_that_may_pass() -> None:
    stores.begin()

    with pytest.raises(Fault) as failed:
        await found(looking_up(CountingStore(away=True), "7"))

    assert (failed.value.reason, failed.value.status) == ("JournalUnavailable", 503)
    assert not isinstance(failed.value, Broken)


async def test_an_empty_key_is_refused() -> None:
    stores.begin()

    with pytest.raises(Broken, match="the key of the entry is empty"):
        await found(looking_up(CountingStore(), "{% nothing %}"))
