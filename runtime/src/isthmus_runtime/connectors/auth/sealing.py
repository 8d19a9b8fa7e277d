"""Sealing: what is kept where others may read it, encrypted with a key made of credentials.

Whoever has the same credentials has the same key, and nobody else: the key is stored nowhere.
Credentials may be as weak as a person's password, so making the key takes time and memory (scrypt,
some 50 ms), which guessing would take for each guess.
"""

import hashlib
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_COST: Final = 2**14
_KEY_BYTES: Final = 32
_NAME_BYTES: Final = 16
_NONCE_BYTES: Final = 12


class Seal:
    """A key (AES-256-GCM), and the `name` that belongs to it, which tells nothing of it."""

    def __init__(self, credentials: bytes, *, purpose: bytes) -> None:
        """Other credentials, and another purpose, make another key and another name."""
        salt = hashlib.sha256(purpose).digest()
        length = _KEY_BYTES + _NAME_BYTES
        made = hashlib.scrypt(credentials, salt=salt, n=_COST, r=8, p=1, dklen=length)
        self.name: Final = made[_KEY_BYTES:].hex()
        self._cipher = AESGCM(made[:_KEY_BYTES])

    def close(self, content: bytes) -> bytes:
        """The content, sealed; another text each time."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, self.name.encode())

    def open(self, sealed: bytes) -> bytes | None:
        """The content; nothing where it was sealed with another key, or changed since."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, self.name.encode())
        except (InvalidTag, ValueError):
            return None
