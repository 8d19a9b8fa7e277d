"""The pen: what a transaction writes with, and what it touched."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus_runtime.journal.script import Accept, Query, Rows, Script, T, for_sqlite


@dataclass(slots=True)
class Pen:
    """One transaction. Only the writer's thread has one."""

    db: sqlite3.Connection
    now: float
    next_sequence: int
    serial: dict[str, bool]
    """Whether a Route's messages are claimed in the order of their keys, as far as known."""
    careful: bool = False
    """Whether to look before writing: something in the transaction failed before."""
    woken: set[str] = field(default_factory=set)
    """Routes for which there may be work after this transaction."""
    backlog: Counter[str] = field(default_factory=Counter)
    """By how many messages each Route's backlog grew."""
    uncounted: set[str] = field(default_factory=set)
    """Routes whose backlog somebody wants counted."""

    def all(self, sql: str, *args: object) -> list[Any]:
        """The rows of a statement."""
        return self.db.execute(sql, args).fetchall()

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """A statement for each row."""
        self.db.executemany(sql, rows)

    def count(self) -> dict[str, int]:
        """The backlog of those who are uncounted, at the end of the transaction."""
        counting = "SELECT count(*) FROM queue WHERE route = ? AND state <> 'dead'"
        return {route: self.all(counting, route)[0][0] for route in self.uncounted}


def numbers(found: Iterable[int]) -> str:
    """A list for `json_each`."""
    return json.dumps(list(found))


def play(pen: Pen, script: Script[T]) -> T:
    """Drive a script to its end."""
    from isthmus_runtime.journal.sqlite import accepting

    def answer(asked: Query | Accept) -> Rows:
        if isinstance(asked, Accept):
            return [accepting.accept(pen, [asked.drafts])]
        return _rows(pen.db, asked)

    return _drive(script, answer)


def drive(db: sqlite3.Connection, script: Script[T]) -> T:
    """Drive a script that accepts nothing, such as one that only reads."""

    def answer(asked: Query | Accept) -> Rows:
        if isinstance(asked, Accept):
            raise TypeError("a script that accepts is played by the writer")
        return _rows(db, asked)

    return _drive(script, answer)


def _drive(script: Script[T], answer: Callable[[Query | Accept], Rows]) -> T:
    try:
        asked = next(script)
        while True:
            asked = script.send(answer(asked))
    except StopIteration as ended:
        result: T = ended.value
        return result


def _rows(db: sqlite3.Connection, asked: Query) -> Rows:
    args = [json.dumps(arg) if isinstance(arg, list) else arg for arg in asked.args]
    return db.execute(for_sqlite(asked.sql), args).fetchall()
