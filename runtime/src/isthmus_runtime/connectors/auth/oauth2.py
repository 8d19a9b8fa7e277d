"""OAuth 2.0: a token of an authorization server (RFC 6749), for all calls."""

from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from isthmus_api import secret_references
from isthmus_api.auth import oauth2 as model
from isthmus_runtime.connectors.auth import grants, holdoff, renewed
from isthmus_runtime.connectors.auth.fixed import basic_header
from isthmus_runtime.connectors.auth.record import Record
from isthmus_runtime.connectors.auth.scheme import (
    UNAUTHORIZED,
    Credentials,
    SignInFailed,
    Surroundings,
)
from isthmus_runtime.http.messages import Header, Response

_ASKED: Final = "the token endpoint"
_UNKNOWN_LIFE: Final = 300.0
_BAD_CREDENTIALS: Final = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_ERRORS: Final = _BAD_CREDENTIALS | {
    *("invalid_request", "unsupported_grant_type", "invalid_scope")
}
"""The words of RFC 6749, 5.2. What else a server says may quote a credential."""


class OAuth2:
    """The token of one Connector."""

    reads_answers = False

    def __init__(self, spec: model.OAuth2, around: Surroundings) -> None:
        parts = urlsplit(spec.token_url)
        self._spec = spec
        self._secrets = around.secrets
        self._endpoint = around.reach(spec.token_url, spec.tls)
        self._path = f"{parts.path or '/'}{parts.query and '?'}{parts.query}"
        self._grant = grants.of(spec, around.secrets)
        refs = tuple(secret_references.within(spec))
        self._token = renewed.Renewed(
            self._fetch,
            asked=_ASKED,
            timeout=around.timeout,
            fingerprint=holdoff.fingerprint(refs, around.secrets),
            record=Record(around.namespace, around.connector),
        )
        self._holders = renewed.holders(secret_references.within(_credentials(spec)))

    @property
    def is_refused(self) -> bool:
        """Whether the server refuses to give a token."""
        return self._token.is_refused

    async def credentials(self, *, deadline: float) -> Credentials:
        """The token, fetched first where it is missing or old."""
        return await self._token.get(deadline=deadline)

    def refused(self, used: Credentials, answer: Response) -> bool:
        """After a 401 the next call has another token."""
        return answer.status == UNAUTHORIZED and self._token.drop(used)

    def in_vain(self, used: Credentials, answer: Response) -> bool:
        """After a 401 to a new token, too, it is kept for a while."""
        if answer.status != UNAUTHORIZED:
            return False
        self._token.in_vain(used)
        return True

    async def _fetch(self, deadline: float) -> renewed.Fetched:
        answer = await self._ask(deadline)
        if answer.status in (400, UNAUTHORIZED) and self._grant.failed():
            answer = await self._ask(deadline)
        if answer.status != 200:
            said = _error(answer.body)
            is_refusal = answer.status == UNAUTHORIZED or said in _BAD_CREDENTIALS
            renewed.refuse(_ASKED, answer, said=said, secrets=self._holders if is_refusal else "")
        document = _document(answer.body)
        self._grant.took(document)
        field = (b"authorization", b"Bearer " + document["access_token"].encode())
        return renewed.Fetched(Credentials((field,)), _life(document))

    async def _ask(self, deadline: float) -> Response:
        headers, form = self._request()
        body = urlencode(form).encode()
        return await renewed.ask(
            self._endpoint, "POST", self._path, headers, body, asked=_ASKED, deadline=deadline
        )

    def _request(self) -> tuple[list[Header], grants.Form]:
        headers = [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"accept", b"application/json"),
        ]
        form = self._grant.form()
        if self._spec.scopes:
            form["scope"] = " ".join(self._spec.scopes)
        if self._spec.audience:
            form["audience"] = self._spec.audience
        self._prove_client(headers, form)
        return headers, form

    def _prove_client(self, headers: list[Header], form: grants.Form) -> None:
        spec = self._spec
        if spec.client_id is None:
            return
        client_id = self._secrets.read(spec.client_id.secret_key_ref)
        if spec.client_secret is None:
            form["client_id"] = client_id
            return
        client_secret = self._secrets.read(spec.client_secret.secret_key_ref)
        if spec.client_authentication == "body":
            form |= {"client_id": client_id, "client_secret": client_secret}
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they become Basic credentials.
            headers.append(basic_header(quote(client_id, safe=""), quote(client_secret, safe="")))


def _credentials(spec: model.OAuth2) -> tuple[Any, ...]:
    return tuple(value for name, value in spec.written().items() if name != "tls")


def _error(body: bytes) -> str:
    """The word that says why there is no token, where it is one of the standard."""
    try:
        document = orjson.loads(body)
    except ValueError:
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, str) and error in _ERRORS else ""


def _document(body: bytes) -> dict[str, Any]:
    """The server's answer; it has an access token."""
    try:
        document = orjson.loads(body)
    except ValueError:
        document = None
    token = document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise SignInFailed("the token endpoint answered without an access_token")
    return dict(document)


def _life(document: dict[str, Any]) -> float:
    """Seconds that the token is good for; some servers write the number as text."""
    life = document.get("expires_in")
    try:
        return float(life) if isinstance(life, int | float | str) else _UNKNOWN_LIFE
    except ValueError:
        return _UNKNOWN_LIFE
