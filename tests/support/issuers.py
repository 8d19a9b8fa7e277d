"""Tokens of issuers whose keys are made here and published on a real socket.

issuer = await upstream(Published([rsa_key("one")]))
sent(token(rsa_key("one"), sub="jan"))
"""

import asyncio
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
import upstreams
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://id.example.com"
AUDIENCE = "shop"


@dataclass(frozen=True)
class Key:
    """A key pair with a name."""

    kid: str
    algorithm: str
    private: Any

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half."""
        public = self.private.public_key()
        match self.algorithm[:2]:
            case "RS" | "PS":
                written = RSAAlgorithm.to_jwk(public, as_dict=True)
            case "ES":
                written = ECAlgorithm.to_jwk(public, as_dict=True)
            case _:
                written = OKPAlgorithm.to_jwk(public, as_dict=True)
        return {**written, "kid": self.kid, "use": "sig"}


@cache
def rsa_key(kid: str, algorithm: str = "RS256", bits: int = 2048) -> Key:
    return Key(kid, algorithm, rsa.generate_private_key(public_exponent=65537, key_size=bits))


@cache
def ec_key(kid: str) -> Key:
    return Key(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


@cache
def ed_key(kid: str) -> Key:
    return Key(kid, "EdDSA", ed25519.Ed25519PrivateKey.generate())


def token(key: Key, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as a caller sends it; a claim of `None` is left out."""
    given = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 3600, **claims}
    payload = {name: value for name, value in given.items() if value is not None}
    given_head = {"kid": key.kid, **(headers or {})}
    head = {name: value for name, value in given_head.items() if value is not None}
    return jwt.encode(payload, key.private, algorithm=key.algorithm, headers=head)


def sent(text: str) -> dict[str, str]:
    """The headers that carry a token."""
    return {"authorization": f"Bearer {text}"}


@dataclass
class Published:
    """What an issuer publishes at the moment; `fails` makes it answer 500, `held` makes it wait."""

    keys: list[Key]
    fails: bool = False
    held: asyncio.Event | None = None
    asked: int = 0
    body: bytes | None = None

    def __call__(self, arrival: upstreams.Arrival) -> upstreams.Behave:
        self.asked += 1
        if self.fails:
            return upstreams.answer({}, status=500)
        if self.body is not None:
            return upstreams.answer(body=self.body)
        return upstreams.answer({"keys": [key.jwk for key in self.keys]}, when=self.held)
