"""Forms: bodies of fields, as browsers send them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

URL_ENCODED: Final = b"application/x-www-form-urlencoded"
_FILE: Final = "application/octet-stream"
_LINE: Final = b"\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a form, or a file."""

    name: str
    content: bytes
    file_name: str | None = None
    content_type: str | None = None


def url_encoded(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Names and values that are percent-encoded already."""
    return "&".join(f"{name}={value}" for name, value in pairs).encode("ascii")


def multipart(parts: Sequence[Part]) -> tuple[bytes, bytes]:
    """The body and its content type (RFC 7578). The boundary follows from the parts, so that a call
    which is made again is the same byte for byte; it stands in none of them."""
    boundary = _boundary(parts)
    content = b"".join(
        b"--" + boundary + _LINE + _head(part) + _LINE + part.content + _LINE for part in parts
    )
    return content + b"--" + boundary + b"--" + _LINE, b"multipart/form-data; boundary=" + boundary


def _boundary(parts: Sequence[Part]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_head(part) + part.content)
    while True:
        found = digest.hexdigest()[:32].encode()
        if not any(found in part.content for part in parts):
            return found
        digest.update(b"again")


def _head(part: Part) -> bytes:
    head = f'Content-Disposition: form-data; name="{_quoted(part.name)}"'
    if part.file_name is not None:
        head += f'; filename="{_quoted(part.file_name)}"'
    kind = part.content_type or (None if part.file_name is None else _FILE)
    return (head + (f"\r\nContent-Type: {kind}" if kind else "") + "\r\n").encode()


def _quoted(text: str) -> str:
    """As browsers write a name: what would end it or its line is percent-encoded."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
