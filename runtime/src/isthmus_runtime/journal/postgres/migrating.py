"""The tables in PostgreSQL: made by the first that needs them, while the others wait."""

from isthmus_runtime.journal import schema
from isthmus_runtime.journal.postgres.claiming import LOCK_CLASS
from isthmus_runtime.journal.postgres.pool import Connection

_LOCK = f"SET LOCAL lock_timeout TO 0; SELECT pg_advisory_xact_lock({LOCK_CLASS}::bigint)"
_PATIENCE_SECONDS = 600.0


async def prepare(connection: Connection) -> None:
    """Bring the database to our level; `Incompatible` where that cannot be."""
    if schema.is_current(await _version(connection)):
        return
    await connection.execute(f"BEGIN; {_LOCK}", timeout=_PATIENCE_SECONDS)
    try:
        version = await _version(connection)  # again: another process may have been quicker
        if not schema.is_current(version):
            await _make_schema(connection)
            script = schema.script(version, "postgresql")
            await connection.execute(script, timeout=_PATIENCE_SECONDS)
    except BaseException:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


async def _make_schema(connection: Connection) -> None:
    """`IF NOT EXISTS` asks for the right to create one even where it exists."""
    there = await connection.fetchval(
        "SELECT 1 FROM pg_namespace WHERE nspname = $1", schema.SCHEMA
    )
    if not there:
        await connection.execute(f"CREATE SCHEMA {schema.SCHEMA}")


async def _version(connection: Connection) -> schema.Version:
    """Asked of the catalogue's rows: `to_regclass` answers from a cache, which waiting for an
    advisory lock does not renew."""
    there = await connection.fetchval(
        "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = 'meta'",
        schema.SCHEMA,
    )
    if there is None:
        return schema.NOTHING
    return schema.Version.of([(row[0], row[1]) for row in await connection.fetch(schema.LOOK)])
