"""A check: one thing that must hold of a request, and who called as far as it tells."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from isthmus_api.model import SecretValue
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault, Rejected
from isthmus_runtime.http.messages import Head, Header, Request
from isthmus_runtime.secrets import MissingSecret, Secrets


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called. `known_as` is its name in the manifest, so it is fit for a label; `facts` are the
    fields of `$request.caller`."""

    known_as: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def named(name: str) -> Caller:
    """Somebody who has a name in the manifest."""
    return Caller(name, {"name": name})


NOBODY = Caller()
"""A check that tells nothing of who called."""

Check = Callable[[Request, Exchange], Caller | Awaitable[Caller]]
"""Who called; `Rejected` with 401 or 403, or a `Fault` with 503 where it is us who cannot tell."""


def unproven(reason: str, detail: str, challenge: bytes) -> Rejected:
    """The request does not show who sent it (RFC 9110 15.5.2)."""
    return Rejected(reason, detail, 401, headers=((b"www-authenticate", challenge),))


def forbidden(reason: str, detail: str, *headers: Header) -> Rejected:
    """It is known who, or where from, and that is not enough."""
    return Rejected(reason, detail, 403, headers=headers)


def single(head: Head, name: bytes) -> bytes | None:
    """The value of a field; of one that comes twice nobody can say which counts, so it is none."""
    found = [value for key, value in head.headers if key == name]
    return found[0] if len(found) == 1 else None


class Vault:
    """Secrets; one that is missing is our mistake and not the caller's, who may come again."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, value: SecretValue) -> bytes:
        """The value. An empty one would let in whoever sends nothing, so it counts as missing."""
        ref = value.secret_key_ref
        try:
            text = self._secrets.read(ref)
        except MissingSecret as error:
            raise _cannot_tell("SecretMissing", str(error)) from error
        if not text:
            detail = f"the key '{ref.key}' of the Secret '{ref.name}' is empty"
            raise _cannot_tell("SecretMissing", detail)
        return text.encode()


def _cannot_tell(reason: str, detail: str) -> Fault:
    headers: tuple[Header, ...] = ((b"retry-after", b"30"),)
    return Fault(reason, f"callers cannot be verified: {detail}", 503, headers=headers)
