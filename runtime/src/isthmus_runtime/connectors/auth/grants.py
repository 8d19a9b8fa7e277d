"""Grants: why an authorization server gives us a token, as the form that asks for one."""

import time
import uuid
from typing import Any, Final, Protocol

from isthmus_api.auth import oauth2 as model
from isthmus_runtime.connectors.auth.scheme import SignInFailed
from isthmus_runtime.secrets import Secrets

Form = dict[str, str]


class Grant(Protocol):
    """A reason to get a token."""

    def form(self) -> Form:
        """What is asked now."""
        ...

    def took(self, document: dict[str, Any]) -> None:
        """The server gave a token, and this was its answer."""
        ...

    def failed(self) -> bool:
        """The server gave none; whether there is something else to ask with."""
        ...

    @property
    def newest(self) -> str:
        """What the server gave last to ask with, if it did."""
        ...

    def resume(self, newest: str) -> None:
        """Go on from what the server gave to another replica."""
        ...


class _Unchanging:
    """A grant that does not depend on what the server answers."""

    def took(self, document: dict[str, Any]) -> None:
        pass

    def failed(self) -> bool:
        return False

    @property
    def newest(self) -> str:
        return ""

    def resume(self, newest: str) -> None:
        pass


class _ClientCredentials(_Unchanging):
    """We ask for ourselves (RFC 6749, 4.4)."""

    def form(self) -> Form:
        return {"grant_type": "client_credentials"}


class _Password(_Unchanging):
    """We ask in the name of a user whose password we have (RFC 6749, 4.3)."""

    def __init__(self, spec: model.PasswordGrant, secrets: Secrets) -> None:
        self._spec = spec
        self._secrets = secrets

    def form(self) -> Form:
        return {
            "grant_type": "password",
            "username": self._secrets.read(self._spec.username.secret_key_ref),
            "password": self._secrets.read(self._spec.password.secret_key_ref),
        }


class _RefreshToken:
    """A refresh token (RFC 6749, 6): that of the Secret, then the newest that the server gave.

    The one of the Secret counts again when it has changed, and when the newest was refused.
    """

    def __init__(self, spec: model.RefreshTokenGrant, secrets: Secrets) -> None:
        self._spec = spec
        self._secrets = secrets
        self._given = ""
        self._newest = ""

    def form(self) -> Form:
        given = self._secrets.read(self._spec.token.secret_key_ref)
        if given != self._given:
            self._given = self._newest = given
        return {"grant_type": "refresh_token", "refresh_token": self._newest}

    def took(self, document: dict[str, Any]) -> None:
        newer = document.get("refresh_token")
        if isinstance(newer, str) and newer:
            self._newest = newer

    def failed(self) -> bool:
        is_other = self._newest != self._given
        self._newest = self._given
        return is_other

    @property
    def newest(self) -> str:
        return self._newest

    def resume(self, newest: str) -> None:
        self._given = self._secrets.read(self._spec.token.secret_key_ref)
        self._newest = newest


_PEM_LINES: Final = "\\n"
"""How a key is written where a value must be one line, as in an env file."""


class _JwtBearer(_Unchanging):
    """A statement about us that our private key signs (RFC 7523)."""

    def __init__(self, spec: model.OAuth2, jwt: model.JwtBearerGrant, secrets: Secrets) -> None:
        self._spec = spec
        self._jwt = jwt
        self._secrets = secrets

    def form(self) -> Form:
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self._statement(),
        }

    def _statement(self) -> str:
        import jwt  # and cryptography with it: 40 ms and 10 MB for those alone who use it

        key = self._secrets.read(self._jwt.private_key.secret_key_ref).replace(_PEM_LINES, "\n")
        headers = {"kid": self._jwt.key_id} if self._jwt.key_id else None
        algorithm = self._jwt.algorithm
        try:
            return jwt.encode(self._claims(), key, algorithm=algorithm, headers=headers)
        except (ValueError, TypeError, jwt.PyJWTError):  # their texts may quote the key
            where = self._jwt.private_key.secret_key_ref
            raise SignInFailed(
                f"the key '{where.key}' of the Secret '{where.name}' is no private key for "
                f"{algorithm}; write it as PEM, without a passphrase"
            ) from None

    def _claims(self) -> dict[str, Any]:
        now = int(time.time())
        issuer = self._jwt.issuer or self._client() or ""
        return {
            "iss": issuer,
            "sub": self._jwt.subject or issuer,
            "aud": self._jwt.audience or self._spec.token_url,
            "iat": now,
            "exp": now + int(self._jwt.lifetime.seconds),
            "jti": str(uuid.uuid4()),
            **self._jwt.claims,
        }

    def _client(self) -> str | None:
        client = self._spec.client_id
        return self._secrets.read(client.secret_key_ref) if client else None


def of(spec: model.OAuth2, secrets: Secrets) -> Grant:
    """The grant that a Connector names; without one it asks for itself."""
    if spec.password:
        return _Password(spec.password, secrets)
    if spec.refresh_token:
        return _RefreshToken(spec.refresh_token, secrets)
    if spec.jwt_bearer:
        return _JwtBearer(spec, spec.jwt_bearer, secrets)
    return _ClientCredentials()
