"""Shelf: values by key, bounded in number and in bytes; the one unused for longest goes first."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """At most `max_entries` values, of at most `max_bytes` together."""

    def __init__(self, *, max_entries: int, max_bytes: int) -> None:
        self.bytes = 0
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[bytes, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> T | None:
        """The value, which is used by that."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: bytes, value: T, size: int) -> None:
        """Keep a value of `size` bytes, in the place of the one before; one that is larger than
        all may be together is not kept."""
        self.drop(key)
        if size > self._max_bytes:
            return
        self._entries[key] = value, size
        self.bytes += size
        while len(self._entries) > self._max_entries or self.bytes > self._max_bytes:
            self.drop(next(iter(self._entries)))

    def drop(self, key: bytes) -> None:
        """Keep it no longer."""
        found = self._entries.pop(key, None)
        if found:
            self.bytes -= found[1]
