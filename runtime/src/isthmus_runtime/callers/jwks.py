"""Jwks: the public keys of an issuer, as it publishes them (RFC 7517).

A key is used with the signatures that are made for it and no others: what a token says of itself
does not choose how it is checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson
from jwt import algorithms

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_OF_CURVE: Final = {
    "P-256": "ES256",
    "P-384": "ES384",
    "P-521": "ES512",
    "Ed25519": "EdDSA",
    "Ed448": "EdDSA",
}
_READERS: Final = {
    "RSA": algorithms.RSAAlgorithm.from_jwk,
    "EC": algorithms.ECAlgorithm.from_jwk,
    "OKP": algorithms.OKPAlgorithm.from_jwk,
}
_PUBLIC: Final = ("kty", "n", "e", "crv", "x", "y")
_SHORTEST_RSA: Final = 2048
"""Bits (RFC 7518, 3.3)."""
_MOST_KEYS: Final = 100


class NoJwks(ValueError):
    """What was published is no set of keys, or none of them can be used."""


@dataclass(frozen=True, slots=True)
class _Key:
    kid: str | None
    algorithms: frozenset[str]
    public: Any


class Jwks:
    """Keys that tokens may be signed with."""

    def __init__(self, written: Iterable[Any]) -> None:
        self._keys = tuple(key for key in map(_read, written) if key is not None)
        if not self._keys:
            raise NoJwks("it has no key that checks signatures")

    def find(self, kid: str | None, algorithm: str) -> Any | None:
        """The key of this name for this algorithm. A token that names none is taken where a single
        key fits."""
        fitting = [
            key
            for key in self._keys
            if algorithm in key.algorithms and (kid is None or key.kid == kid)
        ]
        if not fitting or (kid is None and len(fitting) > 1):
            return None
        return fitting[0].public


def parse(text: bytes) -> Jwks:
    """Read what was published; `NoJwks` where it is none."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NoJwks("it is no JSON") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise NoJwks(f"it has no list of at most {_MOST_KEYS} keys")
    return Jwks(keys)


def _read(written: Any) -> _Key | None:
    """A key, or nothing where it is of no use here; issuers may publish others beside."""
    if not isinstance(written, dict) or written.get("use", "sig") != "sig":
        return None
    operations = written.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    usable = _algorithms(written)
    kid = written.get("kid")
    if not usable or not isinstance(kid, str | None):
        return None
    public = _public(written)
    return None if public is None else _Key(kid, usable, public)


def _algorithms(written: dict[str, Any]) -> frozenset[str]:
    kind, curve = written.get("kty"), written.get("crv")
    fitting = _RSA if kind == "RSA" else frozenset()
    if kind in ("EC", "OKP") and isinstance(curve, str) and curve in _OF_CURVE:
        is_edwards = _OF_CURVE[curve] == "EdDSA"
        fitting = frozenset({_OF_CURVE[curve]} if is_edwards == (kind == "OKP") else ())
    own = written.get("alg")
    return fitting if own is None else fitting & {own} if isinstance(own, str) else frozenset()


def _public(written: dict[str, Any]) -> Any | None:
    """The key without anything that only its owner should know."""
    known: dict[str, Any] = {name: written[name] for name in _PUBLIC if name in written}
    try:
        public = _READERS[known["kty"]](known)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        return None
    size = getattr(public, "key_size", _SHORTEST_RSA) if known["kty"] == "RSA" else _SHORTEST_RSA
    return public if size >= _SHORTEST_RSA else None
