"""The keyed store: values that Routes remember and look up."""

from collections.abc import Iterable
from typing import Final

from isthmus_runtime.journal.entries import Memory, fitting
from isthmus_runtime.journal.script import Script, query

_FOUND: Final = (
    "SELECT key, value, reference, expires_at - @now FROM memories"
    " WHERE namespace = $1 AND store = $2 AND {side} = $3"
    " AND (expires_at IS NULL OR expires_at > @now) ORDER BY written_at DESC LIMIT 1"
)


def put(memories: Iterable[Memory]) -> Script[None]:
    """Write values; the last of one key stays."""
    for memory in memories:
        yield query(
            "INSERT INTO memories"
            " (namespace, store, key, value, reference, expires_at, written_at)"
            " VALUES ($1, $2, $3, $4, $5, @now + CAST($6 AS double precision), @now)"
            " ON CONFLICT (namespace, store, key) DO UPDATE SET value = excluded.value,"
            " reference = excluded.reference, expires_at = excluded.expires_at,"
            " written_at = excluded.written_at",
            memory.namespace,
            memory.store,
            fitting(memory.key),
            memory.value,
            None if memory.reference is None else fitting(memory.reference),
            memory.ttl,
        )


def get(
    namespace: str, store: str, *, key: str | None, reference: str | None
) -> Script[Memory | None]:
    """By its key or from the other side, where the newest of several is meant."""
    side, value = ("key", key) if key is not None else ("reference", reference)
    if value is None:
        raise ValueError("say the key or the reference of what is looked up")
    rows = yield query(_FOUND.format(side=side), namespace, store, fitting(value))
    if not rows:
        return None
    found, content, other, ttl = rows[0]
    return Memory(
        namespace=namespace, store=store, key=found, value=content, reference=other, ttl=ttl
    )
