"""Scripts, driven on a connection."""

from isthmus_runtime.journal.postgres import accepting
from isthmus_runtime.journal.postgres.pool import Connection, transaction
from isthmus_runtime.journal.script import Accept, Query, Rows, Script, T, for_postgresql


async def play(connection: Connection, script: Script[T]) -> T:
    """Drive a script to its end, in a transaction that is under way."""
    try:
        asked = next(script)
        while True:
            asked = script.send(await _answer(connection, asked))
    except StopIteration as ended:
        result: T = ended.value
        return result


async def play_whole(connection: Connection, script: Script[T]) -> T:
    """A script as a transaction."""
    async with transaction(connection):
        return await play(connection, script)


async def _answer(connection: Connection, asked: Query | Accept) -> Rows:
    if isinstance(asked, Accept):
        return [await accepting.accept(connection, [asked.drafts])]
    return list(await connection.fetch(for_postgresql(asked.sql), *asked.args))
