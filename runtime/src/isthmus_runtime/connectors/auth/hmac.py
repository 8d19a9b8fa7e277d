"""HMAC: a signature over each call, made when it is about to be sent."""

import base64
import binascii
import hashlib
import hmac
import secrets as chance
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, quote

from isthmus_api.auth import hmac as model
from isthmus_api.model import SecretValue
from isthmus_runtime.connectors.auth import expressions
from isthmus_runtime.connectors.auth.fixed import Fixed
from isthmus_runtime.connectors.auth.scheme import (
    Auth,
    Credentials,
    Outgoing,
    SignInFailed,
    Surroundings,
)
from isthmus_runtime.secrets import Secrets

_PLACE: Final = "auth.hmac"
_USUAL_HASH: Final = model.BodyHash()


def scheme(spec: model.HmacAuth, around: Surroundings) -> Auth:
    """The signatures of one Connector; the Secrets are read at each call."""
    writer = _Writer(spec, around.authority)

    def read() -> tuple[bytes, expressions.Variables]:
        return _key(spec, around.secrets), expressions.named(spec.secrets, around.secrets)

    return Fixed(read, lambda found: Credentials(sign=_Signer(writer, *found)))


@dataclass(frozen=True, slots=True)
class _Signer:
    """Signs with the Secrets as they were read; equal to one that read the same."""

    writer: "_Writer" = field(compare=False)
    key: bytes = field(repr=False)
    secrets: expressions.Variables = field(repr=False)

    def __call__(self, call: Outgoing) -> Credentials:
        return self.writer.sign(call, self.key, self.secrets)


class _Writer:
    """The templates, compiled, and what of a call they read."""

    def __init__(self, spec: model.HmacAuth, authority: str) -> None:
        self._spec = spec
        self._authority = authority
        self._signed = expressions.Expression(spec.signed, place=f"{_PLACE}.signed")
        self._headers = expressions.headers(spec.headers or {}, place=f"{_PLACE}.headers")
        self._query = tuple(
            (quote(name, safe=""), expressions.Expression(text, place=f"{_PLACE}.query.{name}"))
            for name, text in (spec.query or {}).items()
        )
        texts = (self._signed, *(text for _, text in (*self._headers, *self._query)))
        self._reads = frozenset[str]().union(*(text.names for text in texts))

    def sign(self, call: Outgoing, key: bytes, secrets: expressions.Variables) -> Credentials:
        """What a call carries beside what it is."""
        variables = self._variables(call) | {"secrets": secrets}
        signed = self._signed.text(variables).encode()
        digest = hmac.digest(key, signed, self._spec.algorithm)
        variables["signature"] = _written(digest, self._spec.encoding)
        headers = tuple((name, text.header(variables)) for name, text in self._headers)
        pairs = (f"{name}={quote(text.text(variables), safe='')}" for name, text in self._query)
        return Credentials(headers, "&".join(pairs))

    def _variables(self, call: Outgoing) -> expressions.Variables:
        """Those that some template reads: the body may be large."""
        path, _, query = call.target.partition("?")
        makers: dict[str, Callable[[], Any]] = {
            "method": lambda: call.method,
            "host": lambda: _fields(call).get("host", self._authority),
            "path": lambda: path,
            "query": lambda: query,
            "parameters": lambda: _parameters(query),
            "headers": lambda: _fields(call),
            "body": lambda: _text(call.body),
            "bodyHash": lambda: self._hash(call.body),
            "timestamp": lambda: _TIMES[self._spec.timestamp](time.time()),
            "nonce": lambda: chance.token_hex(16),
        }
        return {name: make() for name, make in makers.items() if name in self._reads}

    def _hash(self, body: bytes) -> str:
        how = self._spec.body_hash or _USUAL_HASH
        digest = hashlib.new(how.algorithm, body, usedforsecurity=how.algorithm != "md5").digest()
        return _written(digest, how.encoding)


def _key(spec: model.HmacAuth, secrets: Secrets) -> bytes:
    written = secrets.read(spec.secret.secret_key_ref).encode()
    try:
        return _DECODERS[spec.secret_encoding](written)
    except binascii.Error:
        raise SignInFailed(_unreadable(spec.secret, spec.secret_encoding)) from None


def _unreadable(secret: SecretValue, encoding: str) -> str:
    ref = secret.secret_key_ref
    return f"the key '{ref.key}' of the Secret '{ref.name}' is not written in {encoding}"


_DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "text": lambda written: written,
    "hex": binascii.unhexlify,
    "base64": lambda written: base64.b64decode(written, validate=True),
}
_TIMES: Final[dict[str, Callable[[float], str]]] = {
    "seconds": lambda now: str(int(now)),
    "milliseconds": lambda now: str(int(now * 1000)),
    "iso8601": lambda now: datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
}


def _written(digest: bytes, encoding: str) -> str:
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def _fields(call: Outgoing) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers}


def _parameters(query: str) -> dict[str, Any]:
    found = parse_qs(query, keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        detail = "the body is no text, so that $body cannot be signed; sign $bodyHash"
        raise SignInFailed(detail) from None
