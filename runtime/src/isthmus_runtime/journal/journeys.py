"""Journeys as they are kept: compressed, and no larger than is good for a database."""

import json
import zlib
from typing import Final

LARGEST: Final = 1_048_576
"""Bytes of JSON; of more, the beginning is kept as text."""
_BEGINNING: Final = 65_536


def pack(journey: bytes) -> bytes:
    """For the table; nothing stays nothing."""
    if not journey:
        return b""
    if len(journey) > LARGEST:
        journey = _cut(journey)
    return zlib.compress(journey, 1)


def unpack(kept: bytes) -> bytes:
    """As it was packed."""
    return zlib.decompress(kept) if kept else b""


def _cut(journey: bytes) -> bytes:
    beginning = journey[:_BEGINNING].decode("utf-8", "ignore")
    return json.dumps({"cut": True, "bytes": len(journey), "beginning": beginning}).encode()
