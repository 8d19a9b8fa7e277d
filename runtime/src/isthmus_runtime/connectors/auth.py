"""Auth: what a call carries to prove who we are.

Secrets are read when a call is made, so a rotated one is used without a restart.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

import orjson

from isthmus_api import connector as model
from isthmus_runtime.connectors import backoff
from isthmus_runtime.connectors.flights import Flights
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import MissingSecret, Secrets


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is added to a call: fields, and query text that is encoded already."""

    headers: tuple[Header, ...] = ()
    query: str = ""


class SignInFailed(Exception):
    """The authorization server gave no token; the message holds neither credential nor address.

    `passing` says whether it may give one to the next attempt.
    """

    def __init__(self, message: str, *, status: int = 502, passing: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.passing = passing


class Auth(Protocol):
    """A way to prove who we are."""

    async def credentials(self, *, deadline: float) -> Credentials:
        """What the next call carries."""
        ...

    def refused(self, used: Credentials) -> bool:
        """The other side said 401; whether new credentials are worth another attempt."""
        ...


class Fixed:
    """Credentials that follow from secrets alone."""

    def __init__(self, make: Callable[[], Credentials]) -> None:
        self._make = make

    async def credentials(self, *, deadline: float) -> Credentials:
        """Made anew from the secrets as they are now."""
        return self._make()

    def refused(self, used: Credentials) -> bool:
        """The same credentials would be refused again, but they may be others by now."""
        try:
            return self._make() != used
        except MissingSecret:
            return False


def basic(spec: model.BasicAuth, secrets: Secrets) -> Fixed:
    """HTTP Basic (RFC 7617), in UTF-8."""

    def make() -> Credentials:
        username = secrets.read(spec.username.secret_key_ref)
        password = secrets.read(spec.password.secret_key_ref)
        return Credentials((_basic_header(username, password),))

    return Fixed(make)


def bearer(spec: model.BearerAuth, secrets: Secrets) -> Fixed:
    """A fixed bearer token (RFC 6750)."""

    def make() -> Credentials:
        token = secrets.read(spec.token.secret_key_ref)
        return Credentials(((b"authorization", b"Bearer " + token.encode()),))

    return Fixed(make)


def api_key(spec: model.ApiKeyAuth, secrets: Secrets) -> Fixed:
    """A key in a header or in the query."""

    def make() -> Credentials:
        value = secrets.read(spec.value.secret_key_ref)
        if spec.query:
            return Credentials(query=f"{quote(spec.query, safe='')}={quote(value, safe='')}")
        return Credentials((((spec.header or "").lower().encode(), value.encode()),))

    return Fixed(make)


class ClientCredentials:
    """OAuth 2.0 client credentials: one token for all calls, renewed before it ends.

    While a token is fetched every other call waits for the same answer. A token is renewed when a
    tenth of its life is left, and at once after a 401. Fetching takes `timeout` seconds at most.
    """

    _UNKNOWN_LIFE = 300.0

    def __init__(
        self,
        spec: model.OAuth2ClientCredentials,
        secrets: Secrets,
        endpoint: Transport,
        path: str,
        *,
        timeout: float,
    ) -> None:
        self._spec = spec
        self._secrets = secrets
        self._endpoint = endpoint
        self._path = path
        self._timeout = timeout
        self._current = Credentials()
        self._renew_at = 0.0
        self._fetching: Flights[None] = Flights()

    async def credentials(self, *, deadline: float) -> Credentials:
        """The token, fetched first where it is missing or old."""
        if asyncio.get_running_loop().time() >= self._renew_at:
            try:
                await self._fetching.join("token", self._fetch, deadline=deadline)
            except TimeoutError:
                raise _late() from None
        return self._current

    def refused(self, used: Credentials) -> bool:
        """The token was refused: the next call fetches a new one, unless one did already."""
        if used is self._current:
            self._renew_at = 0.0
        return True

    async def _fetch(self) -> None:
        asked_at = asyncio.get_running_loop().time()
        answer = await self._answer(asked_at + self._timeout)
        if answer.status != 200:
            raise SignInFailed(
                f"the token endpoint answered {answer.status}",
                passing=answer.status in backoff.PASSING,
            )
        token, life = self._read(answer.body)
        self._current = Credentials(((b"authorization", b"Bearer " + token.encode()),))
        self._renew_at = asked_at + life * 0.9

    async def _answer(self, deadline: float) -> Response:
        headers, form = self._request()
        body = urlencode(form).encode()
        try:
            return await self._endpoint.send("POST", self._path, headers, body, deadline=deadline)
        except errors.DeadlineExceeded:
            raise _late() from None
        except errors.ClientError:  # its text names the address
            raise SignInFailed("the token endpoint cannot be reached", passing=True) from None

    def _request(self) -> tuple[list[Header], dict[str, str]]:
        client_id = self._secrets.read(self._spec.client_id.secret_key_ref)
        client_secret = self._secrets.read(self._spec.client_secret.secret_key_ref)
        headers = [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"accept", b"application/json"),
        ]
        form = {"grant_type": "client_credentials"}
        if self._spec.scopes:
            form["scope"] = " ".join(self._spec.scopes)
        if self._spec.audience:
            form["audience"] = self._spec.audience
        if self._spec.client_authentication == "body":
            form |= {"client_id": client_id, "client_secret": client_secret}
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they become Basic credentials.
            headers.append(_basic_header(quote(client_id, safe=""), quote(client_secret, safe="")))
        return headers, form

    def _read(self, body: bytes) -> tuple[str, float]:
        try:
            answer = orjson.loads(body)
            token, life = answer["access_token"], answer.get("expires_in")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SignInFailed("the token endpoint answered without an access_token") from error
        if not isinstance(token, str) or not token:
            raise SignInFailed("the token endpoint answered without an access_token")
        return token, float(life) if isinstance(life, int | float) else self._UNKNOWN_LIFE


def _late() -> SignInFailed:
    return SignInFailed("the token endpoint did not answer in time", status=504, passing=True)


def _basic_header(username: str, password: str) -> Header:
    joined = base64.b64encode(f"{username}:{password}".encode())
    return (b"authorization", b"Basic " + joined)
