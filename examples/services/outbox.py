"""The shop's outbox: webhooks that wait to be sent, in an SQLite file.

A webhook leaves when somebody answered 2xx. Those of one order leave one after the other, so that
"paid" never overtakes "created" on our side; what happens behind the door is not ours.
"""

import sqlite3
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

SCHEMA = """
CREATE TABLE IF NOT EXISTS webhooks (
  id       INTEGER PRIMARY KEY,
  number   INTEGER NOT NULL,
  topic    TEXT NOT NULL,
  body     BLOB NOT NULL,
  due      REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  trouble  TEXT NOT NULL DEFAULT '',
  sent     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS waiting ON webhooks (number, id) WHERE NOT sent;
CREATE VIEW IF NOT EXISTS heads AS
  SELECT * FROM webhooks WHERE id IN (SELECT min(id) FROM webhooks WHERE NOT sent GROUP BY number);
"""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it waits; `attempts` were made so far."""

    id: int
    number: int
    topic: str
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A webhook that is to be sent from `due` on, in Unix seconds."""

    number: int
    topic: str
    body: bytes
    due: float


class Outbox:
    """Webhooks by the time at which they are due."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(SCHEMA)

    def post(self, postings: Iterable[Posting]) -> None:
        """Keep webhooks until they are sent; the order given is the order kept."""
        with self._database:
            self._database.executemany(
                "INSERT INTO webhooks (number, topic, body, due) VALUES (?, ?, ?, ?)",
                [(each.number, each.topic, each.body, each.due) for each in postings],
            )

    def due(self, *, besides: Collection[int], limit: int) -> list[Webhook]:
        """Take the first webhook of each order that is due, but none of the orders `besides`."""
        rows = self._database.execute(
            "SELECT id, number, topic, body, attempts FROM heads WHERE due <= ?"
            " ORDER BY id LIMIT ?",
            [time.time(), limit + len(besides)],
        )
        found = (Webhook(*row) for row in rows)
        return [webhook for webhook in found if webhook.number not in besides][:limit]

    def next_due(self, *, besides: Collection[int]) -> float | None:
        """Say in how many seconds one is due; none when nothing waits."""
        rows = self._database.execute(
            "SELECT number, due FROM heads ORDER BY due LIMIT ?", [len(besides) + 1]
        )
        waits = [max(0.0, due - time.time()) for number, due in rows if number not in besides]
        return min(waits, default=None)

    def sent(self, webhook: Webhook) -> None:
        """Note that somebody took it."""
        with self._database:
            self._database.execute(
                "UPDATE webhooks SET sent = 1, attempts = attempts + 1, trouble = '' WHERE id = ?",
                [webhook.id],
            )

    def failed(self, webhook: Webhook, *, trouble: str, again_in: float) -> None:
        """Note that nobody did, and when to try again."""
        with self._database:
            self._database.execute(
                "UPDATE webhooks SET attempts = attempts + 1, trouble = ?, due = ? WHERE id = ?",
                [trouble, time.time() + again_in, webhook.id],
            )

    def report(self) -> dict[str, object]:
        """Count what was sent and what waits, and tell the last trouble of what waits."""
        sent, waiting, attempts = self._database.execute(
            "SELECT coalesce(sum(sent), 0), coalesce(sum(NOT sent), 0), coalesce(sum(attempts), 0)"
            " FROM webhooks"
        ).fetchone()
        trouble = self._database.execute(
            "SELECT trouble FROM webhooks WHERE NOT sent AND trouble <> '' ORDER BY due LIMIT 1"
        ).fetchone()
        return {
            "sent": sent,
            "waiting": waiting,
            "attempts": attempts,
            "trouble": trouble[0] if trouble else None,
        }

    def last_number(self) -> int:
        """Say the highest number of an order that is told of here; 0 when there is none."""
        (number,) = self._database.execute(
            "SELECT coalesce(max(number), 0) FROM webhooks"
        ).fetchone()
        return int(number)

    def of_order(self, number: int) -> list[dict[str, object]]:
        """List the webhooks of an order."""
        rows = self._database.execute(
            "SELECT topic, sent, attempts, trouble FROM webhooks WHERE number = ? ORDER BY id",
            [number],
        )
        return [
            {"topic": topic, "sent": bool(sent), "attempts": attempts, "trouble": trouble or None}
            for topic, sent, attempts, trouble in rows
        ]
