"""An index: for each key a set of entries; a key without entries is not kept."""

from collections import defaultdict
from typing import TypeVar

Of = TypeVar("Of")
Entry = TypeVar("Entry")


def discard(index: defaultdict[Of, set[Entry]], key: Of, entry: Entry) -> None:
    """Take an entry out of the set of a key, where it is in it."""
    index[key].discard(entry)
    if not index[key]:
        del index[key]
