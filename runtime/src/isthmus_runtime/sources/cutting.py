"""Cutting: the bytes of a document as bodies of its records, in the charset that it is written in.

The charset is the one that the manifest names, or else the content type. Where neither does, XML
says it itself, and anything else is UTF-8.
"""

import codecs
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from isthmus_api.poll import Document
from isthmus_api.records import CsvRows, JsonLines, XmlElements
from isthmus_runtime import charsets
from isthmus_runtime.body import Body, is_json

_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})


class Unfit(ValueError):
    """What came says of itself that it is something else; the text tells what."""


class Cutter(Protocol):
    """Gives the records of one document; what is given must be read to its end."""

    def feed(self, data: bytes) -> Iterator[Body]:
        """What is whole with the next piece."""
        ...

    def end(self) -> Iterator[Body]:
        """What is whole as nothing follows."""
        ...


def of(spec: Document, content_type: bytes, *, charset: str | None, limit: int) -> Cutter:
    """The cutter of an answer; `Unfit` where it cannot be such a document. `limit` is for a
    record."""
    kind = charsets.media(content_type)[0]
    if kind in _PAGES or (spec.json_lines is None and kind and is_json(kind.encode())):
        raise Unfit(f"is {kind}")
    written = charset or charsets.named(content_type)
    if written and not charsets.is_known(written):
        raise Unfit(f"is in the charset {written[:40]}, which is not read")
    if spec.xml:
        elements = XmlElements(
            tuple(spec.xml.element.split("/")),
            encoding="utf-8" if written else None,
            required=spec.xml.required,
            limit=limit,
        )
        return _Bytes(elements, written)
    decoder = _decoder(written or charsets.USUAL)
    if spec.csv:
        rows = CsvRows(separator=spec.csv.separator, header=spec.csv.header, limit=limit)
        return _Texts(rows, decoder, Body.of)
    return _Texts(JsonLines(limit=limit), decoder, lambda found: Body.of(*found))


class _Records(Protocol):
    def feed(self, text: Any) -> Iterator[Any]: ...
    def end(self) -> Iterator[Any]: ...


class _Texts:
    """What is cut as text."""

    def __init__(
        self,
        records: _Records,
        decoder: codecs.IncrementalDecoder,
        body: Callable[[Any], Body],
    ) -> None:
        self._records = records
        self._decoder = decoder
        self._body = body

    def feed(self, data: bytes) -> Iterator[Body]:
        for text in _decoded(self._decoder, data):
            yield from map(self._body, self._records.feed(text))

    def end(self) -> Iterator[Body]:
        self._decoder.decode(b"", final=True)
        yield from map(self._body, self._records.end())


class _Bytes:
    """XML, which tells its charset itself unless another one is named."""

    def __init__(self, elements: XmlElements, charset: str | None) -> None:
        self._elements = elements
        self._decoder = _decoder(charset) if charset else None

    def feed(self, data: bytes) -> Iterator[Body]:
        if self._decoder is None:
            yield from map(Body.of, self._elements.feed(data))
            return
        for text in _decoded(self._decoder, data):
            yield from map(Body.of, self._elements.feed(text.encode()))

    def end(self) -> Iterator[Body]:
        if self._decoder is not None:
            self._decoder.decode(b"", final=True)
        yield from map(Body.of, self._elements.end())


def _decoder(charset: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(charset)("strict")


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes) -> Iterator[str]:
    """The text of a piece; where it is written otherwise, what comes before that, and the error."""
    state = decoder.getstate()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError as error:
        decoder.setstate(state)
        yield decoder.decode(data[: max(error.start - len(state[0]), 0)])
        raise
    yield text
