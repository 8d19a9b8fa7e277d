"""Messages of a batch that come together again, in both homes."""

from collections.abc import Sequence

from journals import ROUTE, accepted, draft, ended, one, until, wish

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.desk import Act, Filter
from isthmus_runtime.journal.entries import Composition, Message, State
from isthmus_runtime.journal.journal import Journal

LATER = 3600.0


def batch(size: int, key: str = "k") -> Composition:
    return Composition(key=key, size=size)


async def leave(
    journal: Journal, messages: Sequence[Message], composition: Composition, *, first: float = 0.0
) -> None:
    """Have them tried again together: the first soon, the others by themselves much later."""
    for number, message in enumerate(messages):
        delay = LATER if number else first
        again = ended(message, State.RETRY, delay=delay, composition=composition)
        assert await journal.settle(again)


async def claimed(journal: Journal, **given: object) -> list[Message]:
    return await until(lambda: journal.claim(wish(composed=True, **given)))


def told(messages: Sequence[Message]) -> list[tuple[str, Composition | None]]:
    return [(each.body.decode(), each.composition) for each in messages]


async def test_the_first_brings_the_others_along(journal: Journal) -> None:
    await accepted(journal, "1", "2", "3", "4")
    messages = await journal.claim(wish(limit=3))
    await leave(journal, messages, batch(3))

    assert told(await claimed(journal, limit=2)) == [
        ("1", batch(3)),
        ("2", batch(3)),
        ("3", batch(3)),
        ("4", None),
    ]


async def test_they_come_with_attempts_and_claims_of_their_own(journal: Journal) -> None:
    await accepted(journal, "1", "2")
    await leave(journal, await journal.claim(wish()), batch(2))

    again = await claimed(journal, notes=True)

    assert [each.attempt for each in again] == [2, 2]
    assert [await journal.settle(ended(each)) for each in again] == [True, True]
    assert await journal.backlog(again[0].route) == 0


async def test_who_does_not_ask_gets_them_one_by_one(journal: Journal) -> None:
    """As a runtime of before, or a Route that delivers no batches any more."""
    await accepted(journal, "1", "2")
    await leave(journal, await journal.claim(wish()), batch(2))

    assert told(await until(lambda: journal.claim(wish()))) == [("1", None)]


async def test_what_was_settled_is_remembered_no_longer(journal: Journal) -> None:
    await accepted(journal, "1", "2")
    await leave(journal, await journal.claim(wish()), batch(2))
    first, second = await claimed(journal)
    await journal.settle(ended(first))
    await journal.settle(ended(second, State.RETRY))

    assert told(await claimed(journal)) == [("2", None)]


async def test_a_lost_claim_comes_as_the_batch_that_it_was(journal: Journal) -> None:
    await accepted(journal, "1", "2")
    await leave(journal, await journal.claim(wish()), batch(2))
    await claimed(journal, lease=0.01)

    assert told(await claimed(journal)) == [("1", batch(2)), ("2", batch(2))]


async def test_each_batch_comes_whole_and_no_more_of_them_than_asked_for(journal: Journal) -> None:
    await accepted(journal, *"123456")
    messages = await journal.claim(wish())
    for start in (0, 2, 4):
        await leave(journal, messages[start : start + 2], batch(2, f"k{start}"))

    seen = [told(await claimed(journal, limit=2)) for _ in range(3)]

    assert seen == [
        [("1", batch(2, "k0")), ("2", batch(2, "k0"))],
        [("3", batch(2, "k2")), ("4", batch(2, "k2"))],
        [("5", batch(2, "k4")), ("6", batch(2, "k4"))],
    ]


async def test_in_order_none_comes_before_an_older_one_of_its_key(
    journal: Journal, address: str
) -> None:
    """An older message that is replayed while the batch waits goes first."""
    [uid] = await accepted(journal, "a1", key="a")
    await journal.settle(ended(await one(journal, serial=True), State.DEAD))
    await journal.accept([draft("a2", key="a"), draft("b1", key="b")])
    a2, b1 = await journal.claim(wish(serial=True))
    await leave(journal, [b1, a2], batch(2))
    await replay(address, uid)

    a1, again = await claimed(journal, serial=True)
    assert told([a1, again]) == [("a1", None), ("b1", batch(2))]

    await journal.settle(ended(again, State.RETRY, composition=again.composition))
    await journal.settle(ended(a1))
    assert told(await claimed(journal, serial=True)) == [("a2", batch(2)), ("b1", batch(2))]


async def replay(address: str, uid: str) -> None:
    """As an operator does."""
    desk = await opening.desk(address)
    act = Act(name="act", who="jan", why="mended")
    done = [each async for step in desk.replay(act, Filter(uids=(uid,))) for each in step.uids]
    await desk.close()
    assert done == [uid]


async def test_in_order_a_batch_comes_together(journal: Journal) -> None:
    await journal.accept([draft(key, key=key) for key in ("a", "b", "a")])
    messages = await journal.claim(wish(serial=True))
    await leave(journal, messages, batch(2))

    assert told(await claimed(journal, serial=True)) == [("a", batch(2)), ("b", batch(2))]


async def test_of_a_batch_whose_message_is_gone_the_rest_comes(journal: Journal) -> None:
    await accepted(journal, "1")
    await leave(journal, [await one(journal)], batch(2))

    assert told(await claimed(journal)) == [("1", batch(2))]


async def test_pruning_forgets_the_batch_of_what_was_dropped(
    journal: Journal, address: str
) -> None:
    """And not that of what waits."""
    await accepted(journal, "1", "2")
    messages = await journal.claim(wish())
    await leave(journal, messages, batch(2), first=LATER)
    desk = await opening.desk(address)
    act = Act(name="act", who="jan", why="a test")
    chosen = Filter(uids=(messages[0].uid,), states=(State.RETRY,))
    dropped = [uid async for step in desk.drop(act, chosen) for uid in step.uids]

    await journal.prune(ROUTE, settled_for=LATER, at_most=100)
    replayed = Filter(uids=(messages[0].uid,), states=(State.SKIPPED,))
    async for _ in desk.replay(Act(name="again", who="jan", why="a test"), replayed):
        pass
    await desk.close()

    assert dropped == [messages[0].uid]
    assert told(await claimed(journal)) == [("1", None)]
