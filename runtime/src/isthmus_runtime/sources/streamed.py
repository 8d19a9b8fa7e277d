"""Streamed: a document whose records are accepted while it comes in.

In memory is what was read of a socket, a piece of it decoded, and a batch of records: while records
wait to be accepted, nothing is read from the socket. Asked for again in the same run, a document
goes on behind what was taken of it, as long as that is the same.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from isthmus_api.poll import Document
from isthmus_api.records import ElementMissing, TooLarge, Unreadable
from isthmus_runtime.body import Body
from isthmus_runtime.connectors.failures import Failures
from isthmus_runtime.faults import Fault, Upstream
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Response, header
from isthmus_runtime.http.streams import Stream
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.sources import cutting, marks
from isthmus_runtime.sources.asking import Accept, Asking
from isthmus_runtime.sources.pages import Page, Place
from isthmus_runtime.sources.records import Records
from isthmus_runtime.sources.trail import Changed, Trail

PIECE: Final = 32 * 1024
"""Bytes that are cut at once; after that, and a number of records, other work goes on."""
_RECORDS_AT_ONCE: Final = 64

BATCH: Final = 1000
BATCH_BYTES: Final = 1024 * 1024
"""Records, and bytes of them, that are accepted at once."""

_MISTAKES: Final = (Unreadable, UnicodeError, cutting.Unfit, errors.ClientError, Changed)
"""What is told as a fault of the document."""


class Streamed:
    """Takes the document of one run."""

    def __init__(
        self,
        asking: Asking,
        records: Records,
        document: Document,
        *,
        charset: str | None,
        record_limit: int,
        run: int,
    ) -> None:
        self._asking = asking
        self._records = records
        self._document = document
        self._charset = charset
        self._record_limit = record_limit
        self._run = run
        self._trail = Trail()

    async def take(self, place: Place, watermark: Any, accept: Accept) -> Page:
        """Records are accepted as they come, also where the document then turns out to be bad."""
        return await self._asking.repeated(lambda: self._once(place, watermark, accept))

    async def _once(self, place: Place, watermark: Any, accept: Accept) -> Page:
        asking = self._asking
        request, deadline = asking.request(place, watermark)
        stream = Stream(limit=self._document.max_size.bytes, patience=asking.timeout)
        # What an answer says of failures is read of whole answers.
        request = request._replace(into=stream, judge=None)
        sending = asyncio.create_task(asking.system.send(request, deadline))
        sending.add_done_callback(stream.end)
        self._trail.begin()
        try:
            await self._cut(stream, sending, _Batch(self._trail, accept))
        except _MISTAKES as error:
            raise self._fault(error) from error
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return Page(request.target, [*stream.headers], self._trail.taken)

    async def _cut(
        self, stream: Stream, sending: "asyncio.Task[Response]", batch: "_Batch"
    ) -> None:
        try:
            await self._cut_whole(stream, sending, batch)
        except (*_MISTAKES, Fault):  # what came before it is kept
            await batch.flush()
            raise
        await batch.flush()
        self._trail.end()

    async def _cut_whole(
        self, stream: Stream, sending: "asyncio.Task[Response]", batch: "_Batch"
    ) -> None:
        cutter = None
        async for piece in stream.pieces(PIECE):
            cutter = cutter or self._cutter(stream)
            await self._add(cutter.feed(piece), batch)
        answer = await sending  # a fault where it ended too early
        stream.check_end()
        if answer.status != 204:
            await self._add((cutter or self._cutter(stream)).end(), batch)

    async def _add(self, bodies: Iterator[Body], batch: "_Batch") -> None:
        for count, body in enumerate(bodies, 1):
            batch.add(*self._records.one(body, run=self._run))
            if batch.is_full:
                await batch.flush()
            elif not count % _RECORDS_AT_ONCE:
                await asyncio.sleep(0)

    def _cutter(self, stream: Stream) -> cutting.Cutter:
        return cutting.of(
            self._document,
            header(stream.headers, b"content-type") or b"",
            charset=self._charset,
            limit=self._record_limit,
        )

    def _fault(self, error: Exception) -> Upstream:
        name = self._asking.system.name
        if isinstance(error, errors.ClientError):
            return Failures(name).of_client(error)
        if isinstance(error, Changed):
            detail = (
                f"the document of {name} broke off after {self._trail.taken} records, and is "
                "another one now; the next run reads it from its beginning"
            )
            return Upstream("DocumentChanged", detail, connector=name)
        reason, said, hint = _told(error, self._document)
        taken = f" (after {self._trail.taken} records)" if self._trail.taken else ""
        return Upstream(
            reason, f"{name} answered a document that {said}{taken}{hint}", connector=name
        )


class _Batch:
    """Records that wait to be accepted together."""

    def __init__(self, trail: Trail, accept: Accept) -> None:
        self._trail = trail
        self._accept = accept
        self._drafts: list[Draft] = []
        self._bytes = 0
        self._mark: Any = None

    @property
    def is_full(self) -> bool:
        return len(self._drafts) >= BATCH or self._bytes >= BATCH_BYTES

    def add(self, draft: Draft, mark: Any) -> None:
        self._drafts.append(draft)
        self._bytes += len(draft.body)
        self._mark = marks.later(self._mark, mark)

    async def flush(self) -> None:
        """Have them accepted, but for those that were before."""
        drafts, mark = self._drafts, self._mark
        self._drafts, self._bytes, self._mark = [], 0, None
        if news := self._trail.beyond(drafts):
            await self._accept(news, mark)


def _told(error: Exception, document: Document) -> tuple[str, str, str]:
    """Of a document that cannot be read: the reason, what it is like, and what to do."""
    match error:
        case TooLarge():
            return "ResponseTooLarge", str(error), "; maxResponseSize of the Connector bounds it"
        case ElementMissing():
            hint = (
                "; write the names from the root on into document.xml.element, and required: false "
                "where there may be others"
            )
            return "ElementMissing", str(error), hint
        case UnicodeDecodeError():
            hint = "; answer.charset of the call may name another one"
            return "InvalidDocument", f"is not in the charset {error.encoding}", hint
        case cutting.Unfit():
            return "InvalidDocument", f"{error}, and not {_wanted(document)}", ""
        case _:
            hint = "; is document.csv.separator right?" if document.csv else ""
            return "InvalidDocument", str(error), hint


def _wanted(document: Document) -> str:
    return "CSV" if document.csv else "XML" if document.xml else "JSON Lines"
