"""Tokens: what an authorization server answers when it gives one."""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from isthmus_runtime.connectors.auth.scheme import SignInFailed

BAD_CREDENTIALS: Final = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_ERRORS: Final = BAD_CREDENTIALS | {*("invalid_request", "unsupported_grant_type", "invalid_scope")}
"""The words of RFC 6749, 5.2. What else a server says may quote a credential."""

_UNKNOWN_LIFE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Given:
    """A token, the Unix time at which it was asked for, and the seconds that it is good for.

    `next` asks for the one after it, where the server gave that, too.
    """

    token: str = field(repr=False)
    at: float
    life: float
    next: str = field(default="", repr=False)


def document(body: bytes) -> dict[str, Any]:
    """The server's answer; it has an access token."""
    found = _object(body)
    token = found.get("access_token")
    if not isinstance(token, str) or not token:
        raise SignInFailed("the token endpoint answered without an access_token")
    return found


def life(document: dict[str, Any]) -> float:
    """Seconds that the token is good for; some servers write the number as text."""
    found = document.get("expires_in")
    try:
        return float(found) if isinstance(found, int | float | str) else _UNKNOWN_LIFE
    except ValueError:
        return _UNKNOWN_LIFE


def error(body: bytes) -> str:
    """The word that says why there is no token, where it is one of the standard."""
    word = _object(body).get("error")
    return word if isinstance(word, str) and word in _ERRORS else ""


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
