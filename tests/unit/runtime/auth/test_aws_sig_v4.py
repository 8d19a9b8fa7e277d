"""AWS signatures: those that AWS published, and any that botocore makes, too."""

from datetime import UTC, datetime

import aws_verifier
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.connectors.auth.aws_sig_v4 import Keys, Signer
from isthmus_runtime.connectors.auth.scheme import Outgoing, SignInFailed

HOST = "example.amazonaws.com"
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
PUBLISHED_FOR_S3 = {
    "/?lifecycle": "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    "/?max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
}


@pytest.mark.parametrize(("target", "expected"), PUBLISHED_FOR_S3.items())
def test_published_examples_of_s3(target: str, expected: str) -> None:
    keys = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    signer = Signer("us-east-1", "s3", "examplebucket.s3.amazonaws.com", keys)

    made = signer.at(datetime(2013, 5, 24, tzinfo=UTC), Outgoing("GET", target, [], b""))

    assert dict(made.headers)[b"authorization"].decode().endswith(f"Signature={expected}")


FORM = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
SUITE = {
    "get-vanilla": (
        *("GET", "/", {}, b""),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-vanilla-query-order-encoded": (
        *("GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", {}, b""),
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    "get-utf8": (
        *("GET", "/\u1234", {}, b""),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "get-vanilla-with-session-token": (
        *("GET", "/", {"x-amz-security-token": TOKEN}, b""),
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    "post-x-www-form-urlencoded": (
        "POST",
        "/",
        {
            "content-type": "application/x-www-form-urlencoded",
            "content-length": "13",
            "x-amz-content-sha256": FORM,
        },
        b"Param1=value1",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
}


@pytest.mark.parametrize(
    ("method", "target", "more", "body", "expected"), SUITE.values(), ids=SUITE
)
def test_the_verifier_finds_the_signatures_of_the_published_suite(
    method: str, target: str, more: dict[str, str], body: bytes, expected: str
) -> None:
    """So what holds against it below, holds against AWS: it signs fewer fields than we do here."""
    signed = {"host": HOST, "x-amz-date": "20150830T123600Z", **more}
    url = f"https://{HOST}{target}"

    made = aws_verifier.signature(
        method, url, signed, body, keys=KEYS, scope=("us-east-1", "service")
    )

    assert made == expected


ENCODED = r"([!$'()*+,:;@\[\]^`{|}~A-Za-z0-9._-]|%[0-9A-F]{2}|%e9)*"
PATHS = st.from_regex(rf"/(/|\.|\.\./|{ENCODED})*", fullmatch=True)
PAIRS = st.lists(st.from_regex(rf"{ENCODED}(=(=|/|\?|{ENCODED})*)?", fullmatch=True), max_size=5)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
OWN = st.lists(
    st.tuples(st.sampled_from([b"x-amz-meta-a", b"x-amz-target", b"content-type"]), VALUES),
    max_size=3,
    unique_by=lambda field: field[0],
)


@given(
    path=PATHS,
    query=PAIRS.map("&".join),
    own=OWN,
    body=st.binary(max_size=50),
    service=st.sampled_from(["execute-api", "s3"]),
    token=st.none() | st.just(TOKEN),
    now=st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),
)
def test_whatever_is_called_an_independent_verifier_agrees(
    path: str,
    query: str,
    own: list[tuple[bytes, str]],
    body: bytes,
    service: str,
    token: str | None,
    now: datetime,
) -> None:
    target = path + (f"?{query}" if query else "")
    call = Outgoing("POST", target, [(b"x-shop", b"nl"), *((n, v.encode()) for n, v in own)], body)

    made = Signer("eu-west-1", service, HOST, Keys(*KEYS, token)).at(now, call)

    fields = {name.decode(): value.decode() for name, value in (*call.headers, *made.headers)}
    assert fields.get("x-amz-security-token") == token
    assert aws_verifier.takes(
        "POST", f"https://{HOST}{target}", {"host": HOST, **fields}, body, keys=KEYS
    )


@pytest.mark.parametrize(
    ("target", "headers", "detail"),
    [
        ("/?a=%zz", [], "the path and query of the call cannot be signed"),
        ("/", [(b"x-amz-date", b"now")], "the call has a header x-amz-date already"),
        ("/", [(b"x-amz-meta", b"\xe9")], "the header x-amz-meta cannot be signed"),
    ],
)
def test_what_cannot_be_signed_is_told(
    target: str, headers: list[tuple[bytes, bytes]], detail: str
) -> None:
    signer = Signer("eu-west-1", "es", HOST, Keys(*KEYS))

    with pytest.raises(SignInFailed, match=detail.replace("?", ".")):
        signer(Outgoing("GET", target, headers, b""))
