"""Sent requests: what a test writes of a request, as it reaches a Route."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from isthmus_api.expressions.templates import as_text
from isthmus_api.route_case import TestMessage, TestRequest
from isthmus_api.source import HttpSource
from isthmus_api.webhook import WebhookSource
from isthmus_runtime import testing
from isthmus_runtime.http.messages import Head, Header, Request


class UnsoundTest(Exception):
    """The test itself cannot be run; the message says what to write."""


def request(endpoint: HttpSource | WebhookSource, written: TestRequest | TestMessage) -> Request:
    """The request of a test, with the method and the path of the endpoint."""
    path = _path(endpoint.path, written)
    query = "&".join(_parameters(written.query))
    target = f"{path}?{query}" if query else path
    head = Head(endpoint.method, target.encode(), path, query, _headers(written))
    return Request(head, body(written) if _has_body(written) else b"")


def _path(path: str, written: TestRequest | TestMessage) -> str:
    segments = [
        _param(segment[1:-1], path, written) if segment.startswith("{") else segment
        for segment in path.split("/")
    ]
    return "/".join(segments)


def _param(name: str, path: str, written: TestRequest | TestMessage) -> str:
    if not written.params.get(name):
        where = "request" if isinstance(written, TestRequest) else "message"
        raise UnsoundTest(
            f"the path {path} needs a value for {name}; write {where}: {{params: {{{name}: …}}}}"
        )
    return quote(written.params[name], safe="")


def _parameters(query: Mapping[str, Any]) -> Iterator[str]:
    for name, values in texts(query).items():
        for text in values:
            yield f"{quote(name, safe='')}={quote(text, safe='')}"


def texts(query: Mapping[str, Any]) -> dict[str, list[str]]:
    """Query parameters as the lists of texts that are sent."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    found = {
        name: [as_text(item) for item in values if item is not None]
        for name, values in listed.items()
    }
    return {name: values for name, values in found.items() if values}


def _has_body(written: TestRequest | TestMessage) -> bool:
    return "body" in written.written()


def body(written: TestRequest | TestMessage) -> bytes:
    """The body as JSON."""
    try:
        return testing.as_json(written.body)
    except ValueError as error:
        raise UnsoundTest(f"the body is no JSON: {error}") from error


def _headers(written: TestRequest | TestMessage) -> list[Header]:
    fields = [(name.lower().encode(), value.encode()) for name, value in written.headers.items()]
    named = {name for name, _ in fields}
    if b"host" not in named:
        fields.append((b"host", b"localhost"))
    if _has_body(written) and b"content-type" not in named:
        fields.append((b"content-type", b"application/json"))
    return fields
