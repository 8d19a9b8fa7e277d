"""Tokens: a signed token of an issuer (RFC 7519), checked as RFC 8725 advises.

The algorithm must be one that the Route allows, and one that the key is made for; the issuer, the
audience and an end are always asked for. What the caller is told names the check and no claim.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

import jwt
import orjson

from isthmus_api.proofs import Jwt
from isthmus_runtime.callers import proofs
from isthmus_runtime.callers.check import Caller, forbidden, unproven
from isthmus_runtime.callers.encodings import from_base64
from isthmus_runtime.callers.keyrings import Keyring
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Request

_READER: Final = jwt.PyJWT()
_WORDS: Final = frozenset({"scope", "scp"})
"""Claims that are words with spaces between them (RFC 8693, 4.2)."""

# The more special ones first.
_REASONS: Final[tuple[tuple[type[jwt.PyJWTError], str, str], ...]] = (
    (jwt.ExpiredSignatureError, "TokenExpired", "the token has expired"),
    (jwt.ImmatureSignatureError, "TokenNotYetValid", "the token is not valid yet"),
    (jwt.InvalidAudienceError, "TokenForAnother", "the token is for another audience"),
    (jwt.InvalidIssuerError, "TokenOfAnother", "the token is of another issuer"),
    (jwt.MissingRequiredClaimError, "TokenIncomplete", "the token lacks a claim it must have"),
    (jwt.InvalidSignatureError, "BadTokenSignature", "the token is not signed by its issuer"),
)


class Held:
    """Tokens that held before: checking a signature costs ten times the rest of it, and a caller
    sends its token many times.

    One counts until it ends, or its key is not the one that it was checked with any more. The
    tokens themselves are not kept.
    """

    MOST: Final = 256
    _LONGEST: Final = 4096

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Any, Caller, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, token: bytes, key: Any) -> Caller | None:
        """Who sent a token, where it has held and still does."""
        digest = hashlib.sha256(token).digest()
        found = self._known.get(digest)
        if found is None:
            return None
        checked_with, caller, until = found
        if checked_with is key and self._clock() < until:
            return caller
        del self._known[digest]
        return None

    def keep(self, token: bytes, key: Any, caller: Caller, *, until: float) -> None:
        """Remember a token; of too many, who came first is forgotten."""
        if len(token) <= self._LONGEST:
            self._known[hashlib.sha256(token).digest()] = (key, caller, until)
            if len(self._known) > self.MOST:
                self._known.popitem(last=False)


class Token:
    """The check of one Route's tokens."""

    def __init__(
        self,
        spec: Jwt,
        keyring: Keyring,
        realm: bytes,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = spec.issuer
        self._audience = list(spec.audience)
        self._algorithms = frozenset(spec.algorithms)
        self._claims = {name: frozenset(values) for name, values in spec.claims.items()}
        self._leeway = spec.leeway.seconds
        self._keyring = keyring
        self._realm = realm
        self._held = Held(clock=clock)

    def __call__(self, request: Request, _: Exchange) -> Caller | Awaitable[Caller]:
        token = proofs.credentials(request.head, b"bearer")
        if token is None:
            detail = "the request has no token; send Authorization: Bearer"
            raise unproven("TokenMissing", detail, b"Bearer " + self._realm)
        kid, algorithm = self._header(token)
        key = self._keyring.find(kid, algorithm)
        if key is None:
            return self._later(token, kid, algorithm)
        known = self._held.find(token, key)
        if known is not None:
            return known
        caller = self._caller(token, key, algorithm)
        self._held.keep(token, key, caller, until=self._leeway + int(caller.facts["claims"]["exp"]))
        return caller

    async def _later(self, token: bytes, kid: str | None, algorithm: str) -> Caller:
        key = await self._keyring.fetched(kid, algorithm)
        if key is None:
            raise self._refused("UnknownKey", "the token is signed with a key nobody published")
        return self._caller(token, key, algorithm)

    def _header(self, token: bytes) -> tuple[str | None, str]:
        """The key id and the algorithm, once it is one that we take."""
        head = from_base64(token.partition(b".")[0])
        try:
            found = orjson.loads(head or b"")
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict) or "crit" in found:
            raise self._refused("BadToken", "what stands in Authorization is no token we read")
        algorithm, kid = found.get("alg"), found.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise self._refused("BadTokenAlgorithm", "the token is signed in a way we do not take")
        return kid if isinstance(kid, str) else None, algorithm

    def _caller(self, token: bytes, key: Any, algorithm: str) -> Caller:
        claims = self._verified(token, key, algorithm)
        for name, wanted in self._claims.items():
            if not _has(claims, name, wanted):
                challenge = b"Bearer " + self._realm + b', error="insufficient_scope"'
                detail = f"the token's claim {name} does not allow this"
                raise forbidden("ClaimNotAllowed", detail, (b"www-authenticate", challenge))
        subject = claims.get("sub")
        return Caller("", {**({"name": subject} if subject else {}), "claims": claims})

    def _verified(self, token: bytes, key: Any, algorithm: str) -> dict[str, Any]:
        try:
            return _READER.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            for kind, reason, detail in _REASONS:
                if isinstance(error, kind):
                    raise self._refused(reason, detail) from None
            raise self._refused("BadToken", "the token cannot be read") from None
        except (ValueError, TypeError, OverflowError, RecursionError):  # of what it may hold
            raise self._refused("BadToken", "the token cannot be read") from None

    def _refused(self, reason: str, detail: str) -> Rejected:
        challenge = f', error="invalid_token", error_description="{detail}"'.encode()
        return unproven(reason, detail, b"Bearer " + self._realm + challenge)


def _has(claims: dict[str, Any], name: str, wanted: frozenset[str]) -> bool:
    """Whether a claim is there, and is or holds one of what is wanted."""
    given = claims.get(name)
    if given is None:
        return False
    if not wanted:
        return True
    if isinstance(given, str) and name in _WORDS:
        return not wanted.isdisjoint(given.split())
    values = given if isinstance(given, list) else [given]
    return any(_text(value) in wanted for value in values)


def _text(value: Any) -> str:
    """A value as it is written in a manifest."""
    return value if isinstance(value, str) else json.dumps(value)
