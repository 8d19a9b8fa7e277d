"""Auth: what a call carries to prove who we are, one module a scheme.

`scheme` says what a scheme is; `of` finds the one that a Connector names.
"""

from collections.abc import Callable
from typing import Any, Final

from isthmus_api import auth as model
from isthmus_runtime.connectors.auth import fixed, hmac, oauth2, session
from isthmus_runtime.connectors.auth.scheme import (
    Auth,
    Credentials,
    Outgoing,
    SignInFailed,
    Surroundings,
)

__all__ = ["Auth", "Credentials", "Outgoing", "SignInFailed", "Surroundings", "of"]


def _oauth1(spec: model.OAuth1, around: Surroundings) -> Auth:
    from isthmus_runtime.connectors.auth import oauth1

    return oauth1.scheme(spec, around)


def _aws_sig_v4(spec: model.AwsSigV4, around: Surroundings) -> Auth:
    from isthmus_runtime.connectors.auth import aws_sig_v4

    return aws_sig_v4.scheme(spec, around)


_SCHEMES: Final[dict[str, Callable[[Any, Surroundings], Auth]]] = {
    "basic": fixed.basic,
    "bearer": fixed.bearer,
    "apiKey": fixed.api_key,
    "oauth2": oauth2.OAuth2,
    "hmac": hmac.scheme,
    "session": session.Session,
    "oauth1": _oauth1,
    "awsSigV4": _aws_sig_v4,
}


def of(spec: model.Auth, around: Surroundings) -> Auth:
    """The scheme that a Connector names."""
    [(name, found)] = spec.written().items()
    return _SCHEMES[name](found, around)
