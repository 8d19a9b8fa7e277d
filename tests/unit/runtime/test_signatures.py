"""Signatures of callers: what anybody may send, and what only who knows the secret can."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.proofs import Hmac
from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.callers.check import NOBODY, Vault
from isthmus_runtime.callers.signatures import Signature
from isthmus_runtime.exchange import Exchange, request_variable
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Head, Header, Request
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.testing import Placeholders

NOW = 1_770_000_000
SECRET = {"secretKeyRef": {"name": "shop", "key": "secret"}}
KEY = b"shop/secret"
"""What `Placeholders` gives."""
TIMED = {
    "signed": "{% $timestamp %}.{% $body %}",
    "timestamp": "{% $request.headers.`x-time` %}",
    "prefix": "v1=",
}


def check(headers: list[Header], body: bytes, **spec: object) -> None:
    """Pass, or a fault."""
    written = {"header": "X-Signature", "secret": SECRET, **spec}
    signature = Signature(
        Hmac.model_validate_json(json.dumps(written)),
        Vault(Placeholders()),
        Binder(),
        clock=lambda: NOW,
    )
    head = Head("POST", b"/in", "/in", "", headers)
    x = Exchange(
        Body(body),
        variables={"request": request_variable(head, {})},
        deadline=float("inf"),
        trace=tracing.of([]),
    )
    assert signature(Request(head, body), x) is NOBODY


VALUES = st.one_of(
    st.binary(max_size=80),
    st.from_regex(rb"(v1=)?[0-9a-fA-F]{0,64}(,v1=[A-Za-z0-9+/=_-]{0,44})*", fullmatch=True),
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "algorithm": st.sampled_from(["sha256", "sha512", "sha1"]),
        "encoding": st.sampled_from(["hex", "base64"]),
        "prefix": st.sampled_from(["", "sha256=", "v1="]),
    },
)


@given(st.lists(VALUES, max_size=3), st.binary(max_size=50), SPECS, st.booleans())
def test_no_guess_passes(
    values: list[bytes], body: bytes, spec: dict[str, str], timed: bool
) -> None:
    headers = [(b"x-signature", value) for value in values] + [
        (b"x-time", value) for value in values
    ]

    with pytest.raises(Rejected) as refused:
        check(headers, body, **(spec | TIMED if timed else spec))
    assert refused.value.status == 401


@given(st.binary(max_size=200), st.integers(-299, 299))
def test_who_knows_the_secret_passes_and_for_no_other_body(body: bytes, late: int) -> None:
    body = body.decode("utf-8", "ignore").encode()
    at = str(NOW + late).encode()
    signed = hmac.new(KEY, at + b"." + body, hashlib.sha256).hexdigest().encode()
    headers = [(b"x-signature", b"v1=" + signed), (b"x-time", at)]

    check(headers, body, **TIMED)

    with pytest.raises(Rejected):
        check(headers, body + b"!", **TIMED)
