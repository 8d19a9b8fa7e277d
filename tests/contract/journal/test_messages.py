"""Messages: accepted, claimed, settled, and nobody else's meanwhile."""

import asyncio
from collections import Counter

import pytest
from journals import ROUTE, accepted, bodies, broken, draft, ended, older, one, until, wish

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.entries import Draft, Latest, State, new_uid
from isthmus_runtime.journal.journal import Journal

ENDS = {"done": State.FINISHED, "held": State.DEAD}


async def test_a_message_comes_back_as_it_was_accepted(journal: Journal) -> None:
    given = Draft(
        route=ROUTE,
        uid=new_uid(),
        identity="a" * 64,
        body=b'{"order_number": "100045", "name": "Zo\xc3\xab"}',
        content_type="application/json; charset=utf-8",
        request=b'{"query": {"q": "1"}}',
        key="100045",
        version="2026-01-01T00:00:00Z",
        correlation_id="abc-1",
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        parent=new_uid(),
    )
    assert await journal.accept([given]) == 1

    found = await one(journal)

    for name in (
        *("route", "uid", "identity", "body", "content_type", "request"),
        *("key", "version", "correlation_id", "trace", "parent"),
    ):
        assert getattr(found, name) == getattr(given, name), name
    assert found.attempt == 1
    assert found.accepted_at <= found.claimed_at
    assert (found.latest, found.delivered) == (None, False)


async def test_messages_are_claimed_in_the_order_in_which_they_were_accepted(
    journal: Journal,
) -> None:
    await accepted(journal, "1", "2", "3")
    await journal.accept([draft("4"), draft("5")])

    assert await bodies(journal, limit=2) == ["1", "2"]
    assert await bodies(journal) == ["3", "4", "5"]


async def test_a_claimed_message_is_nobody_elses(journal: Journal) -> None:
    await accepted(journal, "1")
    await one(journal)

    assert await bodies(journal, owner="another") == []


async def test_a_route_claims_only_its_own(journal: Journal) -> None:
    await accepted(journal, "1", route="shop/other")

    assert await bodies(journal) == []
    assert await bodies(journal, route="shop/other") == ["1"]


@pytest.mark.parametrize(
    "state", [State.FINISHED, State.SKIPPED, State.REJECTED, State.DEAD], ids=str
)
async def test_what_is_settled_is_not_claimed_again(journal: Journal, state: State) -> None:
    await accepted(journal, "1")

    assert await journal.settle(ended(await one(journal), state, reason="Any", detail="any"))
    assert await bodies(journal) == []
    assert await journal.backlog(ROUTE) == 0


async def test_a_retry_waits_for_its_delay(journal: Journal) -> None:
    await accepted(journal, "1", "2")
    first, second = await journal.claim(wish())

    assert await journal.settle(ended(first, State.RETRY, delay=3600))
    assert await journal.settle(ended(second, State.RETRY, delay=0.05))
    assert await journal.backlog(ROUTE) == 2
    again = (await until(lambda: journal.claim(wish())))[0]

    assert (again.uid, again.attempt) == (second.uid, 2)
    assert await bodies(journal) == []


async def test_next_due_is_when_a_retry_or_a_lease_ends(journal: Journal) -> None:
    assert await journal.next_due(ROUTE) is None
    await accepted(journal, "1")
    message = await one(journal, lease=100)
    assert 90 < (await journal.next_due(ROUTE) or 0) <= 100

    await journal.settle(ended(message, State.RETRY, delay=1000))

    assert 990 < (await journal.next_due(ROUTE) or 0) <= 1000
    assert await journal.next_due("shop/other") is None


async def test_a_claim_that_is_not_extended_is_due_again(journal: Journal) -> None:
    await accepted(journal, "1")
    lost = await one(journal, lease=0.05)

    [again] = await until(lambda: journal.claim(wish(owner="another")))

    assert (again.uid, again.attempt) == (lost.uid, 2)
    assert again.token != lost.token
    assert not await journal.settle(ended(lost)), "a lost token settles nothing"
    assert await journal.settle(ended(again))


async def test_a_claim_that_is_extended_stays(journal: Journal) -> None:
    await accepted(journal, "1", "2")
    claimed = await journal.claim(wish(lease=0.2))

    await journal.extend(claimed, 3600)

    assert (await journal.next_due(ROUTE) or 0) > 3000
    await asyncio.sleep(0.25)  # longer than the first lease; nothing else could be awaited
    assert await bodies(journal) == []


async def test_a_lost_token_extends_and_releases_nothing(journal: Journal) -> None:
    await accepted(journal, "1")
    message = await one(journal)

    await journal.extend([older(message)], 0.0)
    await journal.release([older(message)])

    assert await bodies(journal) == []
    assert not await journal.settle(ended(older(message)))
    assert await journal.settle(ended(message))


async def test_what_is_released_is_due_and_the_attempt_does_not_count(journal: Journal) -> None:
    await accepted(journal, "1")
    message = await one(journal)

    await journal.release([message])
    again = await one(journal)

    assert again.attempt == 1
    assert not await journal.settle(ended(message))


async def test_what_is_released_for_later_is_due_then_and_the_attempt_does_not_count(
    journal: Journal,
) -> None:
    await accepted(journal, "1", "2")
    first, second = await journal.claim(wish())
    assert await journal.settle(ended(second, State.RETRY))
    (second,) = await journal.claim(wish())

    await journal.release([first], after=3600)
    await journal.release([second], after=0.2)

    assert await bodies(journal) == []
    assert 0 < (await journal.next_due(ROUTE) or 0) <= 0.2
    async with asyncio.timeout(10):
        while not (claimed := await journal.claim(wish())):
            pass
    assert [(each.sequence, each.attempt) for each in claimed] == [(second.sequence, 2)]
    assert (await journal.next_due(ROUTE) or 0) > 20  # that of the lease, or of the first one


async def test_a_settlement_that_is_repeated_holds_and_changes_nothing(journal: Journal) -> None:
    await accepted(journal, "1", "2")
    first, second = await journal.claim(wish())
    feed = draft("fed", route="shop/fed")

    assert await journal.settle(ended(first, feeds=(feed,)))
    assert await journal.settle(ended(first, feeds=(feed,)))
    assert await journal.settle(ended(second, State.RETRY, delay=3600))
    assert await journal.settle(ended(second, State.RETRY, delay=0))

    assert await bodies(journal, route="shop/fed") == ["fed"]
    assert await bodies(journal) == []


async def test_a_uid_that_is_accepted_twice_is_one_message(journal: Journal) -> None:
    given = draft("1")

    assert await journal.accept([given]) == 1
    await journal.accept([given])
    await journal.accept([given, draft("2")])

    assert await bodies(journal) == ["1", "2"]


async def test_a_settlement_feeds_other_routes_in_its_transaction(journal: Journal) -> None:
    await accepted(journal, "1")
    message = await one(journal)
    feeds = tuple(draft("fed", route=f"shop/{n}", parent=message.uid) for n in range(3))

    assert not await journal.settle(ended(older(message), feeds=feeds))
    assert await bodies(journal, route="shop/0") == []
    assert await journal.settle(ended(message, feeds=feeds))

    for n in range(3):
        assert (await one(journal, route=f"shop/{n}")).parent == message.uid


async def test_what_was_delivered_is_noted_for_routes_that_ask(journal: Journal) -> None:
    for body, version in (("1", "v1"), ("2", "v2")):
        await journal.accept([draft(body, key="k", identity=f"id{body}", version=version)])
    first = await one(journal, limit=1, serial=True, notes=True)
    assert (first.latest, first.delivered) == (None, False)
    await journal.settle(ended(first, notes=True))

    second = await one(journal, serial=True, notes=True)
    assert second.latest == Latest(version="v1", identity="id1")
    assert not second.delivered
    await journal.settle(ended(second))
    await journal.accept([draft("1", key="k", identity="id1", version="v1")])
    again = await one(journal, notes=True)

    assert again.latest == Latest(version="v1", identity="id1"), "the second was not to be noted"
    assert again.delivered


@pytest.mark.parametrize(
    ("before", "then", "passes"),
    [
        pytest.param([], "a", True, id="nothing of its key was there"),
        pytest.param(["a open"], "a", False, id="the same is under way"),
        pytest.param(["a done"], "a", False, id="the same was delivered last"),
        pytest.param(["a done"], "b", True, id="another was delivered last"),
        pytest.param(["a done", "b open"], "a", True, id="it changed back before it was delivered"),
        pytest.param(["a done", "b open"], "b", False, id="the change is under way"),
        pytest.param(["a done", "b done"], "a", True, id="it changed back after it was delivered"),
        pytest.param(["a done", "b dead"], "a", False, id="the change died, and was taken back"),
        pytest.param(["a done", "b dead"], "b", False, id="the change died, and is found again"),
        pytest.param(["a dead"], "a", False, id="it died, and is found again"),
        pytest.param(["a rejected"], "a", False, id="it was rejected, and is found again"),
        pytest.param(["a held"], "a", False, id="it holds its key, and is found again"),
        pytest.param(["a skipped"], "a", False, id="it was dropped, and is found again"),
        pytest.param(["a dead", "b dead"], "a", True, id="it changed back after both died"),
    ],
)
async def test_a_draft_that_comes_once_is_passed_over_when(
    journal: Journal, before: list[str], then: str, passes: bool
) -> None:
    for each in before:
        identity, state = each.split()
        await journal.accept([draft(key="k", identity=identity, once=True)])
        if state != "open":
            message = await one(journal)
            end = ENDS.get(state) or State(state)
            await journal.settle(ended(message, end, notes=state == "done", holds=state == "held"))

    assert await journal.accept([draft(key="k", identity=then, once=True)]) == int(passes)


async def test_what_was_replayed_out_of_order_is_told_from_what_was_accepted_last(
    journal: Journal,
) -> None:
    """`b` was delivered after `a`, then `a` was replayed: its target has `a`, so `b` is news."""

    async def deliver(identity: str) -> None:
        await journal.settle(ended(await one(journal), notes=True))
        assert await journal.accept([record(identity)]) == 0

    def record(identity: str) -> Draft:
        return draft(key="k", identity=identity, once=True)

    await journal.accept([record("b")])
    await deliver("b")
    await journal.accept([draft(key="k", identity="a")])  # as a replay, older than what came last
    await deliver("a")

    assert await journal.accept([record("b")]) == 1


async def test_drafts_that_come_once_are_compared_within_a_call(journal: Journal) -> None:
    def product(key: str, identity: str) -> Draft:
        return draft(identity, key=key, identity=identity, once=True)

    found = [product("k", "a"), product("k", "a"), product("l", "x"), product("k", "b")]
    assert await journal.accept([*found, product("k", "a")]) == 4

    assert await bodies(journal) == ["a", "x", "b", "a"]


async def test_a_call_is_accepted_whole_or_not_at_all(journal: Journal) -> None:
    with pytest.raises(Exception, match=r".+"):
        await journal.accept([draft("1"), broken()])

    assert await bodies(journal) == []
    assert await journal.backlog(ROUTE) == 0


async def test_a_broken_draft_does_not_harm_those_accepted_beside_it(journal: Journal) -> None:
    done = await asyncio.gather(
        *(journal.accept([draft(str(n))]) for n in range(5)),
        journal.accept([broken()]),
        *(journal.accept([draft(str(n))]) for n in range(5, 10)),
        return_exceptions=True,
    )

    assert [each for each in done if not isinstance(each, Exception)] == [1] * 10
    assert len(await bodies(journal)) == 10


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("a\0b", id="with a NUL"),
        pytest.param("\ud800", id="with half a surrogate"),
        pytest.param("k" * 100_000, id="very long"),
        pytest.param("é" * 5_000, id="very long and not ASCII"),
        pytest.param("", id="empty"),
    ],
)
async def test_a_strange_key_is_taken(journal: Journal, key: str) -> None:
    await journal.accept([draft("1", key=key, version=key, correlation_id=key)])
    await journal.accept([draft("2", key=key)])
    await journal.accept([draft("3", key=f"{key}x")])

    assert await bodies(journal, serial=True) == ["1", "3"]


async def test_a_large_message_is_taken(journal: Journal) -> None:
    body = "x" * 20_000_000
    await accepted(journal, body)

    message = await one(journal)

    assert len(message.body) == 20_000_000
    assert await journal.settle(ended(message, journey=b'"' + b"y" * 5_000_000 + b'"'))


async def test_the_backlog_counts_what_has_to_be_worked_on(journal: Journal) -> None:
    await accepted(journal, "1", "2", "3", "4")
    await accepted(journal, "1", route="shop/other")
    first, second, third, _ = await journal.claim(wish())
    await journal.settle(ended(first))
    await journal.settle(ended(second, State.RETRY, delay=3600))
    await journal.settle(ended(third, State.DEAD, holds=True))

    assert await journal.backlog(ROUTE) == 2
    assert await journal.backlog("shop/other") == 1
    assert await journal.backlog("shop/none") == 0


async def test_who_listens_is_woken_by_what_comes(journal: Journal) -> None:
    woken, other = asyncio.Event(), asyncio.Event()
    stop = journal.listen(ROUTE, woken.set)
    journal.listen("shop/other", other.set)
    await journal.claim(wish())
    woken.clear()

    await accepted(journal, "1")
    await asyncio.wait_for(woken.wait(), 20)

    message = await one(journal)
    woken.clear()
    await journal.release([message])
    await asyncio.wait_for(woken.wait(), 20)

    other.clear()
    await journal.settle(ended(await one(journal), feeds=(draft(route="shop/other"),)))
    await asyncio.wait_for(other.wait(), 20)
    stop()
    stop()


async def test_who_listens_is_not_woken_by_what_comes_for_others(journal: Journal) -> None:
    """But for the times at which a home wakes everybody, to be sure."""
    heard: Counter[str] = Counter()
    for route in (ROUTE, "shop/other"):
        journal.listen(route, lambda route=route: heard.update((route,)))  # type: ignore[misc]

    await accepted(journal, *map(str, range(20)))

    assert await until(lambda: _listened(heard[ROUTE] - heard["shop/other"])) >= 20


async def _listened(count: int) -> int:
    return count if count >= 20 else 0


async def test_a_worker_that_is_cancelled_gives_back_what_it_asked_for(journal: Journal) -> None:
    await accepted(journal, "1")
    claiming = asyncio.create_task(journal.claim(wish()))
    await asyncio.sleep(0)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming

    [message] = await until(lambda: journal.claim(wish()))
    assert message.attempt == 1


async def test_everything_is_there_when_the_journal_is_opened_again(address: str) -> None:
    journal = await opening.open(address)
    await accepted(journal, "1", "2", "3")
    first, second = await journal.claim(wish(limit=2))
    await journal.settle(ended(first))
    await journal.settle(ended(second, State.RETRY, delay=3600))
    await journal.close()

    journal = await opening.open(address)
    assert await bodies(journal) == ["3"]
    assert await journal.backlog(ROUTE) == 2
    await journal.close()
