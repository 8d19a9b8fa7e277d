"""What a system keeps: JSON documents by kind and key, with version and time of their change.

The times of a kind never go back and no two are the same, so that who reads in their order can go
on behind the last one.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  kind       TEXT NOT NULL,
  key        TEXT NOT NULL,
  version    INTEGER NOT NULL,
  changed_at TEXT NOT NULL,
  document   TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT;
CREATE INDEX IF NOT EXISTS documents_by_change ON documents (kind, changed_at);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as it is now."""

    key: str
    version: int
    changed_at: str
    document: dict[str, Any]


class Documents:
    """The one table of a small system."""

    def __init__(self, path: str) -> None:
        """Open the file, or a database in memory."""
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(SCHEMA)

    def put(self, kind: str, key: str, document: Mapping[str, Any]) -> Kept:
        """Keep a document in place of what has its key."""
        at, before = self._next_change(kind), self.get(kind, key)
        kept = Kept(key, before.version + 1 if before else 1, at, dict(document))
        with self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)",
                [kind, key, kept.version, at, json.dumps(kept.document)],
            )
        return kept

    def get(self, kind: str, key: str) -> Kept | None:
        """Find a document."""
        row = self._database.execute(
            "SELECT key, version, changed_at, document FROM documents WHERE kind = ? AND key = ?",
            [kind, key],
        ).fetchone()
        return _kept(row) if row else None

    def changed(self, kind: str, *, since: str = "", offset: int, limit: int) -> list[Kept]:
        """Read what was changed at or after a time, in the order of the changes."""
        rows = self._database.execute(
            "SELECT key, version, changed_at, document FROM documents"
            " WHERE kind = ? AND changed_at >= ? ORDER BY changed_at LIMIT ? OFFSET ?",
            [kind, since, limit, offset],
        )
        return [_kept(row) for row in rows]

    def count(self, kind: str, *, since: str = "") -> int:
        """Count what was changed at or after a time."""
        (found,) = self._database.execute(
            "SELECT count(*) FROM documents WHERE kind = ? AND changed_at >= ?", [kind, since]
        ).fetchone()
        return int(found)

    def _next_change(self, kind: str) -> str:
        (last,) = self._database.execute(
            "SELECT max(changed_at) FROM documents WHERE kind = ?", [kind]
        ).fetchone()
        now = clock.now()
        if last is None or last < now:
            return now
        return clock.written(clock.read(last) + timedelta(milliseconds=1))


def _kept(row: tuple[str, int, str, str]) -> Kept:
    key, version, changed_at, document = row
    return Kept(key, version, changed_at, json.loads(document))
