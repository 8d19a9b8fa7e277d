"""Bounded decoding, and who gets which coding."""

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.http import bodies, codings, compression


def raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


Encode = Callable[[bytes], bytes]

ENCODERS: dict[str, tuple[bytes, Encode]] = {
    "gzip": (b"gzip", gzip.compress),
    "gzip in two members": (
        b"gzip",
        lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    ),
    "deflate": (b"deflate", zlib.compress),
    "raw deflate": (b"deflate", raw_deflate),
    "nothing": (b"", bytes),
}


@pytest.mark.parametrize(("coding", "encode"), ENCODERS.values(), ids=ENCODERS.keys())
@given(data=st.binary(max_size=5000), step=st.integers(1, 700))
def test_a_body_decodes_however_it_is_cut(
    coding: bytes, encode: Encode, data: bytes, step: int
) -> None:
    body = bodies.Body(20_000, coding)
    encoded = encode(data)
    for start in range(0, len(encoded), step):
        body.feed(encoded[start : start + step])

    assert body.finish() == data
    assert body.received == len(encoded)


@pytest.mark.parametrize(("coding", "encode"), ENCODERS.values(), ids=ENCODERS.keys())
@pytest.mark.parametrize(("size", "fits"), [(100_000, True), (100_001, False)])
def test_the_limit_holds_to_the_byte(coding: bytes, encode: Encode, size: int, fits: bool) -> None:
    body = bodies.Body(100_000, coding)
    encoded = encode(bytes(size))
    if fits:
        body.feed(encoded)

        assert len(body.finish()) == size
    else:
        with pytest.raises(codings.TooLarge):
            body.feed(encoded)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
@given(data=st.binary(min_size=1, max_size=200))
def test_what_does_not_decode_is_named_so(coding: bytes, data: bytes) -> None:
    inflater = codings.Inflater(coding, 1_000_000)
    try:
        inflater.feed(data)
        inflater.finish()
    except codings.Undecodable:
        pass


def test_an_empty_encoded_body_is_empty() -> None:
    assert codings.Inflater(b"gzip", 10).finish() == b""


@pytest.mark.parametrize(
    ("content_type", "shrinks"),
    [
        (b"application/json", True),
        (b"Application/JSON; charset=utf-8", True),
        (b"application/problem+json", True),
        (b"application/atom+xml;x", True),
        (b"text/html", True),
        (b"image/svg+xml", True),
        (b"image/png", False),
        (b"application/jsonx", False),
        (b"application/octet-stream; name=text/plain", False),
        (b"", False),
    ],
)
def test_text_json_and_xml_are_compressed(content_type: bytes, shrinks: bool) -> None:
    assert compression.is_compressible(content_type) is shrinks


@pytest.mark.parametrize("size", [0, 10, 256 * 1024, 256 * 1024 + 1, 1_000_000])
def test_what_is_compressed_unpacks(size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)

    assert gzip.decompress(asyncio.run(compression.gzip(data[:size]))) == data[:size]
