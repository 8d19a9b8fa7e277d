"""Verification: whether a request comes from who it says. All that the Route gives must hold.

Secrets are read at each request, so a rotated one counts at once. Compares take the same time
wherever the difference is. What is said to the caller names the check, never a value.
"""

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import parse_qsl

from isthmus_api import verification as language
from isthmus_api.auth import ApiKeyAuth, BasicAuth, BearerAuth
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.model import SecretValue
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Rejected
from isthmus_runtime.http.messages import Head, Header, Request, header
from isthmus_runtime.secrets import MissingSecret, Secrets
from isthmus_runtime.steps.bound import Binder

Check = Callable[[Request, Exchange], None]
"""Passes, or raises `Rejected` with status 401."""


def compile(
    spec: language.Verification,
    secrets: Secrets,
    binder: Binder,
    *,
    clock: Callable[[], float] = time.time,
) -> Check:
    """One check that is all of those that a Route gives."""
    vault = _Vault(secrets)
    checks = tuple(_checks(spec, vault, binder, clock))

    def check(request: Request, x: Exchange) -> None:
        for one in checks:
            one(request, x)

    return check


def _checks(
    spec: language.Verification, vault: "_Vault", binder: Binder, clock: Callable[[], float]
) -> Iterator[Check]:
    """The cheap ones first."""
    if spec.allow_from:
        yield _from(spec.allow_from, spec.trusted_proxies or ())
    if spec.api_key:
        yield _api_key(spec.api_key, vault)
    if spec.bearer:
        yield _bearer(spec.bearer, vault)
    if spec.basic:
        yield _basic(spec.basic, vault)
    if spec.hmac:
        yield _Signature(spec.hmac, vault, binder, clock)


class _Vault:
    """Secrets; one that is missing is our mistake and not the sender's, who may come again."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, value: SecretValue) -> bytes:
        try:
            return self._secrets.read(value.secret_key_ref).encode()
        except MissingSecret as error:
            detail = f"requests cannot be verified: {error}"
            headers: tuple[Header, ...] = ((b"retry-after", b"30"),)
            raise Fault("SecretMissing", detail, 503, headers=headers) from error


def _refused(reason: str, detail: str, *headers: Header) -> Rejected:
    return Rejected(reason, detail, 401, headers=headers)


def _api_key(spec: ApiKeyAuth, vault: _Vault) -> Check:
    def check(request: Request, _: Exchange) -> None:
        given = _given_key(spec, request.head)
        if given is None or not hmac.compare_digest(given, vault.read(spec.value)):
            raise _refused("BadApiKey", "the API key is missing or is not the one expected")

    return check


def _given_key(spec: ApiKeyAuth, head: Head) -> bytes | None:
    if spec.header:
        return header(head.headers, spec.header.lower().encode())
    try:
        pairs = parse_qsl(head.query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return None
    return next((value.encode() for name, value in pairs if name == spec.query), None)


def _bearer(spec: BearerAuth, vault: _Vault) -> Check:
    def check(request: Request, _: Exchange) -> None:
        given = _credentials(request.head, b"bearer")
        if given is None or not hmac.compare_digest(given, vault.read(spec.token)):
            detail = "the bearer token is missing or is not the one expected"
            raise _refused("BadToken", detail, (b"www-authenticate", b"Bearer"))

    return check


def _basic(spec: BasicAuth, vault: _Vault) -> Check:
    def check(request: Request, _: Exchange) -> None:
        given = _credentials(request.head, b"basic")
        expected = vault.read(spec.username) + b":" + vault.read(spec.password)
        if given is None or not hmac.compare_digest(_decoded(given) or b"", expected):
            detail = "the user name or the password is missing or is not the one expected"
            raise _refused("BadCredentials", detail, (b"www-authenticate", b"Basic"))

    return check


def _credentials(head: Head, scheme: bytes) -> bytes | None:
    """What stands after the scheme in Authorization."""
    given = header(head.headers, b"authorization") or b""
    name, _, rest = given.partition(b" ")
    return rest.strip() if name.lower() == scheme else None


_UNSAFE: Final = bytes.maketrans(b"-_", b"+/")


def _decoded(text: bytes) -> bytes | None:
    """Base64 in either alphabet, with or without its padding."""
    text = text.rstrip(b"=").translate(_UNSAFE)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def _unhexed(text: bytes) -> bytes | None:
    try:
        return binascii.unhexlify(text)
    except binascii.Error:
        return None


def _plain(text: bytes) -> bytes | None:
    return text


_DECODERS: Final = {"hex": _unhexed, "base64": _decoded, "text": _plain}


class _Signature:
    """An HMAC over the body, or over what the Route says is signed."""

    def __init__(
        self, spec: language.Hmac, vault: _Vault, binder: Binder, clock: Callable[[], float]
    ) -> None:
        self._spec = spec
        self._vault = vault
        self._clock = clock
        self._name = spec.header.lower().encode()
        self._signed = binder.template(spec.signed) if spec.signed else None
        self._timestamp = binder.template(spec.timestamp) if spec.timestamp else None
        self._tolerance = spec.tolerance.seconds
        self._decode = _DECODERS[spec.encoding]
        prefix = re.escape(spec.prefix.encode())
        self._signatures = re.compile(rb"(?:^|[\s,])" + prefix + rb"([A-Za-z0-9+/=_-]+)")

    def __call__(self, request: Request, x: Exchange) -> None:
        given = [v for name, v in request.head.headers if name == self._name]
        found = [text for value in given for text in self._signatures.findall(value)]
        if not found:
            raise _refused("SignatureMissing", f"the header {self._spec.header} has no signature")
        expected = hmac.digest(self._key(), self._text(request, x), self._spec.algorithm)
        decoded = [self._decode(text) or b"" for text in found]
        fits = [hmac.compare_digest(one, expected) for one in decoded]  # all, whichever does
        if True not in fits:
            raise _refused("BadSignature", "the signature is not that of this request")

    def _key(self) -> bytes:
        written = self._vault.read(self._spec.secret)
        key = _DECODERS[self._spec.secret_encoding](written)
        if key is None:
            detail = f"the webhook's secret is not written in {self._spec.secret_encoding}"
            raise Fault("SecretUnreadable", detail, 503)
        return key

    def _text(self, request: Request, x: Exchange) -> bytes:
        """What is signed. A timestamp is looked at first, so that it is part of it."""
        if self._timestamp is None and self._signed is None:
            return request.body
        try:
            x.variables["timestamp"] = self._at(x)
            if self._signed is None:
                return request.body
            x.variables["body"] = request.body.decode("utf-8")
            return self._signed.text(x).encode("utf-8")
        except (ExpressionError, UnicodeError) as error:
            raise _refused("BadSignature", "what is signed cannot be read") from error

    def _at(self, x: Exchange) -> Any:
        """The timestamp as it was sent, once it is near enough to now."""
        if self._timestamp is None:
            return None
        given = self._timestamp.value(x)
        seconds = _seconds(given)
        if seconds is None:
            raise _refused("TimestampMissing", "the request does not say when it was signed")
        if not abs(seconds - self._clock()) <= self._tolerance:  # so that NaN is not near
            raise _refused("TimestampOutOfTolerance", "the request was signed too long ago")
        return given


_MILLISECONDS: Final = 1e11
"""Unix time in milliseconds is above, in seconds far below."""


def _seconds(given: Any) -> float | None:
    """Unix seconds of a timestamp in seconds, in milliseconds, or as RFC 3339 has it."""
    if isinstance(given, str):
        try:
            given = float(given)
        except ValueError:
            return _rfc3339(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return given / 1000 if abs(given) > _MILLISECONDS else float(given)


def _rfc3339(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


_Address = IPv4Address | IPv6Address
_Networks = tuple[IPv4Network | IPv6Network, ...]


def _from(allowed: Sequence[str], proxies: Sequence[str]) -> Check:
    networks, trusted = _networks(allowed), _networks(proxies)

    def check(request: Request, _: Exchange) -> None:
        sender = _sender(request.head, trusted)
        if sender is None or not _is_in(sender, networks):
            raise _refused("AddressNotAllowed", "requests are not taken from this address")

    return check


def _networks(texts: Sequence[str]) -> _Networks:
    return tuple(ip_network(text, strict=False) for text in texts)


def _is_in(address: _Address, networks: _Networks) -> bool:
    return any(address in network for network in networks)


def _sender(head: Head, trusted: _Networks) -> _Address | None:
    """Who sent it: the peer or, where that is a proxy we trust, the last address before those."""
    sender = _address(head.peer)
    hops = [
        hop
        for name, value in head.headers
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]
    while sender is not None and hops and _is_in(sender, trusted):
        sender = _address(hops.pop())
    return sender


_WITH_PORT: Final = re.compile(r"\[(.+)\](?::\d+)?|([0-9.]+):\d+")


def _address(text: str) -> _Address | None:
    text = text.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
