"""Runtimes of different levels at one journal: what an upgrade, and a way back, go through."""

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable

import postgres
import pytest
from journals import ROUTE, accepted, bodies, draft, ended, one, until, wish

from isthmus_runtime.journal import migrations, opening, schema
from isthmus_runtime.journal.desk import Act, Filter
from isthmus_runtime.journal.entries import Composition, Memory, State

Run = Callable[[str], None]
FIRST = 1
"""The first level there was: a migration from it goes through every later one."""
NEWER = f"""
    ALTER TABLE messages ADD COLUMN later TEXT;
    ALTER TABLE queue ADD COLUMN later TEXT;
    ALTER TABLE queue ADD COLUMN later_number INTEGER NOT NULL DEFAULT 7;
    ALTER TABLE outcomes ADD COLUMN later TEXT;
    ALTER TABLE attempts ADD COLUMN later TEXT;
    ALTER TABLE latest ADD COLUMN later TEXT;
    ALTER TABLE memories ADD COLUMN later TEXT;
    ALTER TABLE compositions ADD COLUMN later TEXT;
    ALTER TABLE audit ADD COLUMN later TEXT;
    ALTER TABLE revisions ADD COLUMN later TEXT;
    CREATE INDEX later_queue ON queue (route, later_number);
    CREATE TABLE later (sequence INTEGER PRIMARY KEY);
    UPDATE meta SET value = '{schema.LEVEL + 1}' WHERE name = 'level';
"""
"""All that a migration may do that a runtime of our level follows."""


@pytest.fixture
def run(address: str, request: pytest.FixtureRequest) -> Run:
    """Run SQL at the journal, as a migration does."""
    if address.startswith("sqlite:"):
        return lambda sql: _run_at_file(address.removeprefix("sqlite:"), sql)
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    first = "CREATE SCHEMA IF NOT EXISTS isthmus; SET search_path TO isthmus;"

    def at_server(sql: str) -> None:
        cluster.sql(f"{first} {sql}")

    return at_server


def _run_at_file(path: str, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(sql)


def _dialect(address: str) -> schema.Dialect:
    return "sqlite" if address.startswith("sqlite:") else "postgresql"


async def test_a_runtime_works_on_a_journal_that_a_newer_one_has_migrated(
    address: str, run: Run
) -> None:
    await (await opening.open(address)).close()
    run(NEWER)

    journal, desk = await opening.open(address), await opening.desk(address)
    await journal.accept([draft(each, key="k", identity=each, once=True) for each in "abc"])
    await journal.put([Memory(namespace="shop", store="s", key="k", value=b"{}")])
    first = await one(journal, serial=True, notes=True)
    again = Composition(key="b", size=1)
    await journal.settle(ended(first, State.RETRY, composition=again))
    first = (await until(lambda: journal.claim(wish(serial=True, composed=True))))[0]
    fed = (draft("fed", route="shop/other"),)
    await journal.settle(ended(first, notes=True, feeds=fed))
    second = await one(journal, serial=True)
    await journal.settle(ended(second, State.DEAD, holds=True))
    act = Act(name="act", who="jan", why="mended")
    async for _ in desk.replay(act, Filter(uids=(second.uid,))):
        pass

    assert first.composition == again
    assert await bodies(journal, serial=True) == ["b"]
    assert await bodies(journal, route="shop/other") == ["fed"]
    assert [each.action for each in (await desk.audit("shop", limit=9))[0]] == ["replay"]
    assert await journal.prune(ROUTE, settled_for=0, at_most=0) == 1
    await desk.close()
    await journal.close()


async def test_a_journal_of_the_first_level_is_migrated(address: str, run: Run) -> None:
    run(migrations.sql(0, FIRST, _dialect(address)))
    run(
        "INSERT INTO messages (uid, route, identity, content_type, body, request, correlation_id,"
        f" trace, accepted_at) VALUES ('u', '{ROUTE}', 'i', 'application/json', '{{}}', '{{}}', '',"
        " '', 1);"
        " INSERT INTO queue (sequence, route, state, turn, due_at, since, attempts, token)"
        " SELECT sequence, route, 'new', 0, 1, 1, 0, 0 FROM messages"
    )

    journal = await opening.open(address)
    message = await one(journal, composed=True)
    await journal.settle(ended(message, State.RETRY, composition=Composition(key="k", size=1)))

    assert message.uid == "u"
    assert (await until(lambda: journal.claim(wish(composed=True))))[0].composition
    await journal.close()


async def test_ten_processes_may_migrate_a_journal_of_the_first_level(
    address: str, run: Run
) -> None:
    run(migrations.sql(0, FIRST, _dialect(address)))
    opens = (
        "import asyncio, sys\n"
        "from isthmus_runtime.journal import opening\n"
        "async def main():\n"
        "    await (await opening.desk(sys.argv[1])).close()\n"
        "asyncio.run(main())\n"
    )
    ends = _ended(10, opens, address)

    journal = await opening.open(address)
    await accepted(journal, "1")

    assert ends == [0] * 10
    assert await bodies(journal, composed=True) == ["1"]
    await journal.close()


def _ended(count: int, program: str, address: str) -> list[bytes | int]:
    """How so many processes ended that began at once."""
    processes = [
        subprocess.Popen([sys.executable, "-c", program, address], stderr=subprocess.PIPE)
        for _ in range(count)
    ]
    return [process.communicate()[1] or process.returncode for process in processes]
