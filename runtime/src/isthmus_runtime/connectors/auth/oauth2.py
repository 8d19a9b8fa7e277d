"""OAuth 2.0: a token of an authorization server (RFC 6749), for all calls."""

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from isthmus_api import secret_references
from isthmus_api.auth import oauth2 as model
from isthmus_runtime.connectors.auth import grants, holdoff, renewed, tokens
from isthmus_runtime.connectors.auth.fixed import basic_header
from isthmus_runtime.connectors.auth.record import Record
from isthmus_runtime.connectors.auth.scheme import (
    UNAUTHORIZED,
    Credentials,
    Surroundings,
)
from isthmus_runtime.http.messages import Header, Response

if TYPE_CHECKING:  # most Connectors share no token, and their processes need not read it
    from isthmus_runtime.connectors.auth.shared import SharedToken

_ASKED: Final = "the token endpoint"
_BEARER: Final = b"Bearer "


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
        self._shared = _shared(spec, around)
        self._refused = ""

    @property
    def is_refused(self) -> bool:
        """Whether the server refuses to give a token."""
        return self._token.is_refused

    def at_hand(self) -> Credentials | None:
        """The token, unless it is missing or old."""
        return self._token.at_hand()

    async def credentials(self, *, deadline: float) -> Credentials:
        """The token, fetched first where it is missing or old."""
        return await self._token.get(deadline=deadline)

    def refused(self, used: Credentials, answer: Response) -> bool:
        """After a 401 the next call has another token."""
        if answer.status != UNAUTHORIZED or not self._token.drop(used):
            return False
        self._refused = _token(used)
        return True

    def in_vain(self, used: Credentials, answer: Response) -> bool:
        """After a 401 to a new token, too, it is kept for a while."""
        if answer.status != UNAUTHORIZED:
            return False
        self._token.in_vain(used)
        return True

    async def _fetch(self, deadline: float) -> renewed.Fetched:
        if self._shared is None:
            given = await self._given(deadline)
            return renewed.Fetched(_bearer(given.token), given.life)
        try:
            given = await self._shared.get(
                lambda before: self._given(deadline, before),
                refused=self._refused,
                deadline=deadline,
            )
        except TimeoutError:
            raise renewed.late(_ASKED) from None
        left = given.at + given.life - time.time()
        return renewed.Fetched(_bearer(given.token), min(left, given.life))

    async def _given(self, deadline: float, before: tokens.Given | None = None) -> tokens.Given:
        """A new token; the one `before` it may say what to ask with."""
        if before and before.next:
            self._grant.resume(before.next)
        asked_at = time.time()
        answer = await self._ask(deadline)
        if answer.status in (400, UNAUTHORIZED) and self._grant.failed():
            answer = await self._ask(deadline)
        if answer.status != 200:
            said = tokens.error(answer.body)
            is_refusal = answer.status == UNAUTHORIZED or said in tokens.BAD_CREDENTIALS
            renewed.refuse(_ASKED, answer, said=said, secrets=self._holders if is_refusal else "")
        document = tokens.document(answer.body)
        self._grant.took(document)
        life = tokens.life(document)
        return tokens.Given(document["access_token"], asked_at, life, self._grant.newest)

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


def _bearer(token: str) -> Credentials:
    return Credentials(((b"authorization", _BEARER + token.encode()),))


def _token(used: Credentials) -> str:
    [(_, value)] = used.headers
    return value.removeprefix(_BEARER).decode()


def _credentials(spec: model.OAuth2) -> tuple[Any, ...]:
    return tuple(value for name, value in spec.written().items() if name != "tls")


def _shared(spec: model.OAuth2, around: Surroundings) -> "SharedToken | None":
    """How the token is shared with others, if it is."""
    if not spec.shared_token or around.sharing is None:
        return None
    from isthmus_runtime.connectors.auth.shared import SharedToken

    refs = tuple(secret_references.within(_credentials(spec)))
    return SharedToken(
        around.sharing,
        namespace=around.namespace,
        purpose=orjson.dumps(spec.canonical()),
        credentials=lambda: orjson.dumps([around.secrets.read(ref) for ref in refs]),
        asker=around.connector,
        timeout=around.timeout,
    )
