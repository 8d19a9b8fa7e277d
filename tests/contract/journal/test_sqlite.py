"""What only the file has: one process that works on it, its disk, its clock, its neighbours."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import ROUTE, accepted, bodies, draft, ended, one, until, wish
from noise import unheard
from workers import Worker

from isthmus_runtime.journal import opening, schema
from isthmus_runtime.journal.entries import State
from isthmus_runtime.journal.journal import Incompatible, Journal, JournalError, Unavailable
from isthmus_runtime.journal.sqlite import file
from isthmus_runtime.journal.sqlite.clock import Clock, Sources
from isthmus_runtime.journal.sqlite.home import open_file

NOON = 1_774_785_600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "folder" / "journal.db"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("", "write sqlite:PATH", id="nothing"),
        pytest.param("sqlite:", "names no file", id="no path"),
        pytest.param("sqlite:journals/", "names no file", id="a folder"),
        pytest.param("sqlite::memory:", "names no file", id="memory, which forgets"),
        pytest.param("mysql://u:s3cret@h/d", "or postgresql://", id="another database"),
        pytest.param("s3cret", "write sqlite:PATH", id="something else"),
    ],
)
async def test_an_address_that_names_no_journal_is_told(address: str, said: str) -> None:
    with pytest.raises(JournalError, match=said) as told:
        await opening.open(address)

    assert "s3cret" not in str(told.value)


async def test_the_file_and_its_folder_are_made(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    await journal.close()

    assert path.is_file()


async def test_a_second_process_is_told_who_works_on_the_file(path: Path, tmp_path: Path) -> None:
    worker = Worker("open", f"sqlite:{path}", tmp_path)
    try:
        await until(lambda: asyncio.to_thread(lambda: (tmp_path, worker.has_said("open"))[1]))
        with pytest.raises(JournalError, match=rf"in use by process {worker.pid}.*another file"):
            await opening.open(f"sqlite:{path}")
    finally:
        worker.kill()

    journal = await opening.open(f"sqlite:{path}")
    await journal.close()


async def test_what_a_killed_process_had_claimed_is_due_at_once(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    await accepted(journal, "1")
    await one(journal, lease=3600)
    await journal.close()

    journal = await opening.open(f"sqlite:{path}")
    assert (await one(journal)).attempt == 2
    await journal.close()


async def test_a_file_that_is_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"certainly not a database " * 100)

    with pytest.raises(JournalError, match="is no SQLite database; give the journal another file"):
        await opening.open(f"sqlite:{path}")

    assert path.read_bytes().startswith(b"certainly not")


async def test_a_folder_that_cannot_be_made_is_told(path: Path) -> None:
    path.parent.write_text("a file where a folder should be")

    with pytest.raises(JournalError, match=r"cannot be made: .*give another path"):
        await opening.open(f"sqlite:{path}")


async def test_a_file_of_a_newer_runtime_that_we_can_follow_is_used(path: Path) -> None:
    await _leveled(path, level=schema.LEVEL + 1, oldest=schema.LEVEL)

    journal = await opening.open(f"sqlite:{path}")
    await accepted(journal, "1")
    await journal.close()


async def test_a_file_of_a_newer_runtime_that_we_cannot_follow_is_refused(path: Path) -> None:
    await _leveled(path, level=schema.LEVEL + 2, oldest=schema.LEVEL + 1)

    with pytest.raises(Incompatible, match=r"Run the newer runtime, or give this one a database"):
        await opening.open(f"sqlite:{path}")


async def _leveled(path: Path, *, level: int, oldest: int) -> None:
    await (await opening.open(f"sqlite:{path}")).close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET value = ? WHERE name = 'level'", (str(level),))
        database.execute("UPDATE meta SET value = ? WHERE name = 'oldest'", (str(oldest),))
    database.close()


def test_ten_processes_may_migrate_at_once(path: Path) -> None:
    path.parent.mkdir()
    prepare = (
        "import pathlib, sys\n"
        "from isthmus_runtime.journal.sqlite import file\n"
        "file.prepare(pathlib.Path(sys.argv[1]))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", prepare, str(path)], stderr=subprocess.PIPE)
        for _ in range(10)
    ]
    ends = [process.communicate()[1] or process.returncode for process in processes]

    assert ends == [0] * 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    if os.getuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_full_disk_stops_acceptance_and_loses_nothing(small_disk: Path) -> None:
    (small_disk / "other").write_bytes(b"x" * 1_500_000)
    journal = await opening.open(f"sqlite:{small_disk / 'journal.db'}")
    told: list[str] = []

    async def fill() -> None:
        while True:
            made = draft("x" * 5_000)
            await journal.accept([made])
            told.append(made.uid)

    full = await asyncio.gather(*(fill() for _ in range(4)), return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in full), full
    assert "the disk is full; make room" in str(full[0])
    with pytest.raises(Unavailable):
        await journal.accept([draft("x" * 2_000_000)])
    assert await journal.backlog(ROUTE) >= len(told), "reading works"

    (small_disk / "other").unlink()
    after = await accepted(journal, "there is room again")
    there = [message.uid for message in await journal.claim(wish(limit=100_000))]
    await journal.close()

    assert len(told) > 10
    assert set(there) == {*told, *after}
    assert len(there) == len(set(there))


async def test_a_journal_that_is_closed_is_unavailable(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    accepting = [journal.accept([draft()]) for _ in range(5)]
    tasks = [asyncio.ensure_future(each) for each in accepting]
    await asyncio.sleep(0)
    await journal.close()

    assert await asyncio.gather(*tasks) == [1] * 5, "what was under way ended"
    with pytest.raises(Unavailable, match="is closed"):
        await journal.accept([draft()])


class Hands:
    """A clock's hands, to be moved by a test."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON, 100.0

    @property
    def sources(self) -> Sources:
        return Sources(wall=lambda: self.wall, steady=lambda: self.steady)


async def test_a_clock_that_is_set_back_keeps_nothing_waiting(path: Path) -> None:
    hands = Hands()
    journal = await open_file(path, hands.sources)
    await accepted(journal, "1")
    await journal.settle(ended(await one(journal), State.RETRY, delay=10))

    hands.wall -= 86_400
    hands.steady += 9
    assert await bodies(journal) == []
    hands.steady += 1.5
    assert (await one(journal, lease=30)).accepted_at == NOON
    hands.steady += 29
    assert await bodies(journal) == []
    hands.steady += 2
    await accepted(journal, "2")
    assert await bodies(journal) == ["1", "2"]
    await journal.close()


async def test_a_clock_that_was_set_back_while_nobody_ran_goes_on_from_the_newest_row(
    path: Path,
) -> None:
    hands = Hands()
    journal = await open_file(path, hands.sources)
    await accepted(journal, "1")
    await journal.settle(ended(await one(journal), State.RETRY, delay=10))
    await journal.close()

    hands.wall -= 86_400
    journal = await open_file(path, hands.sources)
    assert await bodies(journal) == []
    hands.steady += 11
    again = await one(journal)
    assert again.accepted_at == NOON
    assert again.claimed_at == NOON + 11
    await journal.close()


async def test_a_clock_that_is_set_forward_ends_no_lease(path: Path) -> None:
    hands = Hands()
    journal = await open_file(path, hands.sources)
    await accepted(journal, "1")
    message = await one(journal, lease=30)

    hands.wall += 86_400

    assert await bodies(journal) == []
    assert await journal.settle(ended(message))
    await journal.close()


def test_the_clock_is_the_walls_where_nothing_is_newer() -> None:
    hands = Hands()
    clock = Clock(hands.sources, newest=NOON - 1)
    hands.steady += 5

    assert clock.now() == NOON + 5


async def test_who_listens_is_woken_by_what_another_process_wrote(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    await accepted(journal, "1")
    await journal.settle(ended(await one(journal), State.RETRY, delay=3600))
    assert await journal.backlog(ROUTE) == 1
    woken = asyncio.Event()
    journal.listen(ROUTE, woken.set)

    with sqlite3.connect(path, timeout=10) as other:
        other.execute("DELETE FROM queue")
    other.close()

    await asyncio.wait_for(woken.wait(), 10)
    assert await journal.backlog(ROUTE) == 0
    await journal.close()


async def test_a_claim_that_cannot_be_forgotten_at_the_start_makes_no_noise(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "PATIENCE", 0.1)
    await (await opening.open(f"sqlite:{path}")).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with unheard() as noise:
        journal = await opening.open(f"sqlite:{path}")
        with pytest.raises(Unavailable):
            await journal.claim(wish())
        await journal.close()
    other.close()

    assert noise == []


async def test_opening_a_file_wakes_nobody(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    woken = asyncio.Event()
    journal.listen(ROUTE, woken.set)
    assert await journal.claim(wish()) == []

    await journal.close()  # what the writer had to say is said

    assert not woken.is_set()


async def test_accepting_waits_for_another_process_that_writes(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    accepting = asyncio.create_task(journal.accept([draft("1")]))
    done, _ = await asyncio.wait((accepting,), timeout=0.2)
    assert not done
    other.execute("COMMIT")
    other.close()

    assert await accepting == 1
    await journal.close()


async def test_everything_is_synced_before_it_returns(path: Path) -> None:
    journal = await opening.open(f"sqlite:{path}")
    await journal.claim(wish())
    await accepted(journal, "1")

    assert await _setting(journal, "synchronous") == 2, "FULL"
    assert await _setting(journal, "journal_mode") == "wal"
    await journal.close()


async def _setting(journal: Journal, name: str) -> object:
    [[value]] = await journal._do(lambda pen: pen.all(f"PRAGMA {name}"))  # type: ignore[attr-defined]
    return value


def test_the_file_is_not_opened_for_work_by_preparing_it(path: Path) -> None:
    path.parent.mkdir()
    file.prepare(path)
    file.prepare(path)

    assert not path.with_name("journal.db.lock").exists()
