"""Compresses answers for clients that accept gzip.

`accepts_gzip` and `is_compressible` remember what they said: clients and applications repeat the
same few field values.
"""

import asyncio
import re
import zlib
from functools import lru_cache

from isthmus_runtime.http import messages

FLOOR = 1024
"""Smaller bodies gain nothing: they fit one packet either way."""

_SLICE = 256 * 1024
_LEVEL = 1  # level 6 makes JSON about 15 % smaller for three times the work
_COMPRESSIBLE = re.compile(
    rb"(?:text/[^;]*|image/svg\+xml"
    rb"|application/(?:json|xml|javascript|x-ndjson|[^;]*\+(?:json|xml)))\s*(?:;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_WEIGHT = re.compile(rb"q=(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


async def compressed(head: messages.Head, answer: messages.Response) -> messages.Response:
    """Return the answer as this client should get it; `Vary` where others might get another."""
    if answer.status in (204, 206, 304) or not _may_transform(answer):
        return answer
    headers = list(answer.headers)
    if not {b"accept-encoding", b"*"}.intersection(messages.header_values(headers, b"vary")):
        headers.append((b"vary", b"accept-encoding"))
    accepted = [value for name, value in head.headers if name == b"accept-encoding"]
    if not accepts_gzip(b",".join(accepted)):
        return messages.Response(answer.status, headers, answer.body)
    headers = [(name, _weak(value) if name == b"etag" else value) for name, value in headers]
    headers.append((b"content-encoding", b"gzip"))
    return messages.Response(answer.status, headers, await gzip(answer.body))


async def gzip(body: bytes) -> bytes:
    """Compress a body; a long one in slices, giving way to other connections between them."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    if len(body) <= _SLICE:
        return deflate.compress(body) + deflate.flush()
    parts = []
    view = memoryview(body)
    for start in range(0, len(body), _SLICE):
        parts.append(deflate.compress(view[start : start + _SLICE]))
        await asyncio.sleep(0)
    parts.append(deflate.flush())
    return b"".join(parts)


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Say whether this Accept-Encoding value takes gzip, by the weights of RFC 9110 12.5.3."""
    weights: dict[bytes, float] = {}
    for element in accept_encoding.lower().split(b","):
        coding, _, parameter = element.partition(b";")
        weights[coding.strip()] = _weight(parameter.strip())
    gzip_weight = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return gzip_weight > 0 and gzip_weight >= weights.get(b"identity", 0.0)


def _weight(parameter: bytes) -> float:
    if not parameter:
        return 1.0
    return float(parameter[2:]) if _WEIGHT.fullmatch(parameter) else 0.0


@lru_cache(maxsize=256)
def is_compressible(content_type: bytes) -> bool:
    """Say whether bodies of this type shrink: text, JSON, XML."""
    return _COMPRESSIBLE.fullmatch(content_type) is not None


def _may_transform(answer: messages.Response) -> bool:
    content_type = messages.header(answer.headers, b"content-type")
    return (
        content_type is not None
        and is_compressible(content_type)
        and messages.header(answer.headers, b"content-encoding") is None
        and b"no-transform" not in messages.header_values(answer.headers, b"cache-control")
    )


def _weak(etag: bytes) -> bytes:
    """Weaken a validator: the compressed bytes are others than those it was made for."""
    return etag if etag.startswith(b"W/") else b"W/" + etag
