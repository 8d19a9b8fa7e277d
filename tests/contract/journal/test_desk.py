"""The desk: finding messages, and sending them again."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from journals import ROUTE, accepted, bodies, draft, ended, one, until, wish

from isthmus_runtime.journal import mending, opening
from isthmus_runtime.journal.desk import Act, Body, Desk, Filter, WrongWish
from isthmus_runtime.journal.entries import Memory, Message, State
from isthmus_runtime.journal.journal import Journal, JournalError

OTHER = "shop/stock-to-shop"
ACT = Act(name="act-1", who="sam", why="the ERP is mended")


@pytest.fixture
async def desk(journal: Journal, address: str) -> AsyncIterator[Desk]:
    """A desk beside a runtime that works."""
    opened = await opening.desk(address)
    yield opened
    await opened.close()


async def dead(journal: Journal, *names: str, route: str = ROUTE, **given: object) -> list[str]:
    """Messages that died, for the reason 503; their uids."""
    uids = await accepted(journal, *names, route=route, key=given.pop("key", None))
    kept: dict[str, object] = {
        "reason": "TargetUnavailable",
        "detail": "The ERP answered 503.",
        "group": "erp 503",
    }
    claimed = await journal.claim(wish(route=route, limit=1000))
    died = (ended(message, State.DEAD, **(kept | given)) for message in claimed)
    await asyncio.gather(*(journal.settle(each) for each in died))
    return uids


async def replayed(
    desk: Desk, chosen: Filter, act: Act = ACT, body: Body | None = None
) -> list[str]:
    """Replay; the uids, in the order in which it was done."""
    return [uid async for step in desk.replay(act, chosen, body=body) for uid in step.uids]


async def dropped(desk: Desk, chosen: Filter, act: Act = ACT) -> list[str]:
    """Drop; the uids, in the order in which it was done."""
    return [uid async for step in desk.drop(act, chosen) for uid in step.uids]


async def listed(desk: Desk, chosen: Filter | None = None) -> list[str]:
    """The uids of all pages, newest first."""
    found: list[str] = []
    cursor = None
    while True:
        page = await desk.find(chosen or Filter(), limit=3, cursor=cursor)
        found += [line.uid for line in page.lines]
        cursor = page.cursor
        if cursor is None:
            return found


async def test_a_list_has_every_message_newest_first(journal: Journal, desk: Desk) -> None:
    uids = await accepted(journal, *map(str, range(7)))
    await journal.settle(ended((await journal.claim(wish(limit=1)))[0]))

    assert await listed(desk) == uids[::-1]


async def test_a_line_says_how_a_message_stands(journal: Journal, desk: Desk) -> None:
    await journal.accept(
        [draft("12345", key="100045", version="v1", correlation_id="c-1", identity="same")]
    )
    message = await one(journal)
    await journal.settle(ended(message, State.RETRY, delay=100, reason="Timeout"))

    [line] = (await desk.find(Filter())).lines

    assert (line.uid, line.route, line.state) == (message.uid, ROUTE, State.RETRY)
    assert (line.key, line.version, line.identity) == ("100045", "v1", "same")
    assert (line.attempts, line.size, line.correlation_id) == (1, 5, "c-1")
    assert line.due_in is not None
    assert 90 < line.due_in <= 100
    assert line.accepted_at == message.accepted_at
    assert line.changed_at >= message.claimed_at


@pytest.fixture
async def mixed(journal: Journal) -> dict[str, str]:
    """A message in every state, and one of another Route; their uids by name."""
    uids = {}
    states = {
        "finished": State.FINISHED,
        "skipped": State.SKIPPED,
        "rejected": State.REJECTED,
        "dead": State.DEAD,
        "held": State.DEAD,
    }
    for name, state in states.items():
        [uids[name]] = await accepted(journal, name, key=f"k-{name}")
        await journal.settle(
            ended(await one(journal), state, holds=name == "held", group=f"g-{name}")
        )
    [uids["retry"]] = await accepted(journal, "retry", key="k-retry")
    await journal.settle(ended(await one(journal), State.RETRY, delay=3600))
    [uids["processing"]] = await accepted(journal, "processing", key="k-processing")
    await one(journal)
    [uids["new"]] = await accepted(journal, "new", key="k-new")
    [uids["other"]] = await accepted(journal, "other", key="k-dead", route=OTHER)
    return uids


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        pytest.param(Filter(states=(State.NEW,)), "new other", id="new"),
        pytest.param(Filter(states=(State.RETRY,)), "retry", id="in retry"),
        pytest.param(Filter(states=(State.PROCESSING,)), "processing", id="under way"),
        pytest.param(Filter(states=(State.DEAD,)), "dead held", id="dead"),
        pytest.param(Filter(states=(State.REJECTED,)), "rejected", id="rejected"),
        pytest.param(Filter(states=(State.FINISHED,)), "finished", id="finished"),
        pytest.param(
            Filter(states=(State.SKIPPED, State.NEW), route=ROUTE), "skipped new", id="two states"
        ),
        pytest.param(Filter(route=OTHER), "other", id="a Route"),
        pytest.param(Filter(route="shop/none"), "", id="a Route that has none"),
        pytest.param(Filter(key="k-dead"), "dead other", id="a key over all Routes"),
        pytest.param(Filter(key="k-held"), "held", id="a key that is held"),
        pytest.param(Filter(key="k-dead", route=ROUTE), "dead", id="a key of a Route"),
        pytest.param(Filter(key="k-dead", states=(State.NEW,)), "other", id="a key in a state"),
        pytest.param(Filter(group="g-dead"), "dead", id="a group"),
        pytest.param(Filter(group="g-dead", states=(State.REJECTED,)), "", id="a group elsewhere"),
        pytest.param(Filter(since=4_000_000_000.0), "", id="accepted later"),
        pytest.param(Filter(until=4_000_000_000.0, states=(State.NEW,)), "new other", id="by then"),
        pytest.param(Filter(until=1_000.0), "", id="accepted earlier"),
        pytest.param(Filter(namespace="shop", key="k-new"), "new", id="a namespace"),
        pytest.param(Filter(namespace="sho"), "", id="a namespace that is only the beginning"),
        pytest.param(Filter(uids=("no such uid",)), "", id="a uid that is not there"),
    ],
)
async def test_a_filter_finds(
    desk: Desk, mixed: dict[str, str], chosen: Filter, names: str
) -> None:
    found = await listed(desk, chosen)

    assert sorted(found) == sorted(mixed[name] for name in names.split())
    assert sum(each.count for each in await desk.count(chosen)) == len(found)


async def test_uids_are_found_whatever_their_state(desk: Desk, mixed: dict[str, str]) -> None:
    wanted = (mixed["new"], mixed["held"], mixed["other"])

    assert sorted(await listed(desk, Filter(uids=wanted))) == sorted(wanted)
    assert await listed(desk, Filter(uids=wanted, states=(State.DEAD,))) == [mixed["held"]]
    assert await listed(desk, Filter(uids=wanted, route=OTHER)) == [mixed["other"]]


async def test_times_are_of_acceptance(journal: Journal, desk: Desk) -> None:
    await journal.accept([draft(str(n)) for n in range(50)])
    first = await accepted(journal, "x")
    await asyncio.sleep(0.01)  # for times to differ
    second = await accepted(journal, "x")
    [late] = (await desk.find(Filter(uids=tuple(second)))).lines

    assert await listed(desk, Filter(since=late.accepted_at)) == second
    assert (await listed(desk, Filter(until=late.accepted_at - 0.001)))[0] == first[0]


async def test_counts_are_by_route_and_state(desk: Desk, mixed: dict[str, str]) -> None:
    counted = {(each.route, each.state): each.count for each in await desk.count(Filter())}

    assert counted[ROUTE, State.DEAD] == 2
    assert counted[OTHER, State.NEW] == 1
    assert sum(counted.values()) == len(mixed)


async def test_failures_are_grouped_by_cause(journal: Journal, desk: Desk) -> None:
    await dead(journal, "1", "2", "3")
    await dead(journal, "4", group="erp 422", reason="TargetRefused", detail="No such customer.")
    [other] = await dead(journal, "5", route=OTHER)

    found = await desk.groups(Filter(route=ROUTE))

    assert [(each.group, each.reason, each.count) for each in found] == [
        ("erp 503", "TargetUnavailable", 3),
        ("erp 422", "TargetRefused", 1),
    ]
    assert found[1].detail == "No such customer."
    assert found[0].first_at <= found[0].last_at
    assert [each.sample for each in await desk.groups(Filter(route=OTHER))] == [other]
    assert await desk.groups(Filter(states=(State.REJECTED,))) == ()


async def test_a_message_is_shown_with_all_that_became_of_it(journal: Journal, desk: Desk) -> None:
    given = draft('{"n": 1}', request=b'{"q": 1}', trace="t", correlation_id="c", key="k")
    await journal.accept([given])
    message = await one(journal, owner="pod-1")
    retry = ended(message, State.RETRY, delay=0, reason="Timeout", detail="In vain.", group="g")
    await journal.settle(replace(retry, journey=b'{"steps": 1}'))
    [again] = await until(lambda: journal.claim(wish(owner="pod-2")))
    await journal.settle(ended(again, journey=b'{"steps": 2}'))

    record = await desk.show(given.uid)

    assert record is not None
    assert (record.body, record.request, record.trace) == (b'{"n": 1}', b'{"q": 1}', "t")
    assert record.line.state is State.FINISHED
    first, second = record.attempts
    assert (first.state, first.reason, first.detail) == (State.RETRY, "Timeout", "In vain.")
    assert (first.number, first.owner, first.journey) == (1, "pod-1", b'{"steps": 1}')
    assert (second.state, second.number, second.owner) == (State.FINISHED, 2, "pod-2")
    assert second.journey == b'{"steps": 2}'
    assert second.claimed_at is not None
    assert first.ended_at <= second.claimed_at <= second.ended_at
    assert await desk.show("no such uid") is None


async def test_a_claim_that_was_lost_is_shown(journal: Journal, desk: Desk) -> None:
    [uid] = await accepted(journal, "1")
    await one(journal, lease=0.01, owner="gone")
    await until(lambda: journal.claim(wish()))

    record = await desk.show(uid)

    assert record is not None
    assert [(each.reason, each.owner) for each in record.attempts] == [("ClaimLost", "gone")]


async def test_a_message_is_shown_with_its_relatives(journal: Journal, desk: Desk) -> None:
    [grand] = await accepted(journal, "grand", correlation_id="c")
    await accepted(journal, "beside", correlation_id="c")
    await accepted(journal, "stranger", correlation_id="d")
    first, _, _ = await journal.claim(wish())
    feeds = tuple(draft("child", route=OTHER, parent=grand) for _ in range(2))
    await journal.settle(ended(first, feeds=feeds))
    child = (await journal.claim(wish(route=OTHER)))[0]
    feed = draft("grandchild", route="shop/third", parent=child.uid)
    await journal.settle(ended(child, feeds=(feed,)))

    record = await desk.show(child.uid)
    top = await desk.show(grand)

    assert record is not None
    assert top is not None
    assert [line.uid for line in record.ancestors] == [grand]
    assert [line.uid for line in record.descendants] == [feed.uid]
    assert len(top.descendants) == 3
    assert len(top.correlated) == 1


async def test_a_replayed_message_is_new_with_its_identity(journal: Journal, desk: Desk) -> None:
    await journal.accept([draft("1", key="k", identity="same")])
    message = await one(journal)
    await journal.settle(ended(message, State.DEAD, reason="Mapping"))

    assert await replayed(desk, Filter(uids=(message.uid,))) == [message.uid]
    again = await one(journal)

    assert (again.uid, again.identity, again.attempt) == (message.uid, "same", 1)
    assert again.body == message.body
    assert not await journal.settle(ended(replace(message, token=message.token + 1)))
    assert await journal.settle(ended(again))


async def test_a_replay_is_audited_and_the_old_attempts_stay(journal: Journal, desk: Desk) -> None:
    [uid] = await dead(journal, "1")
    await replayed(desk, Filter(uids=(uid,)))
    await journal.settle(ended(await one(journal)))

    record = await desk.show(uid)

    assert record is not None
    [done] = record.audit
    assert (done.action, done.who, done.why, done.act) == ("replay", ACT.who, ACT.why, ACT.name)
    assert json.loads(done.before) == {
        "state": "dead",
        "reason": "TargetUnavailable",
        "attempts": 1,
    }
    assert json.loads(done.after) == {"state": "new", "attempts": 0}
    assert [each.state for each in record.attempts] == [State.DEAD, State.FINISHED]
    audited, more = await desk.audit("shop")
    assert audited == [done]
    assert more is None
    assert (await desk.audit("another"))[0] == []


async def test_a_replay_takes_only_what_failed_unless_told(journal: Journal, desk: Desk) -> None:
    await accepted(journal, "1")
    message = await one(journal)
    await journal.settle(ended(message))

    assert await replayed(desk, Filter(route=ROUTE)) == []
    assert await desk.preview(Filter(route=ROUTE)) == ()
    assert await replayed(desk, Filter(route=ROUTE, states=(State.FINISHED,))) == [message.uid]
    assert await replayed(desk, Filter(route=ROUTE, states=(State.FINISHED,))) == []
    assert await bodies(journal) == ["1"]


async def test_a_replay_says_an_edited_body_and_keeps_the_old_one(
    journal: Journal, desk: Desk
) -> None:
    [uid] = await dead(journal, "1")
    await replayed(desk, Filter(uids=(uid,)), body=Body(b"2"))
    await journal.settle(ended(await one(journal), State.DEAD))
    act = replace(ACT, name="act-2")
    await replayed(desk, Filter(uids=(uid,)), act=act, body=Body(b"3", "text/plain"))

    message = await one(journal)
    record = await desk.show(uid)

    assert (message.uid, message.body, message.content_type) == (uid, b"3", "text/plain")
    assert record is not None
    assert [each.body for each in record.revisions] == [b"1", b"2"]
    assert "sha256:" in record.audit[0].after


async def test_an_edited_body_is_for_one_message(journal: Journal, desk: Desk) -> None:
    uids = await dead(journal, "1", "2")

    with pytest.raises(WrongWish, match="name one uid"):
        await replayed(desk, Filter(uids=tuple(uids)), body=Body(b"x"))
    with pytest.raises(WrongWish, match="name one uid"):
        await replayed(desk, Filter(route=ROUTE), body=Body(b"x"))

    assert await bodies(journal) == []


async def test_many_are_replayed_oldest_first_in_steps(journal: Journal, desk: Desk) -> None:
    uids = await dead(journal, *map(str, range(2 * mending.CHUNK + 10)))

    steps = [step async for step in desk.replay(ACT, Filter(states=(State.DEAD,)))]

    assert [len(step.uids) for step in steps] == [100, 100, 10]
    assert [uid for step in steps for uid in step.uids] == uids
    assert len(await journal.claim(wish(limit=1000))) == 210


async def test_a_replay_that_was_interrupted_is_repeated_and_goes_on(
    journal: Journal, desk: Desk
) -> None:
    """Each message once, though some were delivered, and some failed again, in between."""
    uids = [uid for _ in range(3) for uid in await dead(journal, *map(str, range(100)))]
    chosen = Filter(route=ROUTE, states=(State.DEAD, State.FINISHED))
    async for _ in desk.replay(ACT, chosen):
        break
    first = await journal.claim(wish(limit=1000))
    for number, message in enumerate(first):
        await journal.settle(ended(message, State.FINISHED if number % 2 else State.DEAD))

    again = await replayed(desk, chosen)
    second = await journal.claim(wish(limit=1000))

    assert len(first) == 100
    assert [message.uid for message in second] == again
    assert sorted([message.uid for message in first] + again) == sorted(uids)
    assert await replayed(desk, chosen) == []


async def test_what_fails_again_during_a_replay_is_not_replayed_by_it(
    journal: Journal, desk: Desk
) -> None:
    await dead(journal, *map(str, range(150)))
    done: list[str] = []
    async for step in desk.replay(ACT, Filter(states=(State.DEAD,))):
        done += step.uids
        await dead(journal, "later")

    assert len(done) == len(set(done)) == 150


async def test_two_replays_at_once_take_each_message_once(
    journal: Journal, desk: Desk, address: str
) -> None:
    await dead(journal, *map(str, range(250)))
    another = await opening.desk(address)

    mine, theirs = await asyncio.gather(
        replayed(desk, Filter(states=(State.DEAD,))),
        replayed(another, Filter(states=(State.DEAD,)), act=replace(ACT, name="act-2")),
    )
    await another.close()

    assert len(mine + theirs) == len({*mine, *theirs}) == 250
    assert len(await journal.claim(wish(limit=1000))) == 250


async def test_a_replay_wakes_who_delivers(journal: Journal, desk: Desk) -> None:
    [uid] = await dead(journal, "1")
    woken = asyncio.Event()
    journal.listen(ROUTE, woken.set)
    await until(lambda: _quiet(woken))

    await replayed(desk, Filter(uids=(uid,)))

    await asyncio.wait_for(woken.wait(), 10)
    assert await bodies(journal) == ["1"]


async def _quiet(woken: asyncio.Event) -> bool:
    """Nothing rang for a moment: what rang before is over."""
    woken.clear()
    await asyncio.sleep(0.7)
    return not woken.is_set()


async def test_a_held_key_goes_on_when_its_message_is_replayed_and_settled(
    journal: Journal, desk: Desk
) -> None:
    uids = await accepted(journal, "1", "2", key="k")
    await journal.settle(ended(await one(journal, serial=True), State.DEAD, holds=True))
    assert await bodies(journal, serial=True) == []

    assert await replayed(desk, Filter(key="k")) == [uids[0]]
    again = await one(journal, serial=True)

    assert (again.uid, again.attempt) == (uids[0], 1)
    assert await bodies(journal, serial=True) == []
    await journal.settle(ended(again))
    assert await bodies(journal, serial=True) == ["2"]


async def test_a_held_key_goes_on_when_its_message_is_dropped(journal: Journal, desk: Desk) -> None:
    uids = await accepted(journal, "1", "2", "3", key="k")
    await journal.settle(ended(await one(journal, serial=True), State.DEAD, holds=True))
    assert await bodies(journal, serial=True) == []

    assert await dropped(desk, Filter(route=ROUTE)) == [uids[0]]

    assert await until(lambda: bodies(journal, serial=True)) == ["2"]
    [line] = (await desk.find(Filter(uids=(uids[0],)))).lines
    assert (line.state, line.reason, line.holds) == (State.SKIPPED, "Dropped", False)


async def test_a_dropped_message_is_skipped_with_a_reason_and_audited(
    journal: Journal, desk: Desk
) -> None:
    [uid] = await dead(journal, "1")
    assert await dropped(desk, Filter(uids=(uid,))) == [uid]
    assert await dropped(desk, Filter(uids=(uid,)), act=replace(ACT, name="act-2")) == []

    record = await desk.show(uid)

    assert record is not None
    assert (record.line.state, record.line.reason) == (State.SKIPPED, "Dropped")
    assert [each.reason for each in record.attempts] == ["TargetUnavailable", "Dropped"]
    assert [(each.action, each.who) for each in record.audit] == [("drop", ACT.who)]
    assert await journal.backlog(ROUTE) == 0


async def test_a_message_that_waits_is_dropped_when_its_state_is_named(
    journal: Journal, desk: Desk, mixed: dict[str, str]
) -> None:
    assert await dropped(desk, Filter(uids=tuple(mixed.values()))) == [
        mixed[name] for name in ("rejected", "dead", "held")
    ]
    waiting = Filter(route=ROUTE, states=(State.NEW, State.RETRY))

    assert await dropped(desk, waiting, act=replace(ACT, name="act-2")) == [
        mixed["retry"],
        mixed["new"],
    ]
    for name in ("retry", "new"):
        record = await desk.show(mixed[name])
        assert record is not None
        assert (record.line.state, record.line.reason) == (State.SKIPPED, "Dropped")
    assert (await until(lambda: _backlog(journal))) == 1


async def _backlog(journal: Journal) -> int:
    count = await journal.backlog(ROUTE)
    return count if count == 1 else 0


async def test_a_poisoned_message_at_the_head_of_a_key_is_dropped_and_the_key_goes_on(
    journal: Journal, desk: Desk
) -> None:
    await accepted(journal, "poison", "2", "3", key="k")
    poison = await one(journal, serial=True)
    assert await bodies(journal, serial=True) == []
    await journal.settle(ended(poison, State.RETRY, delay=3600))

    await dropped(desk, Filter(uids=(poison.uid,), states=(State.RETRY,)))

    assert await until(lambda: bodies(journal, serial=True)) == ["2"]


@pytest.mark.parametrize(
    ("act", "chosen", "said"),
    [
        pytest.param(ACT, Filter(), "say which messages", id="everything"),
        pytest.param(replace(ACT, why=""), Filter(route=ROUTE), "and why", id="no reason"),
        pytest.param(replace(ACT, who=""), Filter(route=ROUTE), "who does it", id="nobody"),
        pytest.param(
            ACT,
            Filter(states=(State.PROCESSING,)),
            "messages that are processing cannot be",
            id="what is under way",
        ),
    ],
)
async def test_what_cannot_be_done_is_told(desk: Desk, act: Act, chosen: Filter, said: str) -> None:
    with pytest.raises(WrongWish, match=said):
        await replayed(desk, chosen, act=act)
    with pytest.raises(WrongWish, match=said):
        await dropped(desk, chosen, act=act)


async def test_a_finished_message_cannot_be_dropped(desk: Desk) -> None:
    with pytest.raises(WrongWish, match="that are finished cannot be dropped"):
        await dropped(desk, Filter(states=(State.FINISHED,)))


async def test_a_store_is_exported_whole(journal: Journal, desk: Desk) -> None:
    def memory(number: int, store: str = "customers", ttl: float | None = None) -> Memory:
        return Memory(
            namespace="shop", store=store, key=f"{number:05}", value=b"1", reference="r", ttl=ttl
        )

    kept = [memory(number) for number in range(250)]
    await journal.put([*kept, memory(1, "another"), memory(999, ttl=0.0)])

    assert [each async for each in desk.remembered("shop", "customers")] == kept


async def test_a_worker_that_settles_what_was_dropped_meanwhile_is_told(
    journal: Journal, desk: Desk
) -> None:
    await accepted(journal, "1")
    message: Message = await one(journal, lease=0.01)
    await journal.release([message])
    await dropped(desk, Filter(uids=(message.uid,), states=(State.NEW, State.RETRY)))

    assert not await journal.settle(ended(message))


async def test_a_desk_needs_a_journal_that_is_there(address: str) -> None:
    if address.startswith("sqlite"):
        with pytest.raises(JournalError, match="there is no journal at"):
            await opening.desk(address)
    with pytest.raises(JournalError, match="write sqlite:PATH"):
        await opening.desk("nowhere")


async def test_a_desk_gets_its_turn_beside_a_runtime_under_load(
    journal: Journal, desk: Desk
) -> None:
    await dead(journal, *map(str, range(120)))
    stop = asyncio.Event()

    async def load() -> None:
        while not stop.is_set():
            await journal.accept([draft("x" * 500, route=OTHER)])

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(load())
        assert len(await replayed(desk, Filter(states=(State.DEAD,)))) == 120
        stop.set()


async def test_what_is_sent_by_hand_is_a_message_and_is_audited(
    journal: Journal, desk: Desk
) -> None:
    given = draft('{"number": 7}', key="7")

    step = await desk.send(ACT, given)

    message = await one(journal)
    [line] = (await desk.find(Filter())).lines
    [audited] = (await desk.audit())[0]
    assert step.uids == (given.uid,) == (message.uid,) == (line.uid,)
    assert (message.body, message.key) == (given.body, "7")
    assert (audited.action, audited.who, audited.why) == ("send", ACT.who, ACT.why)
    assert "number" not in audited.after


async def test_an_act_sends_once(journal: Journal, desk: Desk) -> None:
    first = await desk.send(ACT, draft("1"))

    again = await desk.send(ACT, draft("2"))

    assert again.uids == first.uids
    assert await bodies(journal) == ["1"]


async def test_a_message_sent_by_hand_wakes_who_delivers(journal: Journal, desk: Desk) -> None:
    woken = asyncio.Event()
    journal.listen(ROUTE, woken.set)
    await until(lambda: _quiet(woken))

    await desk.send(ACT, draft())

    await asyncio.wait_for(woken.wait(), 10)


async def test_a_desk_and_a_runtime_never_give_one_number_twice(
    journal: Journal, desk: Desk
) -> None:
    for number in range(20):
        await accepted(journal, f"{number}")
        await desk.send(replace(ACT, name=f"act-{number}"), draft(f"{number} by hand"))

    found = await bodies(journal, limit=100)

    assert found == [f"{n}{how}" for n in range(20) for how in ("", " by hand")]
