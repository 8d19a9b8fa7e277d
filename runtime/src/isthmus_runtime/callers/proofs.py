"""Proofs: something that a caller holds and shows as it is: a key, a token, a password.

Secrets are read at each request, so a rotated one counts at once. What was shown is compared with
all that are accepted, whichever fits, and each comparison takes the same time wherever the
difference is. What is said to the caller names the check, never a value.
"""

import hmac
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl

from isthmus_api.proofs import (
    ApiKeys,
    BasicUsers,
    BearerTokens,
    ClientCertificate,
    NamedSecret,
    NamedUser,
)
from isthmus_runtime.callers import addresses
from isthmus_runtime.callers.check import Caller, Check, Vault, forbidden, named, single, unproven
from isthmus_runtime.callers.encodings import from_base64
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Request

Held = tuple[Caller, Callable[[], bytes]]
"""A caller, and what it must show, read when it is needed."""


def api_keys(spec: ApiKeys, vault: Vault, realm: bytes) -> Check:
    """A key in a header or in the query."""
    held = [_of_secret(key, vault) for key in spec.keys]

    def check(request: Request, _: Exchange) -> Caller:
        found = _who(_given_key(spec, request.head), held)
        if found is None:
            detail = "the API key is missing or is not one of those expected"
            raise unproven("BadApiKey", detail, b"ApiKey " + realm)
        return found

    return check


def _given_key(spec: ApiKeys, head: Head) -> bytes | None:
    if spec.header:
        return single(head, spec.header.lower().encode())
    try:
        pairs = parse_qsl(head.query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return None
    found = [value.encode() for name, value in pairs if name == spec.query]
    return found[0] if len(found) == 1 else None


def bearer(spec: BearerTokens, vault: Vault, realm: bytes) -> Check:
    """A fixed token."""
    held = [_of_secret(token, vault) for token in spec.tokens]

    def check(request: Request, _: Exchange) -> Caller:
        found = _who(credentials(request.head, b"bearer"), held)
        if found is None:
            detail = "the bearer token is missing or is not one of those expected"
            raise unproven("BadToken", detail, b"Bearer " + realm)
        return found

    return check


def basic(spec: BasicUsers, vault: Vault, realm: bytes) -> Check:
    """A user name and a password."""
    held = [_of_user(user, vault) for user in spec.users]

    def check(request: Request, _: Exchange) -> Caller:
        given = credentials(request.head, b"basic")
        found = _who(given and from_base64(given), held)
        if found is None:
            detail = "the user name or the password is missing or is not one of those expected"
            raise unproven("BadCredentials", detail, b"Basic " + realm + b', charset="UTF-8"')
        return found

    return check


def certificate(spec: ClientCertificate) -> Check:
    """A certificate that the ingress has verified. What others than it say counts for nothing."""
    trusted = addresses.networks(spec.ingress)
    name = spec.header.lower().encode()
    verified = spec.verified
    word = (verified.header.lower().encode(), verified.value.encode()) if verified else None
    known = {each.value.encode(): named(each.name) for each in spec.certificates}

    def check(request: Request, _: Exchange) -> Caller:
        head = request.head
        peer = addresses.read(head.peer)
        if peer is None or not addresses.is_in(peer, trusted):
            detail = "requests are taken from the ingress alone, which verifies certificates"
            raise forbidden("CertificateNotVerified", detail)
        if word and single(head, word[0]) != word[1]:
            raise forbidden("CertificateNotVerified", "no client certificate was verified")
        found = known.get(single(head, name) or b"")
        if found is None:
            detail = "the client certificate is missing or is not one of those expected"
            raise forbidden("BadCertificate", detail)
        return found

    return check


def credentials(head: Head, scheme: bytes) -> bytes | None:
    """What stands after the scheme in Authorization."""
    given = single(head, b"authorization") or b""
    name, _, rest = given.partition(b" ")
    return rest.strip() if name.lower() == scheme else None


def _of_secret(each: NamedSecret, vault: Vault) -> Held:
    return named(each.name), lambda: vault.read(each.value)


def _of_user(user: NamedUser, vault: Vault) -> Held:
    def expected() -> bytes:
        return vault.read(user.username) + b":" + vault.read(user.password)

    return named(user.name), expected


def _who(given: bytes | None, held: Iterable[Held]) -> Caller | None:
    """Whose it is. A Secret that is missing keeps out its caller alone: the fault is raised where
    what was given may be of it."""
    if given is None:
        return None
    found: Caller | None = None
    missing: Fault | None = None
    for caller, expected in held:
        try:
            if hmac.compare_digest(given, expected()):
                found = caller
        except Fault as fault:
            missing = fault
    if found is None and missing is not None:
        raise missing
    return found
