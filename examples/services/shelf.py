"""The shop's own idea of stock: what it was told last of each product it sells."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

SCHEMA = """
CREATE TABLE IF NOT EXISTS shelf (
  sku        TEXT PRIMARY KEY,
  available  INTEGER NOT NULL,
  changed_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS novelties (sku TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS told (what TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Level:
    """How much of a product there is, as of a time."""

    sku: str
    available: int
    changed_at: str


class Shelf:
    """Stock levels; an older one never overwrites a newer one."""

    def __init__(self, database: sqlite3.Connection, counted: Iterable[Level]) -> None:
        """Begin with what was counted, unless something was told already."""
        self._database = database
        database.executescript(SCHEMA)
        levels = tuple(counted)
        with database:
            for level in levels:
                self._take(level)
        novelties = (sku for (sku,) in database.execute("SELECT sku FROM novelties"))
        self._skus = {*(level.sku for level in levels), *novelties}

    def sells(self, sku: str) -> bool:
        """Tell whether the shop has the product in its range."""
        return sku in self._skus

    def add(self, sku: str) -> None:
        """Take a product into the range."""
        with self._database:
            self._database.execute("INSERT INTO novelties VALUES (?) ON CONFLICT DO NOTHING", [sku])
        self._skus.add(sku)

    def put(self, levels: Iterable[Level]) -> None:
        """Take levels, and count how many calls, levels and late levels came."""
        with self._database:
            self._count("calls")
            for level in levels:
                self._count("levels")
                if not self._take(level):
                    self._count("late")

    def level(self, sku: str) -> Level | None:
        """Read what there is of a product, if anybody ever told."""
        row = self._database.execute(
            "SELECT sku, available, changed_at FROM shelf WHERE sku = ?", [sku]
        ).fetchone()
        return Level(*row) if row else None

    def report(self) -> dict[str, int]:
        """Count what was told, and the products of which something is known."""
        (known,) = self._database.execute("SELECT count(*) FROM shelf").fetchone()
        told = dict(self._database.execute("SELECT what, times FROM told"))
        return {
            "products": known,
            **{what: told.get(what, 0) for what in ("calls", "levels", "late")},
        }

    def _take(self, level: Level) -> bool:
        cursor = self._database.execute(
            "INSERT INTO shelf VALUES (?, ?, ?) ON CONFLICT (sku) DO UPDATE SET"
            " available = excluded.available, changed_at = excluded.changed_at"
            " WHERE excluded.changed_at >= shelf.changed_at",
            [level.sku, level.available, level.changed_at],
        )
        return cursor.rowcount == 1

    def _count(self, what: str) -> None:
        self._database.execute(
            "INSERT INTO told VALUES (?, 1) ON CONFLICT (what) DO UPDATE SET times = times + 1",
            [what],
        )
