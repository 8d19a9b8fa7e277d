"""Collects one body as it arrives, within a limit, decoded; the same for requests and responses."""

from isthmus_runtime.http import codings


class Body:
    """A body on its way in; `received` counts its bytes as they came.

    Neither what arrives nor what it decodes to may exceed `limit`. The first piece is kept as it
    is, since most bodies come in one; small chunks are not kept one by one, each an object.
    """

    __slots__ = ("_data", "_inflater", "limit", "received")

    def __init__(self, limit: int, coding: bytes = b"") -> None:
        self.limit = limit
        self.received = 0
        self._data: bytes | bytearray = b""
        self._inflater = codings.Inflater(coding, limit) if coding else None

    @property
    def decodes(self) -> bool:
        """Whether what `finish` returns differs from what came."""
        return self._inflater is not None

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raise `codings.TooLarge` or `codings.Undecodable`."""
        self.received += len(data)
        if self.received > self.limit:
            raise codings.TooLarge
        if self._inflater is not None:
            self._inflater.feed(data)
        elif not self._data:
            self._data = data
        elif isinstance(self._data, bytearray):
            self._data += data
        else:
            self._data = bytearray(self._data) + data

    def finish(self) -> bytes:
        """Return the decoded whole; raise `codings.Undecodable` where its end is missing."""
        if self._inflater is not None:
            return self._inflater.finish()
        return bytes(self._data)
