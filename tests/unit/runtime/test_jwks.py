"""Which of the keys that are published check which tokens."""

from typing import Any

import issuers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from issuers import ec_key, ed_key, rsa_key

from isthmus_runtime.callers import jwks
from isthmus_runtime.callers.encodings import from_base64
from isthmus_runtime.callers.jwks import Jwks, NoJwks

ONE = rsa_key("one").jwk
EC = ec_key("ec").jwk

FITTING: dict[str, tuple[dict[str, Any], set[str]]] = {
    "RSA": (ONE, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "RSA for one algorithm": ({**ONE, "alg": "RS512"}, {"RS512"}),
    "a curve": (EC, {"ES256"}),
    "Ed25519": (ed_key("ed").jwk, {"EdDSA"}),
    "without a use": ({k: v for k, v in EC.items() if k != "use"}, {"ES256"}),
    "that may verify": ({**EC, "key_ops": ["verify"]}, {"ES256"}),
    "with its private half": (
        {**EC, "d": "-5BoWrGbRmT1zEWdHhDwyxcEWsdD3KzoyR-6L4HQaK8"},
        {"ES256"},
    ),
}
ALL = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@pytest.mark.parametrize(("key", "algorithms"), FITTING.values(), ids=FITTING)
def test_a_key_checks_what_it_is_made_for(key: dict[str, Any], algorithms: set[str]) -> None:
    found = Jwks([key])

    assert {each for each in ALL if found.find(key["kid"], each)} == algorithms
    assert found.find(key["kid"], "HS256") is None
    public = found.find(key["kid"], min(algorithms))
    assert not hasattr(public, "sign")


USELESS: dict[str, Any] = {
    "for encryption": {**ONE, "use": "enc"},
    "that may only sign": {**ONE, "key_ops": ["sign"]},
    "a shared secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "a", "alg": "HS256"},
    "for an algorithm it does not fit": {**EC, "alg": "RS256"},
    "too short": rsa_key("short", bits=1024).jwk,
    "of another curve": {**EC, "crv": "secp256k1"},
    "that is broken": {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "a"},
    "a curve of the wrong kind": {**ed_key("ed").jwk, "kty": "EC"},
    "a name that is a number": {**EC, "kid": 7},
    "no object": 7,
}


@pytest.mark.parametrize("key", USELESS.values(), ids=USELESS)
def test_a_key_that_is_of_no_use_is_left_out(key: Any) -> None:
    with pytest.raises(NoJwks):
        Jwks([key])

    assert Jwks([key, EC]).find("ec", "ES256") is not None


def test_a_token_without_a_key_id_is_taken_where_one_key_fits() -> None:
    assert Jwks([ONE, EC]).find(None, "RS256") is not None
    assert Jwks([ONE, rsa_key("two").jwk]).find(None, "RS256") is None


def test_more_keys_than_anybody_has_are_refused() -> None:
    with pytest.raises(NoJwks):
        jwks.parse(b'{"keys": [' + b",".join([b"{}"] * 101) + b"]}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["kty", "kid", "n", "e", "crv", "x", "y", "use", "alg", "key_ops"])
VALUES = JSON | st.sampled_from([*issuers.AUDIENCE, "RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB"])


@given(st.lists(st.dictionaries(MEMBERS, VALUES), max_size=3))
def test_whatever_is_published_is_read_or_left_out(keys: list[dict[str, Any]]) -> None:
    found = Jwks([*keys, EC])

    assert found.find("ec", "ES256") is not None


@given(st.binary(max_size=64))
def test_whatever_is_no_set_of_keys_is_refused(text: bytes) -> None:
    with pytest.raises(NoJwks):
        jwks.parse(text)


@given(st.binary(max_size=32))
def test_base64_in_either_alphabet_is_read_and_nothing_else_fails(text: bytes) -> None:
    found = from_base64(text)

    assert found is None or isinstance(found, bytes)
