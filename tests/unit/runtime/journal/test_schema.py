"""Migrations: one source for both dialects, that only adds."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus_runtime.journal import migrations, schema
from isthmus_runtime.journal.journal import Incompatible
from isthmus_runtime.journal.schema import NOTHING, Dialect, Version

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")


def newest() -> str:
    found = (migrations.HERE / "versions").glob("[0-9]*.py")
    return max(path.name for path in found).partition("_")[0]


def test_our_level_is_the_newest_migration() -> None:
    assert migrations.revision(schema.LEVEL) == newest()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_script_leads_to_our_level(dialect: Dialect) -> None:
    text = schema.script(NOTHING, dialect)

    levels = re.findall(r"(?:'level', |SET value = )'(\d+)'", text)
    assert levels[-1] == str(schema.LEVEL)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_migrations_after_the_first_take_nothing_away(dialect: Dialect) -> None:
    """An older runtime goes on working while a newer one is rolled out beside it."""
    text = schema.script(Version(1, 1), dialect) if schema.LEVEL > 1 else ""

    assert not re.search(r"\b(DROP|RENAME|SET NOT NULL)\b", text)


def test_both_dialects_have_the_same_tables_but_for_what_processes_share() -> None:
    tables = {
        dialect: set(re.findall(r"CREATE TABLE (\w+)", schema.script(NOTHING, dialect)))
        for dialect in DIALECTS
    }

    assert tables["postgresql"] - tables["sqlite"] == {*("limits", "places", "buckets", "pauses")}
    assert tables["sqlite"] < tables["postgresql"]


@pytest.mark.parametrize(
    ("version", "is_current"),
    [
        pytest.param(NOTHING, False, id="nothing yet"),
        pytest.param(Version(schema.LEVEL, 1), True, id="ours"),
        pytest.param(Version(schema.LEVEL + 9, schema.LEVEL), True, id="newer, and we can follow"),
    ],
)
def test_a_version_is_current(version: Version, is_current: bool) -> None:
    assert schema.is_current(version) is is_current


def test_a_version_that_we_cannot_follow_says_what_to_do() -> None:
    with pytest.raises(Incompatible, match="Run the newer runtime, or give this one a database"):
        schema.is_current(Version(schema.LEVEL + 9, schema.LEVEL + 1))


def test_alembic_is_not_imported_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    """It takes a third of a second, which every start would pay."""
    opens = (
        "import asyncio, sys\n"
        "from isthmus_runtime.journal import opening\n"
        "async def main():\n"
        "    await (await opening.open(sys.argv[1])).close()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules, 'sqlalchemy' in sys.modules, 'asyncpg' in sys.modules)\n"
    )
    command = [sys.executable, "-c", opens, f"sqlite:{tmp_path / 'journal.db'}"]

    first = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    again = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert first == ["True", "True", "False"]
    assert again == ["False", "False", "False"]


def test_a_database_has_its_version_from_its_rows() -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(schema.script(NOTHING, "sqlite"))

    found = Version.of(database.execute(schema.LOOK).fetchall())
    database.close()

    assert found.level == schema.LEVEL
    assert found.oldest <= schema.LEVEL
