"""Streams: the body of an answer that is read while it comes in, at its reader's pace.

    stream = Stream(limit=2**30, patience=30)
    sending = asyncio.create_task(client.send("GET", "/export", deadline=…, into=stream))
    sending.add_done_callback(stream.end)
    async for piece in stream.pieces(64 * 1024):
        ...
    await sending

An answer of 2xx goes into the stream, and `send` returns it without a body once it is whole; any
other is returned as ever. What was not read yet waits in `HELD` bytes and what the socket gives at
once; beyond that nothing is read from the socket. The deadline of `send` is for the head; after
that the peer has `patience` for each further piece, and none of the reader's time counts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final, Protocol

from isthmus_runtime.http import codings, errors, messages

HELD: Final = 256 * 1024


class Tap(Protocol):
    """Where a stream comes from: a link."""

    def pause(self) -> None:
        """Read no more from the socket, for however long."""

    def resume(self) -> None:
        """Read from it again."""

    def expect(self, patience: float) -> None:
        """Fail where nothing comes for so many seconds."""


class Stream:
    """One body on its way; to a link it is a `bodies.Body`."""

    def __init__(self, *, limit: int, patience: float) -> None:
        """`limit` is for what comes and for what it decodes to."""
        self.limit: Final = limit
        self.received = 0
        self.headers: Sequence[messages.Header] = ()
        self._patience = patience
        self._decoder: codings.Decoder | None = None
        self._tap: Tap | None = None
        self.has_begun = False
        """Whether an answer goes into it."""
        self._held = bytearray()
        self._is_paused = False
        self._has_ended = False
        self._woken = asyncio.Event()

    # What the link calls.

    def begin(self, tap: Tap, headers: Sequence[messages.Header], coding: bytes) -> "Stream":
        """An answer has come, with a body behind its head."""
        self._tap, self.headers, self.has_begun = tap, headers, True
        self._decoder = codings.Decoder(coding) if coding else None
        tap.expect(self._patience)
        return self

    @property
    def decodes(self) -> bool:
        """Whether what is read differs from what came."""
        return self._decoder is not None

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raise `codings.TooLarge`."""
        self.received += len(data)
        if self.received > self.limit:
            raise codings.TooLarge
        self._held += data
        self._woken.set()
        if self._tap is None or self._is_paused:
            return
        if len(self._held) > HELD:
            self._is_paused = True
            self._tap.pause()
        else:
            self._tap.expect(self._patience)

    def finish(self) -> bytes:
        """The body is whole. It is not the link's, which may go on without us."""
        self._resume()
        self._tap = None
        return b""

    # What the reader calls.

    def end(self, sending: "asyncio.Future[messages.Response]") -> None:
        """Nothing more will come, whatever the reason. A transport that knows of no streams has the
        body in its response."""
        self._has_ended = True
        if not self.has_begun and not sending.cancelled() and sending.exception() is None:
            answer = sending.result()
            self.headers, self._held = answer.headers, bytearray(answer.body)
        self._woken.set()

    async def pieces(self, most: int) -> AsyncIterator[bytes]:
        """What comes, decoded, in pieces of at most so many bytes; other work goes on between them.

        Raises `errors.ResponseTooLarge` or `errors.MalformedResponse` where it cannot be decoded.
        """
        decoded = 0
        while data := await self._next():
            for piece in self._slices(data, most):
                decoded += len(piece)
                if decoded > self.limit:
                    raise errors.ResponseTooLarge(self.limit)
                yield piece
                await asyncio.sleep(0)

    def check_end(self) -> None:
        """Raise `errors.MalformedResponse` where the end of a coding is missing."""
        try:
            if self._decoder is not None:
                self._decoder.finish()
        except codings.Undecodable as error:
            raise errors.MalformedResponse(f"the body does not decode: {error}") from error

    async def _next(self) -> bytes:
        """What was held; nothing at the end."""
        while not self._held and not self._has_ended:
            self._woken.clear()
            await self._woken.wait()
        data, self._held = bytes(self._held), bytearray()
        self._resume()
        return data

    def _resume(self) -> None:
        if self._is_paused and self._tap is not None:
            self._is_paused = False
            self._tap.resume()
            self._tap.expect(self._patience)

    def _slices(self, data: bytes, most: int) -> Iterator[bytes]:
        if self._decoder is None:
            yield from (data[at : at + most] for at in range(0, len(data), most))
            return
        try:
            yield from self._decoder.slices(data, most)
        except codings.Undecodable as error:
            raise errors.MalformedResponse(f"the body does not decode: {error}") from error
