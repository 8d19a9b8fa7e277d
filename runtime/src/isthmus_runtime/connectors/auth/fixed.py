"""Fixed credentials: they follow from Secrets alone.

Secrets are read when a call is made, so a rotated one is used without a restart.
"""

import base64
from collections.abc import Callable
from urllib.parse import quote

from isthmus_api import auth as model
from isthmus_runtime.connectors.auth.scheme import UNAUTHORIZED, Credentials, Surroundings
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.secrets import MissingSecret


class Fixed:
    """Credentials that are made of Secrets."""

    reads_answers = False
    is_refused = False

    def __init__(self, make: Callable[[], Credentials]) -> None:
        self._make = make

    async def credentials(self, *, deadline: float) -> Credentials:
        """Made anew from the secrets as they are now."""
        return self._make()

    def refused(self, used: Credentials, answer: Response) -> bool:
        """The same credentials would be refused again, but they may be others by now."""
        if answer.status != UNAUTHORIZED:
            return False
        try:
            return self._make() != used
        except MissingSecret:
            return False

    def in_vain(self, used: Credentials, answer: Response) -> bool:
        """Nobody is asked for them, so there is nobody to be spared."""
        return False


def basic(spec: model.BasicAuth, around: Surroundings) -> Fixed:
    """HTTP Basic (RFC 7617), in UTF-8."""

    def make() -> Credentials:
        username = around.secrets.read(spec.username.secret_key_ref)
        password = around.secrets.read(spec.password.secret_key_ref)
        return Credentials((basic_header(username, password),))

    return Fixed(make)


def bearer(spec: model.BearerAuth, around: Surroundings) -> Fixed:
    """A fixed bearer token (RFC 6750)."""

    def make() -> Credentials:
        token = around.secrets.read(spec.token.secret_key_ref)
        return Credentials(((b"authorization", b"Bearer " + token.encode()),))

    return Fixed(make)


def api_key(spec: model.ApiKeyAuth, around: Surroundings) -> Fixed:
    """A key in a header or in the query."""

    def make() -> Credentials:
        value = around.secrets.read(spec.value.secret_key_ref)
        if spec.query:
            return Credentials(query=f"{quote(spec.query, safe='')}={quote(value, safe='')}")
        return Credentials((((spec.header or "").lower().encode(), value.encode()),))

    return Fixed(make)


def basic_header(username: str, password: str) -> Header:
    """The field of HTTP Basic."""
    joined = base64.b64encode(f"{username}:{password}".encode())
    return (b"authorization", b"Basic " + joined)
