"""Contents: what a call sends as its body, and the content type of that."""

import base64
import binascii
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from isthmus_api import multipart
from isthmus_api.expressions import templates
from isthmus_api.step import Call
from isthmus_runtime import forms
from isthmus_runtime.body import JSON
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Broken
from isthmus_runtime.steps.bound import Binder

Content = Callable[[Exchange], tuple[bytes, bytes]]
"""The body for a message, and its content type; that is empty where nothing is sent."""

_SENDS_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_TEXT: Final = b"text/plain; charset=utf-8"


def compile(spec: Call, binder: Binder) -> Content | None:
    """What makes the body of a call; nothing where it sends none."""
    if "body" in spec.written():
        return _json(spec, binder)
    if spec.form is not None:
        return _form(spec.form, binder)
    if spec.multipart is not None:
        return _multipart(spec.multipart, binder)
    if spec.text is not None:
        return _text(spec.text, binder)
    return _current if spec.method in _SENDS_BODY else None


def _current(x: Exchange) -> tuple[bytes, bytes]:
    """The body of the message, as it is."""
    content = x.body.json()
    return content, (x.body.content_type or JSON) if content else b""


def _json(spec: Call, binder: Binder) -> Content:
    tree = binder.tree(spec.body)

    def content(x: Exchange) -> tuple[bytes, bytes]:
        return tree.body(x).json(), JSON

    return content


def _form(spec: dict[str, str], binder: Binder) -> Content:
    fields = tuple((quote(name, safe=""), text) for name, text in binder.templates(spec))

    def content(x: Exchange) -> tuple[bytes, bytes]:
        pairs = ((name, value) for name, text in fields for value in text.query(x))
        return forms.url_encoded(pairs), forms.URL_ENCODED

    return content


def _text(spec: str, binder: Binder) -> Content:
    text = binder.template(spec)

    def content(x: Exchange) -> tuple[bytes, bytes]:
        return text.text(x).encode(), _TEXT

    return content


def _multipart(spec: tuple[multipart.Part, ...], binder: Binder) -> Content:
    parts = tuple(_part(part, binder) for part in spec)

    def content(x: Exchange) -> tuple[bytes, bytes]:
        return forms.multipart([found for part in parts if (found := part(x))])

    return content


def _part(spec: multipart.Part, binder: Binder) -> Callable[[Exchange], forms.Part | None]:
    value = binder.template(spec.value)
    named = binder.template(spec.file_name) if spec.file_name else None

    def part(x: Exchange) -> forms.Part | None:
        found = value.value(x)
        if found is None:
            return None
        content = templates.as_text(found).encode()
        if spec.encoding == "base64":
            content = _bytes(content, spec.name)
        file_name = named.text(x) if named else None
        return forms.Part(spec.name, content, file_name, spec.content_type)

    return part


def _bytes(text: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Broken("NotEncodable", f"the part {name} of a form is not base64") from error
