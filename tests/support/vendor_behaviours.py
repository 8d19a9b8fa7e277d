"""What vendors do to those who call them, and what becomes of a message then.

The test sends a message to a system that behaves so, and well from then on; the page in
docs/reference is made of the same rows: `python tests/support/vendor_behaviours.py FOLDER`.
"""

import gzip
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from upstreams import Behave, answer, hangs, head, resets, says

Class = Literal["delivered", "passing", "permanent"]

JSON: Final = "content-type: application/json"
LENGTH: Final = "content-length: 10"
TIMEOUT: Final = "500ms"
LARGEST: Final = "64Ki"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a system does once, of which class that is, for what reason, and how it is counted."""

    name: str
    behave: Behave
    kind: Class
    reason: str = ""
    result: str = ""
    """The label of isthmus_connector_calls_total; where it is empty, the reason."""

    @property
    def counted(self) -> str:
        return self.result or self.reason


def _status(code: int, kind: Class, name: str = "", *headers: str) -> Behaviour:
    behave = answer({"error": "no"}, status=code, headers=headers)
    result = f"{code // 100}xx"
    return Behaviour(name or f"answers {code}", behave, kind, "UnexpectedStatus", result)


def _bytes(name: str, data: bytes, kind: Class, reason: str) -> Behaviour:
    return Behaviour(name, says(data), kind, reason)


def _delivered(name: str, behave: Behave) -> Behaviour:
    return Behaviour(name, behave, "delivered", "", "2xx")


def _good(body: bytes, *lines: str) -> bytes:
    return head(200, JSON, f"content-length: {len(body)}", *lines) + body


def _unread(name: str, body: bytes, *headers: str, content_type: str = "") -> Behaviour:
    behave = answer(body=body, content_type=content_type or "application/json", headers=headers)
    return Behaviour(name, behave, "permanent", "InvalidAnswer")


def _gzip(body: bytes) -> Behave:
    return answer(body=body, headers=("content-encoding: gzip",))


BEHAVIOURS: Final = (
    *(_status(code, "permanent") for code in (400, 403, 404, 405, 409, 410, 413, 415, 422, 451)),
    *(_status(code, "passing") for code in (408, 500, 501, 502, 503, 504)),
    _status(429, "passing", "answers 429 without Retry-After"),
    _status(429, "passing", "answers 429 with Retry-After: 0", "retry-after: 0"),
    _status(429, "passing", "answers 429 with a Retry-After that is none", "retry-after: soon"),
    _status(
        503,
        "passing",
        "answers 503 with a date long past",
        "retry-after: Mon, 01 Jan 2024 00:00:00 GMT",
    ),
    _status(302, "permanent", "answers 302 to a page to log in", "location: /login"),
    _status(308, "permanent", "has moved, with 308", "location: https://new.example.com/in"),
    Behaviour(
        "answers 200 with an error in the body",
        answer({"errors": [{"message": "no such customer"}]}),
        "permanent",
        "FailureAnswered",
    ),
    Behaviour(
        "answers 200 and says in the body to come again",
        answer({"errors": [{"message": "throttled", "code": "THROTTLED"}]}),
        "passing",
        "FailureAnswered",
    ),
    _unread("answers 200 with an HTML page to log in", b"<html>", content_type="text/html"),
    _delivered("answers 200 with an empty body", answer(body=b"")),
    _delivered("answers 204", answer(body=b"", status=204, content_type=None)),
    _unread("answers 200 with half a document", b'{"a": ['),
    _unread("answers NaN where a number is", b'{"price": NaN}'),
    _unread("answers Infinity where a number is", b'{"price": Infinity}'),
    _unread("says UTF-8 and writes Latin-1", b'{"name": "caf\xe9"}'),
    _unread(
        "writes in a charset that nobody knows", b"{}", content_type="application/json; charset=x-7"
    ),
    _delivered("answers JSON as text/plain", answer(body=b"{}", content_type="text/plain")),
    _delivered("answers JSON without a content type", answer(body=b"{}", content_type=None)),
    _delivered("writes a byte order mark first", answer(body=b"\xef\xbb\xbf{}")),
    _delivered(
        "writes Latin-1 and says so",
        answer(body=b'{"name": "caf\xe9"}', content_type="application/json; charset=iso-8859-1"),
    ),
    _delivered("writes a key twice", answer(body=b'{"id": 1, "id": 2}')),
    _delivered("writes an id of 64 bits", answer(body=b'{"id": 9223372036854775807}')),
    _delivered(
        "writes an integer that no double holds", answer(body=b'{"id": 12345678901234567890123}')
    ),
    _delivered("writes a date without a zone", answer({"at": "2026-01-31T10:00:00"})),
    _delivered("answers 201 with null", answer(body=b"null", status=201)),
    _delivered("says 100 Continue first", says(b"HTTP/1.1 100 Continue\r\n\r\n" + _good(b"{}"))),
    _delivered("says 103 Early Hints first", says(head(103, "link: </a>") + _good(b"{}"))),
    _delivered("answers in HTTP/1.0", says(_good(b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"))),
    _delivered("ends its answer by closing", says(head(200, JSON, "connection: close") + b"{}")),
    _delivered("compresses its answer", _gzip(gzip.compress(b"{}"))),
    Behaviour("answers nothing", hangs(), "passing", "Timeout"),
    Behaviour(
        "stops in the middle of an answer",
        hangs(head(200, LENGTH, JSON) + b"[1,"),
        "passing",
        "Timeout",
    ),
    Behaviour(
        "begins chunks that never end",
        hangs(head(200, JSON, "transfer-encoding: chunked") + b"2\r\n[1\r\n"),
        "passing",
        "Timeout",
    ),
    _bytes("closes without a word", b"", "passing", "ConnectionBroken"),
    Behaviour("resets the connection", resets(), "passing", "ConnectionBroken"),
    _bytes("closes in its headers", b"HTTP/1.1 200 OK\r\ncontent-", "passing", "ConnectionBroken"),
    _bytes(
        "closes in the middle of an answer",
        head(200, LENGTH, JSON) + b"[1,",
        "passing",
        "ConnectionBroken",
    ),
    _bytes(
        "closes in the middle of a chunk",
        head(200, JSON, "transfer-encoding: chunked") + b"3\r\n[1,",
        "passing",
        "ConnectionBroken",
    ),
    _bytes(
        "writes a length of a chunk that is none",
        head(200, JSON, "transfer-encoding: chunked") + b"zz\r\n[1]\r\n0\r\n\r\n",
        "permanent",
        "InvalidAnswer",
    ),
    _bytes(
        "speaks another protocol", b"220 mail.example.com ESMTP\r\n", "permanent", "InvalidAnswer"
    ),
    _bytes(
        "gives two lengths",
        head(200, JSON, "content-length: 2", "content-length: 3") + b"{} ",
        "permanent",
        "InvalidAnswer",
    ),
    Behaviour("compresses what does not decode", _gzip(b"{}" * 50), "permanent", "InvalidAnswer"),
    Behaviour(
        "ends its compressed answer early",
        _gzip(gzip.compress(b"[1]" * 500)[:-9]),
        "permanent",
        "InvalidAnswer",
    ),
    Behaviour(
        f"compresses more than maxResponseSize ({LARGEST})",
        _gzip(gzip.compress(b" " * 200_000)),
        "permanent",
        "ResponseTooLarge",
    ),
    Behaviour(
        f"answers more than maxResponseSize ({LARGEST})",
        answer(body=b" " * 65_537),
        "permanent",
        "ResponseTooLarge",
    ),
)


HEAD: Final = f"""<!-- Made by `make generate` from tests/support/vendor_behaviours.py. -->
# What vendors do, and what becomes of a message

A message is on its way to a system that behaves so once, and well from then on. The Connector has
`answer: {{as: json, failWhen: …}}`, `timeout: {TIMEOUT}` and `maxResponseSize: {LARGEST}`. Each
row is a test on a real socket (`tests/contract/delivery/test_vendors.py`): a message that is tried
again is delivered by its second attempt, one that is parked when it is replayed, and none is lost.

| the system | the message | reason | `result` in `isthmus_connector_calls_total` |
|---|---|---|---|
"""
_WORDS: Final = {
    "delivered": "is delivered",
    "passing": "is tried again",
    "permanent": "is parked",
}


def page() -> str:
    """The page of the reference."""
    return HEAD + "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    for each in BEHAVIOURS:
        reason = f"`{each.reason}`" if each.reason else ""
        yield f"| {each.name} | {_WORDS[each.kind]} | {reason} | `{each.counted}` |"


if __name__ == "__main__":
    (Path(sys.argv[1]) / "vendor-behaviours.md").write_text(page(), encoding="utf-8")
