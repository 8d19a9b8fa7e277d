"""Differences between what a test of a Route expects and what the Route did."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from isthmus_api.comparison import NOTHING, Failure, compared
from isthmus_api.route_case import Expectation, ExpectedCall, TestEntry
from isthmus_cli.sent_requests import texts
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.testing import MadeCall


def calls(expect: Expectation, made: list[MadeCall]) -> Iterator[Failure]:
    """The calls, one by one; where their number differs, which are missing or too many."""
    if expect.calls is None:
        return
    for number, (expected, call) in enumerate(zip(expect.calls, made, strict=False), 1):
        yield from _call(f"call {number} ({call.method} {call.path})", expected, call)
    for number, missing in enumerate(expect.calls[len(made) :], len(made) + 1):
        what = " ".join(part for part in (missing.method, missing.path) if part) or "a call"
        yield Failure(f"call {number} was not made: {what} of the Connector {missing.connector}")
    for number, call in enumerate(made[len(expect.calls) :], len(expect.calls) + 1):
        yield Failure(f"call {number} was not expected: {call}")


def _call(what: str, expected: ExpectedCall, call: MadeCall) -> Iterator[Failure]:
    yield from compared(f"{what}: the Connector", expected.connector, call.connector)
    if expected.method is not None:
        yield from compared(f"{what}: the method", expected.method, call.method)
    if expected.path not in (None, call.path, unquote(call.path)):
        yield from compared(f"{what}: the path", expected.path, call.path)
    if expected.query is not None:
        yield from compared(
            f"{what}: the query", unlisted(texts(expected.query)), unlisted(call.query)
        )
    yield from _headers(what, expected.headers, call.headers)
    if "body" in expected.written():
        yield from compared(f"{what}: the body", expected.body, value_of(call.body))


def answer(expect: Expectation, answer: Response) -> Iterator[Failure]:
    if expect.status is not None:
        yield from compared("the status", expect.status, answer.status)
    yield from _headers("the answer", expect.headers, answer.headers)
    if "body" in expect.written():
        yield from compared("the body", expect.body, value_of(answer.body))


def _headers(
    what: str, expected: Mapping[str, str] | None, actual: list[Header] | tuple[Header, ...]
) -> Iterator[Failure]:
    for name, value in (expected or {}).items():
        found = [held.decode("latin-1") for key, held in actual if key == name.lower().encode()]
        yield from compared(
            f"{what}: the header {name}", value, ", ".join(found) if found else NOTHING
        )


def unlisted(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Parameters as people write them: a list only where one comes several times."""
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in query.items()}


def value_of(body: bytes) -> Any:
    """A body as JSON; as text where it is none, and null where there is nothing."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def entries(expect: Expectation, written: Sequence[Memory]) -> Iterator[Failure]:
    """The entries of stores, one by one; where their number differs, which are missing or more."""
    if expect.entries is None:
        return
    for number, (expected, memory) in enumerate(zip(expect.entries, written, strict=False), 1):
        yield from _entry(f"entry {number}", expected, memory)
    for number, missing in enumerate(expect.entries[len(written) :], len(written) + 1):
        yield Failure(f"entry {number} was not written: {missing.key} of {missing.store}")
    for number, memory in enumerate(written[len(expect.entries) :], len(expect.entries) + 1):
        yield Failure(f"entry {number} was not expected: {memory.key} of {memory.store}")


def _entry(what: str, expected: TestEntry, memory: Memory) -> Iterator[Failure]:
    yield from compared(f"{what}: the store", expected.store, memory.store)
    yield from compared(f"{what}: the key", expected.key, memory.key)
    if expected.reference is not None:
        yield from compared(f"{what}: the reference", expected.reference, memory.reference)
    if "value" in expected.written():
        yield from compared(f"{what}: the value", expected.value, value_of(memory.value))
