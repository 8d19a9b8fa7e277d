"""Who may call: the sign-ins that the systems of the examples ask for."""

import base64
import binascii
import secrets
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP basic with one user; `advice` says in the refusal where the credentials stand."""

    realm: str
    username: str
    password: str
    advice: str

    def check(self, request: Request) -> None:
        """Refuse with 401 whoever is somebody else."""
        expected = f"{self.username}:{self.password}".encode()
        if not secrets.compare_digest(_credentials(request), expected):
            raise HTTPException(
                401,
                f"Sign in with HTTP basic: {self.advice}",
                headers={"WWW-Authenticate": f'Basic realm="{self.realm}", charset="UTF-8"'},
            )


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that is agreed upon."""

    realm: str
    token: str
    advice: str

    def check(self, request: Request) -> None:
        """Refuse with 401 whoever does not know it."""
        scheme, given = _authorization(request)
        if scheme != "bearer" or not secrets.compare_digest(given.encode(), self.token.encode()):
            raise HTTPException(
                401,
                f"Send a bearer token: {self.advice}",
                headers={"WWW-Authenticate": f'Bearer realm="{self.realm}"'},
            )


def _authorization(request: Request) -> tuple[str, str]:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower(), rest.strip()


def _credentials(request: Request) -> bytes:
    scheme, encoded = _authorization(request)
    if scheme != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
