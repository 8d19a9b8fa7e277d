"""Pruning: the old and the many go, what is dead or under way stays."""

from journals import ROUTE, accepted, bodies, draft, ended, until, wish

from isthmus_runtime.journal.entries import Memory, State
from isthmus_runtime.journal.journal import Journal

ALL = 1_000_000


async def settled(journal: Journal, count: int, state: State = State.FINISHED) -> None:
    await journal.accept([draft(str(n)) for n in range(count)])
    for message in await journal.claim(wish(limit=count)):
        await journal.settle(ended(message, state, journey=b"{}"))


async def test_what_was_settled_long_ago_goes(journal: Journal) -> None:
    await settled(journal, 3)
    assert await journal.prune(ROUTE, settled_for=3600, at_most=ALL) == 0

    assert await journal.prune(ROUTE, settled_for=0, at_most=ALL) == 3
    assert await journal.prune(ROUTE, settled_for=0, at_most=ALL) == 0


async def test_the_oldest_go_where_there_are_too_many(journal: Journal) -> None:
    await settled(journal, 5)
    await settled(journal, 4, State.SKIPPED)
    await settled(journal, 3, State.REJECTED)

    assert await journal.prune(ROUTE, settled_for=3600, at_most=10) == 2
    assert await journal.prune(ROUTE, settled_for=3600, at_most=10) == 0
    assert await journal.prune(ROUTE, settled_for=3600, at_most=0) == 10


async def test_dead_ones_stay(journal: Journal) -> None:
    await settled(journal, 3, State.DEAD)

    assert await journal.prune(ROUTE, settled_for=0, at_most=0) == 0


async def test_what_is_under_way_stays(journal: Journal) -> None:
    await accepted(journal, "new", "processing", "retry")
    _, _, third = await journal.claim(wish())
    await journal.settle(ended(third, State.RETRY, delay=0))

    assert await journal.prune(ROUTE, settled_for=0, at_most=0) == 0
    assert await until(lambda: bodies(journal)) == ["retry"]


async def test_other_routes_are_left_alone(journal: Journal) -> None:
    await settled(journal, 3)

    assert await journal.prune("shop/other", settled_for=0, at_most=0) == 0
    assert await journal.prune(ROUTE, settled_for=0, at_most=0) == 3


async def test_many_go_in_several_transactions(journal: Journal) -> None:
    await settled(journal, 1200)

    assert await journal.prune(ROUTE, settled_for=0, at_most=ALL) == 1200


async def test_a_uid_that_was_pruned_may_come_again(journal: Journal) -> None:
    given = draft("1")
    await journal.accept([given])
    [message] = await journal.claim(wish())
    await journal.settle(ended(message))
    await journal.prune(ROUTE, settled_for=0, at_most=0)

    await journal.accept([given])

    assert await bodies(journal) == ["1"]


async def test_what_was_delivered_is_known_after_its_message_is_gone(journal: Journal) -> None:
    await journal.accept([draft("1", key="k", identity="same")])
    [message] = await journal.claim(wish(notes=True))
    await journal.settle(ended(message, notes=True))
    assert await journal.prune(ROUTE, settled_for=0, at_most=0) == 1

    await journal.accept([draft("1", key="k", identity="same")])
    [again] = await journal.claim(wish(notes=True))

    assert again.delivered
    assert again.latest is not None


async def test_expired_values_of_the_store_go(journal: Journal) -> None:
    for key, ttl in (("old", 0.0), ("new", 3600.0), ("for ever", None)):
        kept = Memory(namespace="shop", store="s", key=key, value=b"1", ttl=ttl)
        await journal.put([kept])

    await journal.prune(ROUTE, settled_for=0, at_most=0)

    assert await journal.get("shop", "s", key="old") is None
    assert await journal.get("shop", "s", key="new") is not None
    assert await journal.get("shop", "s", key="for ever") is not None
