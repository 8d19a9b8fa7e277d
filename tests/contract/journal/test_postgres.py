"""What only the database has: replicas, a network, a server that stops, and its clock."""

import asyncio
import contextlib
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from signal import SIGINT, SIGQUIT, Signals

import postgres
import pytest
from journals import ROUTE, accepted, bodies, broken, draft, ended, one, until, wish
from noise import unheard

from isthmus_runtime.journal import opening, schema
from isthmus_runtime.journal.desk import Act, Desk, Filter
from isthmus_runtime.journal.entries import Draft, Message, State
from isthmus_runtime.journal.journal import Incompatible, Journal, JournalError, Unavailable
from isthmus_runtime.journal.postgres import accepting, bell, claiming, home, pool
from isthmus_runtime.journal.postgres.address import Address

SECRET = "s3cret-value"


@pytest.fixture
async def journal(database: str) -> AsyncIterator[Journal]:
    """A replica."""
    opened = await opening.open(database)
    yield opened
    await opened.close()


@pytest.fixture
async def another(journal: Journal, database: str) -> AsyncIterator[Journal]:
    """A second replica."""
    opened = await opening.open(database)
    yield opened
    await opened.close()


@pytest.fixture
def own_cluster() -> Iterator[postgres.Cluster]:
    """A server that a test may stop."""
    with postgres.Cluster() as started:
        yield started


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param(f"postgresql://u:{SECRET}@h:5432", "names no database", id="no database"),
        pytest.param(f"postgresql://u:{SECRET}/x@h/d", "write %40 for @, %2F for /", id="a slash"),
        pytest.param(f"postgresql://u:{SECRET}#x@h/d", "write %40 for @, %2F for /", id="a hash"),
        pytest.param(f"postgresql://u:{SECRET}?x@h/d", "write %40 for @, %2F for /", id="a mark"),
        pytest.param(f"postgresql://u:{SECRET}@[h/d", "is not an address", id="half a bracket"),
        pytest.param(f"postgresql://u:{SECRET}@127.0.0.1:1/d", "cannot be reached", id="no server"),
        pytest.param(f"postgresql://u:{SECRET}@127.0.0.1:x/d", "", id="a port that is none"),
        pytest.param(f"postgresql://u:{SECRET}@127.0.0.1/d?sslmode=x", "", id="a setting"),
        pytest.param(f"postgres:u:{SECRET}@h/d", "postgresql://USER:PASSWORD", id="no slashes"),
    ],
)
async def test_an_address_that_cannot_be_used_is_told_without_its_password(
    address: str, said: str
) -> None:
    with pytest.raises(JournalError) as told:
        await opening.open(address)

    assert said in str(told.value)
    chain: BaseException | None = told.value
    while chain is not None:
        assert SECRET not in repr(chain)
        chain = chain.__cause__


async def test_a_database_that_is_not_there_is_told(cluster: postgres.Cluster) -> None:
    with pytest.raises(JournalError, match="there is no such database; create it") as told:
        await opening.open(cluster.address("nowhere"))

    assert not isinstance(told.value, Unavailable)


def test_ten_processes_may_migrate_at_once(database: str) -> None:
    opens = (
        "import asyncio, sys\n"
        "from isthmus_runtime.journal import opening\n"
        "async def main():\n"
        "    journal = await opening.open(sys.argv[1])\n"
        "    await journal.backlog('shop/orders')\n"
        "    await journal.close()\n"
        "asyncio.run(main())\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", opens, database], stderr=subprocess.PIPE)
        for _ in range(10)
    ]
    ends = [process.communicate()[1] or process.returncode for process in processes]

    assert ends == [0] * 10


@pytest.mark.parametrize(
    ("oldest", "is_usable"),
    [
        pytest.param(schema.LEVEL, True, id="that we can follow"),
        pytest.param(schema.LEVEL + 1, False, id="that we cannot follow"),
    ],
)
async def test_a_database_of_a_newer_runtime(
    cluster: postgres.Cluster, database: str, oldest: int, is_usable: bool
) -> None:
    await (await opening.open(database)).close()
    cluster.sql(f"UPDATE isthmus.meta SET value = '{schema.LEVEL + 1}' WHERE name = 'level'")
    cluster.sql(f"UPDATE isthmus.meta SET value = '{oldest}' WHERE name = 'oldest'")

    if is_usable:
        await (await opening.open(database)).close()
    else:
        with pytest.raises(Incompatible, match="Run the newer runtime, or give this one"):
            await opening.open(database)


async def test_tables_have_a_schema_of_their_own(
    cluster: postgres.Cluster, journal: Journal
) -> None:
    await accepted(journal, "1")

    assert cluster.sql("SELECT count(*) FROM isthmus.messages") == "1"
    assert cluster.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"


async def test_replicas_share_the_work(journal: Journal, another: Journal) -> None:
    await accepted(journal, *map(str, range(10)))

    mine, theirs = await asyncio.gather(bodies(journal, limit=5), bodies(another, limit=5))

    assert sorted(mine + theirs, key=int) == list(map(str, range(10)))


async def test_another_replica_is_woken_at_once(journal: Journal, another: Journal) -> None:
    woken = asyncio.Event()
    another.listen(ROUTE, woken.set)
    await _hears(journal, another)
    woken.clear()

    started = time.monotonic()
    await accepted(journal, "1")
    await asyncio.wait_for(woken.wait(), bell.LOOK_SECONDS / 2)

    assert time.monotonic() - started < bell.LOOK_SECONDS / 2
    assert await bodies(another) == ["1"]


async def _hears(journal: Journal, another: Journal) -> None:
    """Wait until one replica hears the other."""
    heard = asyncio.Event()
    stop = another.listen("shop/any", heard.set)
    while not heard.is_set():
        await journal.release([])
        await accepted(journal, "x", route="shop/any")
        await asyncio.sleep(0.02)
    stop()


async def test_a_replica_that_hears_nothing_looks_by_itself(
    database: str, cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "LOOK_SECONDS", 0.05)
    journal = await opening.open(database)
    woken = asyncio.Event()
    journal.listen(ROUTE, woken.set)

    await asyncio.wait_for(woken.wait(), 10)
    woken.clear()
    await asyncio.wait_for(woken.wait(), 10)
    await journal.close()


async def test_a_schedule_fires_once_for_all_replicas(database: str) -> None:
    replicas = [await opening.open(database) for _ in range(4)]
    for minute in range(10):
        at = datetime(2026, 10, 25, 2, minute, tzinfo=UTC)
        fired = await asyncio.gather(*(r.fire(ROUTE, at, [draft(str(minute))]) for r in replicas))
        assert sorted(fired) == [False, False, False, True]

    assert await bodies(replicas[0]) == list(map(str, range(10)))
    for replica in replicas:
        await replica.close()


async def test_one_replica_leads(journal: Journal, another: Journal) -> None:
    leading = await asyncio.gather(journal.lead("poll", "a", 60), another.lead("poll", "b", 60))

    assert sorted(leading) == [False, True]


async def test_replicas_keep_the_order_of_each_key(database: str) -> None:
    """Three replicas, each with workers, accept and deliver at the same time. Some messages fail
    the first time, some claims are lost, and others are given back."""
    replicas = [await opening.open(database) for _ in range(3)]
    keys, each_key = 20, 30
    seen: dict[str, list[int]] = defaultdict(list)
    under_way: set[str] = set()
    tried: set[str] = set()
    done = 0

    async def send(key: int) -> None:
        for number in range(each_key):
            await replicas[(key + number) % 3].accept([draft(str(number), key=f"k{key}")])

    async def deliver(journal: Journal, message: Message) -> None:
        nonlocal done
        key, number = message.key or "", int(message.body)
        assert key not in under_way, f"two of {key} are under way"
        under_way.add(key)
        await asyncio.sleep(0.001 * (number % 3))
        under_way.discard(key)
        is_first = message.uid not in tried
        tried.add(message.uid)
        if number % 7 == 0 and is_first:
            await journal.settle(ended(message, State.RETRY, delay=0.001))
        elif number % 11 == 0 and is_first:
            await journal.release([message])
        else:
            seen[key].append(number)
            done += 1
            assert await journal.settle(ended(message))

    async def work(journal: Journal, name: str) -> None:
        while done < keys * each_key:
            for message in await journal.claim(wish(serial=True, limit=4, owner=name)):
                await deliver(journal, message)

    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
        for key in range(keys):
            tasks.create_task(send(key))
        for replica in replicas:
            tasks.create_task(work(replica, "a"))
            tasks.create_task(work(replica, "b"))
    for replica in replicas:
        await replica.close()

    assert len(seen) == keys
    for name, numbers in seen.items():
        assert numbers == sorted(numbers), name


async def test_no_message_stays_behind_one_that_is_gone(database: str, journal: Journal) -> None:
    """The race of `behind`: claims that mark what waits, while others settle what it waits for."""
    replicas = [await opening.open(database) for _ in range(2)]
    left = 400
    await journal.accept([draft(str(n), key=f"k{n % 4}") for n in range(left)])

    async def work(replica: Journal) -> None:
        nonlocal left
        while left:
            for message in await replica.claim(wish(serial=True, limit=3)):
                left -= 1
                assert await replica.settle(ended(message))

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            for replica in replicas:
                tasks.create_task(work(replica))
    assert await journal.next_due(ROUTE) is None
    for replica in replicas:
        await replica.close()


async def test_bodies_are_compressed_by_lz4_where_the_server_has_it(
    journal: Journal, cluster: postgres.Cluster, database: str
) -> None:
    known = "SELECT enumvals::text FROM pg_settings WHERE name = 'default_toast_compression'"
    expected = "lz4" if "lz4" in cluster.sql(known) else "pglz"

    await accepted(journal, "long " * 2_000)

    used = "SELECT pg_column_compression(body) FROM isthmus.messages"
    assert cluster.sql(used, database.rpartition("/")[2]) == expected


async def test_what_becomes_visible_late_waits_for_another_of_its_key(
    database: str, journal: Journal
) -> None:
    """Numbers are given before the commit: the older of two may be seen only after the younger was
    claimed. It must not be worked on beside it."""
    address = _address(database)
    connection = await pool.connect(address)
    await connection.execute("BEGIN")
    older = draft("older", key="k")
    await _accept_on(connection, older)
    await accepted(journal, "younger", key="k")

    younger = await one(journal, serial=True)
    assert younger.body == b"younger"
    await connection.execute("COMMIT")
    await connection.close(timeout=1)

    assert await bodies(journal, serial=True) == []
    await journal.settle(ended(younger))
    assert await bodies(journal, serial=True) == ["older"]


async def test_a_claim_waits_for_one_that_has_not_committed(
    database: str, journal: Journal
) -> None:
    """Two claims at once would each see nothing of what the other takes."""
    sender, worker = [await pool.connect(_address(database)) for _ in range(2)]
    await sender.execute("BEGIN")
    await _accept_on(sender, draft("older", key="k"))
    await accepted(journal, "younger", key="k")
    await worker.execute(f"BEGIN; {claiming.turn(ROUTE)}")
    assert len(await _claim_on(worker)) == 1
    await sender.execute("COMMIT")

    claiming_ = asyncio.create_task(bodies(journal, serial=True))
    done, _ = await asyncio.wait((claiming_,), timeout=0.3)
    assert not done, "it waits for its turn"
    await worker.execute("COMMIT")

    assert await claiming_ == []
    for connection in (sender, worker):
        await connection.close(timeout=1)


async def test_a_message_is_not_marked_behind_one_that_is_just_being_settled(
    database: str, journal: Journal
) -> None:
    """The settlement has deleted the head, but not committed: who claims now still sees it. A mark
    made on that sight would stay for ever."""
    await accepted(journal, "1", "2", key="k")
    await one(journal, serial=True)
    connection = await pool.connect(_address(database))
    await connection.execute("UPDATE queue SET turn = 1 WHERE turn = 2")
    await connection.execute("BEGIN; DELETE FROM queue WHERE state = 'processing'")

    assert await bodies(journal, serial=True) == []
    await connection.execute("COMMIT")
    await connection.close(timeout=1)

    assert await bodies(journal, serial=True) == ["2"]


async def test_a_settlement_waits_for_who_marks_behind_it(database: str, journal: Journal) -> None:
    """The other way round: the mark is made first, and not committed. The settlement has to see it
    once it is, and take it away."""
    await accepted(journal, "1", "2", key="k")
    message = await one(journal, serial=True)
    connection = await pool.connect(_address(database))
    await connection.execute("UPDATE queue SET turn = 1 WHERE turn = 2")
    await connection.execute("BEGIN")
    await _claim_on(connection)

    settling = asyncio.create_task(journal.settle(ended(message)))
    done, _ = await asyncio.wait((settling,), timeout=0.3)
    assert not done, "it waits for the share lock"
    await connection.execute("COMMIT")
    await connection.close(timeout=1)

    assert await settling
    assert await bodies(journal, serial=True) == ["2"]


async def test_the_one_after_next_has_its_turn_when_the_next_is_taken_away_meanwhile(
    database: str, journal: Journal
) -> None:
    await accepted(journal, "1", "2", "3", key="k")
    message = await one(journal, serial=True)
    connection = await pool.connect(_address(database))
    await connection.execute("BEGIN")
    await connection.execute("DELETE FROM queue WHERE sequence = $1", message.sequence + 1)

    settling = asyncio.create_task(journal.settle(ended(message)))
    done, _ = await asyncio.wait((settling,), timeout=0.3)
    assert not done, "it waits to know what becomes of the next"
    await connection.execute("COMMIT")
    await connection.close(timeout=1)

    assert await settling
    assert await bodies(journal, serial=True) == ["3"]


def _address(database: str) -> Address:
    return Address(url=database, shown="")


async def _claim_on(connection: pool.Connection) -> list[Sequence[object]]:
    """The statement of a claim, in the transaction that is under way."""
    asked = wish(serial=True)
    return await connection.fetch(
        claiming._ORDERED[False], asked.route, asked.limit, 7, asked.owner, asked.lease, 64
    )


async def _accept_on(connection: pool.Connection, given: Draft) -> None:
    await accepting.accept(connection, [[given]])


@pytest.mark.parametrize("how", [SIGINT, SIGQUIT], ids=["a fast shutdown", "a crash"])
async def test_a_database_that_is_restarted_loses_nothing(
    own_cluster: postgres.Cluster, how: int
) -> None:
    journal = await opening.open(own_cluster.database())
    await accepted(journal, "before", "claimed", "settled")
    await journal.settle(ended((await journal.claim(wish()))[2]))
    heard = asyncio.Event()
    journal.listen(ROUTE, heard.set)

    own_cluster.stop(how)  # type: ignore[arg-type]
    started = time.monotonic()
    for call in (
        journal.accept([draft()]),
        journal.claim(wish()),
        journal.backlog(ROUTE),
        journal.fire(ROUTE, datetime.now(UTC), []),
        journal.get("shop", "s", key="k"),
    ):
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
            await call
    assert time.monotonic() - started < pool.CONNECT_SECONDS, "it fails at once"
    own_cluster.start()

    async def accepts() -> bool:
        try:
            return await journal.accept([draft("after")]) == 1
        except Unavailable:
            return False

    await until(accepts)
    assert await journal.backlog(ROUTE) == 3
    assert await bodies(journal) == ["after"]
    heard.clear()
    await asyncio.wait_for(heard.wait(), 20)
    await journal.close()


@pytest.mark.parametrize("how", [SIGINT, SIGQUIT], ids=["a fast shutdown", "a crash"])
async def test_a_database_that_dies_under_calls_that_end_early_makes_no_noise(
    own_cluster: postgres.Cluster, how: Signals
) -> None:
    """A connection that is being opened when its caller goes away fails, and somebody must look at
    that error."""
    journal = await opening.open(own_cluster.database())
    stop = asyncio.Event()
    dice = random.Random(1)

    async def call() -> None:
        while not stop.is_set():
            calls = (journal.claim(wish()), journal.backlog(ROUTE), journal.accept([draft()]))
            for each in calls:
                with contextlib.suppress(Unavailable, TimeoutError):
                    await asyncio.wait_for(each, dice.random() * 0.005)
            await asyncio.sleep(0)

    with unheard() as noise:
        calling = [asyncio.create_task(call()) for _ in range(8)]
        await asyncio.sleep(0.2)
        await asyncio.to_thread(own_cluster.stop, how)
        await asyncio.to_thread(own_cluster.start)
        stop.set()
        await asyncio.gather(*calling)
        await journal.close()
        del calling

    assert noise == []


async def test_acceptance_under_load_survives_a_restart(own_cluster: postgres.Cluster) -> None:
    """What returned is there; what did not, says `Unavailable`."""
    journal = await opening.open(own_cluster.database())
    told: list[str] = []
    stop = asyncio.Event()

    async def send() -> None:
        while not stop.is_set():
            made = draft("x")
            try:
                await journal.accept([made])
            except Unavailable:
                await asyncio.sleep(0.01)
            else:
                told.append(made.uid)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(send())
        for how in (SIGINT, SIGQUIT):
            count = len(told)
            await until(lambda: _more(told, count + 50))  # noqa: B023 - looked at here only
            await asyncio.to_thread(own_cluster.restart, how)
        count = len(told)
        await until(lambda: _more(told, count + 50))
        stop.set()
    there = [each.uid for each in await journal.claim(wish(limit=1_000_000))]
    await journal.close()

    assert set(told) <= set(there)
    assert len(there) == len(set(there))


async def _more(told: list[str], count: int) -> bool:
    return len(told) >= count


async def test_a_connection_that_died_unseen_is_replaced_within_the_call(
    cluster: postgres.Cluster, journal: Journal
) -> None:
    await accepted(journal, "1")
    cluster.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'"
        " AND application_name = 'isthmus'"
    )

    await accepted(journal, "2")

    assert await bodies(journal) == ["1", "2"]


async def test_a_server_whose_clock_was_set_back_keeps_nothing_waiting(
    cluster: postgres.Cluster, journal: Journal
) -> None:
    """Rows that lie an hour ahead are what a clock that went back by an hour leaves."""
    await accepted(journal, "new", "retry", "claimed")
    first, second, third = await journal.claim(wish(lease=30))
    await journal.release([first])
    await journal.settle(ended(second, State.RETRY, delay=5))
    cluster.sql("UPDATE isthmus.queue SET since = since + 3600, due_at = due_at + 3600")
    cluster.sql("UPDATE isthmus.messages SET accepted_at = accepted_at + 3600")
    journal._ahead += 3600  # type: ignore[attr-defined]

    await journal.claim(wish())

    due = cluster.sql(
        "SELECT max(due_at - extract(epoch FROM clock_timestamp())) FROM isthmus.queue"
    )
    assert float(due) <= 30
    assert await journal.settle(ended(third))


async def test_what_a_statement_refuses_is_no_outage(journal: Journal) -> None:
    with pytest.raises(JournalError) as told:
        await journal.accept([broken()])

    assert not isinstance(told.value, Unavailable)


async def test_a_process_holds_few_connections(cluster: postgres.Cluster, journal: Journal) -> None:
    async def call(number: int) -> None:
        await journal.accept([draft(str(number))])
        await journal.claim(wish(limit=1))
        await journal.backlog(ROUTE)

    await asyncio.gather(*(call(number) for number in range(50)))

    count = cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'isthmus'")
    assert int(count) <= home.CONNECTIONS + 1


async def test_no_key_stands_still_whatever_operators_do(database: str) -> None:
    """Replicas deliver in order, messages die and hold their keys, and two operators replay and
    drop all the while. In the end nothing is left that nobody looks at."""
    replicas = [await opening.open(database) for _ in range(2)]
    desks = [await opening.desk(database) for _ in range(2)]
    chance = random.Random(11)
    count = 300
    await replicas[0].accept([draft(str(n), key=f"k{n % 5}") for n in range(count)])
    under_way: set[str] = set()
    stop = asyncio.Event()

    async def work(replica: Journal) -> None:
        while not stop.is_set():
            for message in await replica.claim(wish(serial=True, limit=2)):
                key = message.key or ""
                assert key not in under_way, f"two of {key} are under way"
                under_way.add(key)
                dies, holds = chance.random() < 0.2, chance.random() < 0.5
                state = State.DEAD if dies else State.FINISHED
                under_way.discard(key)
                await replica.settle(ended(message, state, holds=dies and holds))

    async def operate(desk: Desk, name: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            act = Act(name=f"{name}-{number}", who=name, why="chance")
            key = Filter(key=f"k{chance.randrange(5)}")
            if number % 3:
                [_ async for _ in desk.replay(act, key)]
            else:
                waiting = replace(key, states=(State.NEW, State.DEAD))
                [_ async for _ in desk.drop(act, waiting)]

    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
        for replica in replicas * 2:
            tasks.create_task(work(replica))
        for name, desk in zip("ab", desks, strict=True):
            tasks.create_task(operate(desk, name))
        settled = (State.FINISHED, State.SKIPPED)

        async def done() -> bool:
            found = await desks[0].count(Filter(states=settled))
            return sum(each.count for each in found) == count

        await until(done, within=100)
        stop.set()
    for replica in replicas:
        await replica.close()
    for desk in desks:
        await desk.close()


@pytest.mark.parametrize("serial", [False, True], ids=["in any order", "in order"])
async def test_a_claim_reads_no_more_of_a_long_queue_than_it_takes(
    cluster: postgres.Cluster, database: str, serial: bool
) -> None:
    journal = await opening.open(database)
    for some in range(0, 30_000, 1_000):
        await journal.accept([draft(key=f"{number}") for number in range(some, some + 1_000)])
    await journal.close()
    cluster.sql("ANALYZE")
    cluster.sql("DELETE FROM isthmus.queue WHERE sequence <= 20000")
    cluster.sql("VACUUM isthmus.queue")
    read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'isthmus'"
    before = int(cluster.sql(read))

    journal = await opening.open(database)
    taken = await journal.claim(wish(limit=10, serial=serial))
    await journal.close()  # a session tells what it read when it ends

    assert len(taken) == 10
    assert int(cluster.sql(read)) - before < 500
