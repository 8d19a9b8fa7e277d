"""Callers: what a Route says of who may call it makes sense beyond its form."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from isthmus_api.plan import expression_checks
from isthmus_api.problems import Code, Path, Problem, ineffective
from isthmus_api.proofs import Hmac, Jwt
from isthmus_api.source import HttpSource
from isthmus_api.verification import Verification
from isthmus_api.webhook import WebhookSource

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that nobody but its owner may know (RFC 7518, 6)."""


def check(source: HttpSource | WebhookSource, path: Path, field: str) -> Iterator[Problem]:
    """Everything that is wrong with it; `field` is where it is written."""
    if source.verification:
        yield from _verification(source.verification, (*path, field))
    proxies = source.trusted_proxies
    yield from _networks(proxies, (*path, "trustedProxies"))
    limits = source.limits
    if limits and limits.by == "caller" and not _has_names(source.verification):
        yield Problem(
            Code.INVALID_VALUE,
            "callers of this Route have no names to be told apart by",
            hint=f"write by: address, or name them in {field}",
            path=(*path, "limits", "by"),
        )
    by_address = limits is not None and limits.by == "address"
    allows_some = source.verification is not None and source.verification.allow_from is not None
    if proxies and not (by_address or allows_some):
        yield ineffective(
            "nothing looks at the address of a caller",
            f"remove it, or write {field}: {{allowFrom: …}} or limits: {{by: address}}",
            (*path, "trustedProxies"),
        )


def _has_names(verify: Verification | None) -> bool:
    return verify is not None and "name" in verify.caller_fields


def _verification(verify: Verification, path: Path) -> Iterator[Problem]:
    if verify.hmac:
        yield from _hmac(verify.hmac, (*path, "hmac"))
    if verify.jwt:
        yield from _jwt(verify.jwt, (*path, "jwt"))
    if verify.api_key:
        yield from _names(verify.api_key.keys, (*path, "apiKey", "keys"))
    if verify.bearer:
        yield from _names(verify.bearer.tokens, (*path, "bearer", "tokens"))
    if verify.basic:
        yield from _names(verify.basic.users, (*path, "basic", "users"))
    if found := verify.client_certificate:
        yield from _names(found.certificates, (*path, "clientCertificate", "certificates"))
        yield from _networks(found.ingress, (*path, "clientCertificate", "ingress"))
    yield from _networks(verify.allow_from, (*path, "allowFrom"))


def _hmac(hmac: Hmac, path: Path) -> Iterator[Problem]:
    if hmac.timestamp and not expression_checks.reads("timestamp", hmac.signed or ""):
        yield ineffective(
            "the timestamp is not signed, so whoever sends a request again writes a new one",
            "write $timestamp into signed, such as '{% $timestamp %}.{% $body %}'",
            (*path, "timestamp"),
        )
    if hmac.signed and not expression_checks.reads("body", hmac.signed):
        yield Problem(
            Code.INVALID_VALUE,
            "the body is not signed, so anybody may change it",
            hint="write $body into signed, or leave signed out: then it is the body",
            path=(*path, "signed"),
        )


def _jwt(jwt: Jwt, path: Path) -> Iterator[Problem]:
    if jwt.jwks_url and not _is_port(jwt.jwks_url):
        yield Problem(
            Code.INVALID_VALUE,
            f"'{jwt.jwks_url}' has a port that is none",
            hint="write one up to 65535, or leave it out",
            path=(*path, "jwksUrl"),
        )
    for index, key in enumerate(jwt.keys or ()):
        if private := sorted(_PRIVATE & key.keys()):
            yield Problem(
                Code.INVALID_VALUE,
                f"this key has {', '.join(private)}, which nobody but its owner may know",
                hint="write the public key; take this one out of use, for others have seen it",
                path=(*path, "keys", index),
            )


def _is_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _names(named: Sequence[Any], path: Path) -> Iterator[Problem]:
    """Callers go by their names in logs and metrics, so each has its own."""
    seen: set[str] = set()
    for index, each in enumerate(named):
        if each.name in seen:
            yield Problem(
                Code.NAME_CLASH,
                f"two callers are named '{each.name}'",
                hint="give each a name of its own",
                path=(*path, index, "name"),
            )
        seen.add(each.name)


def _networks(networks: Iterable[str] | None, path: Path) -> Iterator[Problem]:
    for index, network in enumerate(networks or ()):
        yield from _network(network, (*path, index))


def _network(text: str, path: Path) -> Iterator[Problem]:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        yield Problem(
            Code.INVALID_VALUE,
            f"'{text}' is neither an address nor a network",
            hint=_meant(text),
            path=path,
        )


def _meant(text: str) -> str:
    try:
        return f"write {ipaddress.ip_network(text, strict=False)} for the network it is in"
    except ValueError:
        return "write it like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32"
