"""Bounded decoding of gzip and deflate.

It runs as the bytes arrive, so a bomb is noticed at its limit and never unfolded.
"""

import zlib
from collections.abc import Iterator

_MEMBERS = 1000  # of one gzip body: empty ones cost work and yield nothing


class TooLarge(Exception):
    """The decoded body is larger than its reader allows."""


class Undecodable(Exception):
    """The body is not what its content-encoding says."""


class Decoder:
    """Decodes gzip (also several members) or deflate (zlib or raw), as much at a time as is asked
    for."""

    __slots__ = ("_gzip", "_inflate", "_members", "_started")

    def __init__(self, coding: bytes) -> None:
        self._gzip = coding != b"deflate"
        self._inflate = zlib.decompressobj(31 if self._gzip else 15)
        self._members = 1
        self._started = False

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes]:
        """At most so many bytes, and what of `data` was not read for them; raise `Undecodable`."""
        try:
            if self._inflate.eof:
                self._next_member(data)
            if not self._started:
                self._begin(data)
            decoded = self._inflate.decompress(data, most)
        except zlib.error as error:
            raise Undecodable(str(error)) from error
        return decoded, self._inflate.unconsumed_tail or self._inflate.unused_data

    def slices(self, data: bytes, most: int) -> Iterator[bytes]:
        """All that `data` decodes to, in pieces of at most so many bytes."""
        while data:
            decoded, data = self.decode(data, most)
            yield decoded
            # A piece that was filled may leave something within the decoder.
            while not data and len(decoded) == most and not self._inflate.eof:
                decoded = self._inflate.decompress(b"", most)
                yield decoded

    def finish(self) -> None:
        """Raise `Undecodable` where the end is missing."""
        if self._started and not self._inflate.eof:
            raise Undecodable("the compressed body ends too early")

    def _begin(self, data: bytes) -> None:
        self._started = True
        # Some send raw deflate, without the zlib wrapper, whose first byte ends in 8 (RFC 1950).
        if not self._gzip and data[0] & 0x0F != 8:
            self._inflate = zlib.decompressobj(-15)

    def _next_member(self, data: bytes) -> None:
        if not self._gzip or not data.startswith(b"\x1f"):
            raise Undecodable("bytes follow the compressed body")
        self._members += 1
        if self._members > _MEMBERS:
            raise Undecodable(f"more than {_MEMBERS} gzip members")
        self._inflate = zlib.decompressobj(31)


class Inflater:
    """Decodes a whole body, to `limit` bytes at most."""

    __slots__ = ("_decoder", "_limit", "_out")

    def __init__(self, coding: bytes, limit: int) -> None:
        self._decoder = Decoder(coding)
        self._limit = limit
        self._out = bytearray()

    def feed(self, data: bytes) -> None:
        """Decode the next bytes; raise `TooLarge` or `Undecodable`."""
        while data:
            decoded, data = self._decoder.decode(data, self._limit - len(self._out) + 1)
            self._out += decoded
            if len(self._out) > self._limit:
                raise TooLarge

    def finish(self) -> bytes:
        """Return the whole decoded body; raise `Undecodable` where its end is missing."""
        self._decoder.finish()
        return bytes(self._out)


def decodable(coding: bytes) -> bool:
    """Say whether `Inflater` takes this content-encoding."""
    return coding in {b"gzip", b"x-gzip", b"deflate"}
