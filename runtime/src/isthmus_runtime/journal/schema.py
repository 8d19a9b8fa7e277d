"""The journal's tables: which level a database has, and how it gets to ours.

Migrations only add (tables, columns that may be left out, indexes), so a runtime of an older level
goes on working on a newer database. A migration that an older one could not follow says so in
`meta.oldest`: the lowest level that still understands the tables.

Alembic turns `migrations/` into SQL text for either dialect; whoever opens a database runs it on
its own connection, under its own lock. Alembic is imported only when there is something to do: it
takes a third of a second.
"""

from dataclasses import dataclass
from typing import Final, Literal

from isthmus_runtime.journal.journal import Incompatible

LEVEL: Final = 3
"""What this runtime knows: the number of the newest migration."""

SCHEMA: Final = "isthmus"
"""Where the tables are in PostgreSQL, so that a database may be shared with others."""

Dialect = Literal["sqlite", "postgresql"]

LOOK: Final = "SELECT name, value FROM meta WHERE name IN ('level', 'oldest')"
"""How to read a `Version`; there is no such table before the first migration."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a database has: its level, and the lowest that still understands it."""

    level: int
    oldest: int

    @classmethod
    def of(cls, rows: list[tuple[str, str]]) -> "Version":
        """From the rows of `LOOK`."""
        found = dict(rows)
        return cls(int(found.get("level", 0)), int(found.get("oldest", 0)))


NOTHING: Final = Version(0, 0)


def is_current(version: Version) -> bool:
    """Whether there is nothing to do; `Incompatible` when there is nothing that we could do."""
    if version.oldest > LEVEL:
        raise Incompatible(
            f"the journal's database was migrated to level {version.level}, which needs a runtime "
            f"of level {version.oldest} or newer; this one has level {LEVEL}. Run the newer "
            "runtime, or give this one a database of its own"
        )
    return version.level >= LEVEL


def script(version: Version, dialect: Dialect) -> str:
    """The SQL from a version to ours, to be run in one transaction."""
    from isthmus_runtime.journal import migrations

    return migrations.sql(version.level, LEVEL, dialect)
