"""OAuth 2.0: a token of an authorization server (RFC 6749), for all calls."""

from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from isthmus_api.auth import oauth2 as model
from isthmus_runtime.connectors.auth import grants, renewed
from isthmus_runtime.connectors.auth.fixed import basic_header
from isthmus_runtime.connectors.auth.scheme import (
    UNAUTHORIZED,
    Credentials,
    SignInFailed,
    Surroundings,
)
from isthmus_runtime.http.messages import Header, Response

_ASKED: Final = "the token endpoint"
_UNKNOWN_LIFE: Final = 300.0


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
        self._token = renewed.Renewed(self._fetch, asked=_ASKED, timeout=around.timeout)

    async def credentials(self, *, deadline: float) -> Credentials:
        """The token, fetched first where it is missing or old."""
        return await self._token.get(deadline=deadline)

    def refused(self, used: Credentials, answer: Response) -> bool:
        """After a 401 the next call has another token."""
        return answer.status == UNAUTHORIZED and self._token.drop(used)

    async def _fetch(self, deadline: float) -> renewed.Fetched:
        headers, form = self._request()
        body = urlencode(form).encode()
        answer = await renewed.ask(
            self._endpoint, "POST", self._path, headers, body, asked=_ASKED, deadline=deadline
        )
        if answer.status in (400, UNAUTHORIZED):
            self._grant.failed()
        if answer.status != 200:
            renewed.refuse(_ASKED, answer.status)
        document = _document(answer.body)
        self._grant.took(document)
        field = (b"authorization", b"Bearer " + document["access_token"].encode())
        return renewed.Fetched(Credentials((field,)), _life(document))

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
