"""Bare inserts: the rows that the journal writes for accepted messages, into the same tables with
the same indexes, in batches of one transaction each, synced as the journal's are. And the same
messages into one plain table without an index, which is what the disk itself could do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.journal.postgres import accepting as on_server
from isthmus_runtime.journal.postgres import migrating, pool
from isthmus_runtime.journal.postgres.address import read
from isthmus_runtime.journal.sqlite import accepting as in_file
from isthmus_runtime.journal.sqlite import file

T = TypeVar("T")

_PLAIN: Final = (
    "CREATE TABLE plain (sequence bigint, uid text, route text, key text, version text,"
    " identity text, content_type text, body {blob}, request {blob}, correlation_id text,"
    " trace text, parent text, accepted_at double precision)"
)
_MARKS: Final = ", ".join("?" * 13)


def sqlite(path: Path, made: Sequence[Draft], *, batch: int, plain: bool) -> float:
    """Insert into a file; rows a second."""
    file.prepare(path)
    connection = file.connect(path, time.time)
    connection.execute(_PLAIN.format(blob="blob"))
    started = time.perf_counter()
    first = 0
    for part in _parts(made, batch):
        now = time.time()
        messages = [
            in_file.message(draft, draft.key, first + number, now)
            for number, draft in enumerate(part)
        ]
        with file.transaction(connection):
            if plain:
                connection.executemany(f"INSERT INTO plain VALUES ({_MARKS})", messages)
            else:
                connection.executemany(in_file.MESSAGE, messages)
                connection.executemany(in_file.QUEUE, _queue(messages, now))
        first += len(part)
    took = time.perf_counter() - started
    connection.close()
    return len(made) / took


def _queue(messages: Sequence[tuple[Any, ...]], now: float) -> list[tuple[Any, ...]]:
    return [(row[0], row[2], row[3], None, now, now) for row in messages]


def postgres(address: str, made: Sequence[Draft], *, batch: int, plain: bool) -> float:
    """Insert into a database; rows a second."""
    return asyncio.run(_postgres(address, made, batch, plain))


async def _postgres(address: str, made: Sequence[Draft], batch: int, plain: bool) -> float:
    connection = await pool.connect(read(address))
    await migrating.prepare(connection)
    await connection.execute(_PLAIN.format(blob="bytea"))
    statement = on_server.ACCEPT
    if plain:
        columns = on_server.COLUMNS
        statement = f"INSERT INTO plain ({columns}) SELECT {columns} FROM ({on_server.GIVEN}) AS g"
    started = time.perf_counter()
    for part in _parts(made, batch):
        await connection.execute(statement, *on_server.columns(part))
    took = time.perf_counter() - started
    await connection.close(timeout=5)
    return len(made) / took


def _parts(made: Sequence[Draft], size: int) -> Iterator[Sequence[Draft]]:
    for first in range(0, len(made), size):
        yield made[first : first + size]
