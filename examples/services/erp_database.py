"""The ERP's database: orders, every write that made them, and stock, in one SQLite file.

It keeps what a test of deliveries asks for: how often each order was written, in which order, with
which idempotency key, and what was repeated or refused.
"""

import sqlite3
from collections.abc import Mapping

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (
  material   TEXT PRIMARY KEY,
  available  INTEGER NOT NULL,
  changed_at TEXT NOT NULL,
  change     INTEGER NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
  number   TEXT PRIMARY KEY,
  customer TEXT NOT NULL,
  status   TEXT NOT NULL,
  version  TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS writes (
  sequence INTEGER PRIMARY KEY,
  number   TEXT NOT NULL,
  customer TEXT NOT NULL,
  status   TEXT NOT NULL,
  version  TEXT NOT NULL,
  key      TEXT,
  at       TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS writes_of_order ON writes (number, sequence);
CREATE TABLE IF NOT EXISTS keys (
  key         TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  created     INTEGER NOT NULL,
  repeats     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS refusals (
  number TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
"""


def opened(path: str, *, levels: Mapping[str, int], counted_at: str) -> sqlite3.Connection:
    """Open the database; a new one gets the stock levels, as counted at that time."""
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(SCHEMA)
    if database.execute("SELECT 1 FROM stock LIMIT 1").fetchone() is None:
        rows = (
            (material, available, counted_at, change)
            for change, (material, available) in enumerate(levels.items(), start=1)
        )
        with database:
            database.executemany("INSERT INTO stock VALUES (?, ?, ?, ?)", rows)
    return database
