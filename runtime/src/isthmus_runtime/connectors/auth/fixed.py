"""Fixed credentials: they follow from Secrets alone.

Secrets are read when a call is made, so a rotated one is used without a restart. What a call
carries is made of them once, and again when they change.
"""

import base64
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar
from urllib.parse import quote

from isthmus_api import auth as model
from isthmus_runtime.connectors.auth.scheme import UNAUTHORIZED, Credentials, Surroundings
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.secrets import MissingSecret

Read = TypeVar("Read")
"""What is read of Secrets; equal where those are."""


class Fixed(Generic[Read]):
    """Credentials that are made of Secrets."""

    reads_answers = False
    is_refused = False

    def __init__(self, read: Callable[[], Read], make: Callable[[Read], Credentials]) -> None:
        self._read, self._make = read, make
        self._of: Read | None = None
        self._made = Credentials()

    def at_hand(self) -> Credentials:
        """Those of the Secrets as they are now."""
        read = self._read()
        if read != self._of:
            self._made, self._of = self._make(read), read
        return self._made

    async def credentials(self, *, deadline: float) -> Credentials:
        """They are always at hand."""
        return self.at_hand()

    def refused(self, used: Credentials, answer: Response) -> bool:
        """The same credentials would be refused again, but they may be others by now."""
        if answer.status != UNAUTHORIZED:
            return False
        try:
            return self.at_hand() != used
        except MissingSecret:
            return False

    def in_vain(self, used: Credentials, answer: Response) -> bool:
        """Nobody is asked for them, so there is nobody to be spared."""
        return False


def basic(spec: model.BasicAuth, around: Surroundings) -> Fixed[tuple[str, str]]:
    """HTTP Basic (RFC 7617), in UTF-8."""
    read = around.secrets.read
    username, password = spec.username.secret_key_ref, spec.password.secret_key_ref
    return Fixed(
        lambda: (read(username), read(password)),
        lambda pair: Credentials((basic_header(*pair),)),
    )


def bearer(spec: model.BearerAuth, around: Surroundings) -> Fixed[str]:
    """A fixed bearer token (RFC 6750)."""
    return Fixed(
        partial(around.secrets.read, spec.token.secret_key_ref),
        lambda token: Credentials(((b"authorization", b"Bearer " + token.encode()),)),
    )


def api_key(spec: model.ApiKeyAuth, around: Surroundings) -> Fixed[str]:
    """A key in a header or in the query."""

    def make(value: str) -> Credentials:
        if spec.query:
            return Credentials(query=f"{quote(spec.query, safe='')}={quote(value, safe='')}")
        return Credentials((((spec.header or "").lower().encode(), value.encode()),))

    return Fixed(partial(around.secrets.read, spec.value.secret_key_ref), make)


def basic_header(username: str, password: str) -> Header:
    """The field of HTTP Basic."""
    joined = base64.b64encode(f"{username}:{password}".encode())
    return (b"authorization", b"Basic " + joined)
