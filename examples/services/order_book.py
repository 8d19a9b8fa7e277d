"""The ERP's book of orders: the order as it stands, and each write that came for it."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import clock
from warehouse import Warehouse

RESERVING = "RELEASED"
"""Orders of this status hold stock."""


class KeyReused(Exception):
    """An idempotency key came with another order than the first time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An order as somebody wants it written."""

    number: str
    customer: str
    status: str
    version: str
    items: tuple[tuple[str, int], ...]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a write: the first time, or repeated with a key that is known."""

    created: bool
    repeated: bool


class OrderBook:
    """Orders and their writes; each write is one transaction with the stock that it moves."""

    def __init__(self, database: sqlite3.Connection, warehouse: Warehouse) -> None:
        self._database = database
        self._warehouse = warehouse

    def write(self, entry: Entry, *, key: str | None, fingerprint: str) -> Receipt:
        """Write an order, unless its key was seen: then say again what was said the first time."""
        with self._database:
            known = self._seen(key, fingerprint) if key else None
            if known is not None:
                return Receipt(created=known, repeated=True)
            before = self._status(entry.number)
            self._put(entry)
            self._note(entry, key)
            self._move_stock(entry, before)
            created = before is None
            if key:
                self._database.execute(
                    "INSERT INTO keys (key, fingerprint, created) VALUES (?, ?, ?)",
                    [key, fingerprint, created],
                )
            return Receipt(created=created, repeated=False)

    def refuse(self, number: str, reason: str) -> None:
        """Remember that an order was turned away."""
        with self._database:
            self._database.execute("INSERT INTO refusals VALUES (?, ?)", [number, reason])

    def unknown(self, materials: Sequence[str]) -> list[str]:
        """Tell which of the materials are not kept here."""
        return [material for material in materials if not self._warehouse.knows(material)]

    def order(self, number: str) -> dict[str, Any] | None:
        """Show an order as it was written last, and all its writes."""
        row = self._database.execute(
            "SELECT document FROM orders WHERE number = ?", [number]
        ).fetchone()
        return {**json.loads(row[0]), "writes": self.writes(number=number)} if row else None

    def writes(
        self, *, number: str | None = None, after: int = 0, limit: int = -1
    ) -> list[dict[str, object]]:
        """List writes in the order in which they came, of one order or of all."""
        cursor = self._database.execute(
            "SELECT sequence, number, customer, status, version, key, at FROM writes"
            " WHERE sequence > ? AND (?2 IS NULL OR number = ?2) ORDER BY sequence LIMIT ?3",
            [after, number, limit],
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def report(self) -> dict[str, int]:
        """Count what came, what was repeated or refused, and what came behind a newer version."""
        return {name: self._number(query) for name, query in REPORT.items()}

    def _seen(self, key: str, fingerprint: str) -> bool | None:
        row = self._database.execute(
            "UPDATE keys SET repeats = repeats + 1 WHERE key = ? RETURNING fingerprint, created",
            [key],
        ).fetchone()
        if row is None:
            return None
        if row[0] != fingerprint:
            raise KeyReused(key)
        return bool(row[1])

    def _status(self, number: str) -> str | None:
        row = self._database.execute(
            "SELECT status FROM orders WHERE number = ?", [number]
        ).fetchone()
        return row[0] if row else None

    def _put(self, entry: Entry) -> None:
        self._database.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET"
            " customer = excluded.customer, status = excluded.status,"
            " version = excluded.version, document = excluded.document",
            [
                entry.number,
                entry.customer,
                entry.status,
                entry.version,
                json.dumps(entry.document, ensure_ascii=False),
            ],
        )

    def _note(self, entry: Entry, key: str | None) -> None:
        self._database.execute(
            "INSERT INTO writes (number, customer, status, version, key, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [entry.number, entry.customer, entry.status, entry.version, key, clock.now()],
        )

    def _move_stock(self, entry: Entry, before: str | None) -> None:
        held, holds = before == RESERVING, entry.status == RESERVING
        if held == holds:
            return
        for material, quantity in entry.items:
            self._warehouse.move(material, -quantity if holds else quantity)

    def _number(self, query: str) -> int:
        (number,) = self._database.execute(query).fetchone()
        return int(number)


REPORT = {
    "orders": "SELECT count(*) FROM orders",
    "writes": "SELECT count(*) FROM writes",
    "repeats": "SELECT coalesce(sum(repeats), 0) FROM keys",
    "refused": "SELECT count(*) FROM refusals",
    "doubles": "SELECT count(*) - count(DISTINCT number || ' ' || version) FROM writes",
    "outOfOrder": "SELECT count(*) FROM writes AS late WHERE EXISTS (SELECT 1 FROM writes AS early"
    " WHERE early.number = late.number AND early.sequence < late.sequence"
    " AND early.version > late.version)",
}
"""What the ERP can say of the orders it got. `doubles` are writes of a version it had already."""
