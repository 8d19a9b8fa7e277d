"""Encodings: bytes as they are written in headers and Secrets; nothing where it is not that."""

import base64
import binascii
from typing import Final

_UNSAFE: Final = bytes.maketrans(b"-_", b"+/")


def from_base64(text: bytes) -> bytes | None:
    """Base64 in either alphabet, with or without its padding."""
    text = text.rstrip(b"=").translate(_UNSAFE)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def from_hex(text: bytes) -> bytes | None:
    """Pairs of hexadecimal digits."""
    try:
        return binascii.unhexlify(text)
    except binascii.Error:
        return None


def as_it_is(text: bytes) -> bytes | None:
    """The text itself."""
    return text


DECODERS: Final = {"hex": from_hex, "base64": from_base64, "text": as_it_is}
