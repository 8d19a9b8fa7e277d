"""Stock in the ERP: how much there is of each material, and what changed since when."""

import sqlite3
from dataclasses import dataclass

import clock


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes, oldest first, and the cursor of the page behind it."""

    items: list[dict[str, object]]
    next: str | None


class Warehouse:
    """The table of stock. Each change gets a number of its own and a time that never goes back."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def knows(self, material: str) -> bool:
        """Tell whether the material is kept here at all."""
        return bool(
            self._database.execute(
                "SELECT EXISTS (SELECT 1 FROM stock WHERE material = ?)", [material]
            ).fetchone()[0]
        )

    def move(self, material: str, by: int) -> None:
        """Add to the stock of a known material, or take away; backorders make it negative."""
        self._database.execute(
            "UPDATE stock SET available = available + ?, changed_at = ?, change = ?"
            " WHERE material = ?",
            [by, *self._change(), material],
        )

    def count(self, material: str, available: int) -> None:
        """Say how much there is; a material that is new is known from now on."""
        with self._database:
            self._database.execute(
                "INSERT INTO stock VALUES (?, ?, ?, ?) ON CONFLICT (material) DO UPDATE SET"
                " available = excluded.available, changed_at = excluded.changed_at,"
                " change = excluded.change",
                [material, available, *self._change()],
            )

    def forget(self, material: str) -> None:
        """Know a material no more: orders of it are refused."""
        with self._database:
            self._database.execute("DELETE FROM stock WHERE material = ?", [material])

    def changes(self, *, since: str, after: int, limit: int) -> Changes:
        """Read what changed at or after `since`, behind the change with the number `after`.

        What changes while somebody reads moves to the end, so no change is missed.
        """
        rows = self._database.execute(
            "SELECT material, available, changed_at, change FROM stock"
            " WHERE changed_at >= ? AND change > ? ORDER BY change LIMIT ?",
            [since, after, limit + 1],
        ).fetchall()
        page = rows[:limit]
        return Changes(
            [
                {"material": material, "available": available, "changedAt": changed_at}
                for material, available, changed_at, _ in page
            ],
            next=str(page[-1][3]) if len(rows) > limit else None,
        )

    def _change(self) -> tuple[str, int]:
        last, number = self._database.execute(
            "SELECT coalesce(max(changed_at), ''), coalesce(max(change), 0) FROM stock"
        ).fetchone()
        return max(last, clock.now()), number + 1
