"""OAuth 1.0 signatures: those that were published, and any that Authlib verifies."""

import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauth1_verifier import FORM, Verifier
from oauthlib.oauth1 import Client

from isthmus_runtime.connectors.auth import oauth1
from isthmus_runtime.connectors.auth.scheme import Outgoing

AS_FORM = [(b"content-type", FORM.encode())]


class WithoutVersion(Client):  # type: ignore[misc]
    """The examples of RFC 5849 leave out oauth_version, as one may."""

    def get_oauth_params(self, request: Any) -> list[tuple[str, str]]:
        params = super().get_oauth_params(request)
        return [pair for pair in params if pair[0] != "oauth_version"]


PHOTOS = ("dpf43f3p2l4k3l03", "kd94hf93k423kf44", "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")
PUBLISHED = {
    "RFC 5849, 1.2": (
        WithoutVersion(*PHOTOS, nonce="chapoH", timestamp="137131202"),
        "http://photos.example.net",
        Outgoing("GET", "/photos?file=vacation.jpg&size=original", [], b""),
        "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
    ),
    "RFC 5849, 3.4.1, with the secrets of its erratum 2550": (
        WithoutVersion(
            *("9djdj82h48djs9d2", "j49sk3j29djd", "kkk9d7dh3k39sjv7", "dh893hdasih9"),
            nonce="7d8f3e4a",
            timestamp="137131201",
        ),
        "http://EXAMPLE.com:80",
        Outgoing("POST", "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", AS_FORM, b"c2&a3=2+q"),
        "r6/TJjbCOr97/+UU0NsvSne7s5g=",
    ),
    "OAuth Core 1.0, A.5": (
        Client(*PHOTOS, nonce="kllo9940pd9333jh", timestamp="1191242096"),
        "http://photos.example.net",
        Outgoing("GET", "/photos?file=vacation.jpg&size=original", [], b""),
        "tR3+Ty81lMeYAr/Fid0kMTYa/WM=",
    ),
}


@pytest.mark.parametrize(
    ("client", "origin", "call", "expected"), PUBLISHED.values(), ids=PUBLISHED
)
def test_published_examples(client: Client, origin: str, call: Outgoing, expected: str) -> None:
    field = oauth1.authorization(client, origin, call).decode()

    assert unquote(re.findall('oauth_signature="([^"]+)"', field)[0]) == expected


ENCODED = st.from_regex(
    r"([!$'()*+,:;@\[\]\"^`{|}~A-Za-z0-9._-]|%[2-7][0-9A-F]|%C3%A9)*", fullmatch=True
)
PAIRS = st.lists(st.one_of(ENCODED, st.tuples(ENCODED, ENCODED).map("=".join)), max_size=5)
QUERIES = PAIRS.map("&".join)
SECRET = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20)


@given(ENCODED, QUERIES, st.none() | QUERIES, SECRET, st.none() | SECRET, st.booleans())
def test_whatever_is_called_an_independent_verifier_agrees(
    path: str, query: str, form: str | None, secret: str, token: str | None, is_sha256: bool
) -> None:
    client = Client(
        *("key", secret, "token" if token else None, token),
        signature_method="HMAC-SHA256" if is_sha256 else "HMAC-SHA1",
    )
    target = f"/{path}" + (f"?{query}" if query else "")
    body = b'{"a": 1}' if form is None else form.encode()
    call = Outgoing("POST", target, [] if form is None else AS_FORM, body)
    verifier = Verifier(("key", secret), ("token", token) if token else None)

    made = oauth1.authorization(client, "https://erp.example.com:8443", call).decode()

    fields = {"authorization": made} | ({} if form is None else {"content-type": FORM})
    assert verifier.takes("POST", f"https://erp.example.com:8443{target}", body, fields)
