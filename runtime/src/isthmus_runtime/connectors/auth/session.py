"""Session: a log-in call, whose answer lets the calls after it in."""

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson

from isthmus_api import secret_references
from isthmus_api.auth import session as model
from isthmus_runtime.connectors.auth import expressions, holdoff, renewed
from isthmus_runtime.connectors.auth.record import Record
from isthmus_runtime.connectors.auth.scheme import (
    UNAUTHORIZED,
    Credentials,
    SignInFailed,
    Surroundings,
)
from isthmus_runtime.http.messages import Header, Response

_ASKED: Final = "the log-in"
_UNKNOWN_LIFE: Final = float("inf")
_REFUSALS: Final = (UNAUTHORIZED, 403)


class Session:
    """The session of one Connector."""

    def __init__(self, spec: model.Session, around: Surroundings) -> None:
        self._spec = spec
        self._secrets = around.secrets
        self._system = around.system
        self._log_in = _LogIn(spec.login, spec.secrets, around)
        self._token = _optional(spec.token, "auth.session.token")
        self._headers = expressions.headers(spec.headers or {}, place="auth.session.headers")
        self._expired = _optional(spec.expired_when, "auth.session.expiredWhen")
        self._life = spec.lifetime.seconds if spec.lifetime else _UNKNOWN_LIFE
        self._current = renewed.Renewed(
            self._fetch,
            asked=_ASKED,
            timeout=around.timeout,
            fingerprint=holdoff.fingerprint(secret_references.within(spec), around.secrets),
            record=Record(around.namespace, around.connector),
        )
        self.reads_answers = self._expired is not None

    @property
    def is_refused(self) -> bool:
        """Whether the log-in refuses to let us in."""
        return self._current.is_refused

    def at_hand(self) -> Credentials | None:
        """Those of the session, unless it has not begun or is old."""
        return self._current.at_hand()

    async def credentials(self, *, deadline: float) -> Credentials:
        """Those of the session, which begins with the first call."""
        return await self._current.get(deadline=deadline)

    def refused(self, used: Credentials, answer: Response) -> bool:
        """After a 401, or what counts as one, the next call has another session."""
        if not self._has_ended(answer):
            return False
        if self._current.drop(used):
            return True
        if answer.status < 300:
            raise SignInFailed("it does not take the session that it gave last")
        return False

    def in_vain(self, used: Credentials, answer: Response) -> bool:
        """A session that has ended at once is kept for a while: the next would end, too."""
        if not self._has_ended(answer):
            return False
        self._current.in_vain(used)
        return True

    def _has_ended(self, answer: Response) -> bool:
        if answer.status == UNAUTHORIZED:
            return True
        if self._expired is None:
            return False
        known = {"status": answer.status, "headers": _fields(answer)}
        return self._expired.value(_json(answer.body), known) is True

    async def _fetch(self, deadline: float) -> renewed.Fetched:
        variables: expressions.Variables = {
            "secrets": expressions.named(self._spec.secrets, self._secrets)
        }
        answer = await self._log_in.send(variables, deadline)
        if self._token is not None:
            variables["token"] = self._read(self._token, answer)
        made = [(name, text.header(variables)) for name, text in self._headers]
        if self._spec.cookies:
            made.append((b"cookie", _cookies(answer, self._spec.cookies)))
        return renewed.Fetched(Credentials(tuple(made)), self._life)

    def _read(self, token: expressions.Expression, answer: Response) -> str:
        found = token.value(_json(answer.body), {"headers": _fields(answer)})
        if not isinstance(found, str) or not found:
            raise SignInFailed("auth.session.token finds no text in the answer to the log-in")
        return found


class _LogIn:
    """The log-in call, as what sends it."""

    def __init__(
        self, spec: model.LogIn, secrets: model.NamedSecrets, around: Surroundings
    ) -> None:
        place = "auth.session.login"
        self._system = around.system
        self._holders = renewed.holders(secret_references.within(secrets))
        self._method = spec.method
        self._target = urlsplit(around.base_url).path.rstrip("/") + spec.path or "/"
        self._headers = expressions.headers(spec.headers or {}, place=f"{place}.headers")
        own = {name for name, _ in self._headers}
        self._common = [field for field in around.headers if field[0] not in own]
        self._has_type = b"content-type" in own | {name for name, _ in self._common}
        has_body = "body" in spec.written()
        self._body = expressions.tree(spec.body, place=f"{place}.body") if has_body else None
        self._form = {
            name: expressions.Expression(text, place=f"{place}.form.{name}")
            for name, text in (spec.form or {}).items()
        }

    async def send(self, variables: expressions.Variables, deadline: float) -> Response:
        """The answer, which let us in."""
        headers = [*self._common, *((n, text.header(variables)) for n, text in self._headers)]
        body, kind = self._content(variables)
        if kind and not self._has_type:
            headers.append((b"content-type", kind))
        answer = await renewed.ask(
            self._system,
            self._method,
            self._target,
            headers,
            body,
            asked=_ASKED,
            deadline=deadline,
        )
        if answer.status >= 400:
            is_refusal = answer.status in _REFUSALS
            renewed.refuse(_ASKED, answer, secrets=self._holders if is_refusal else "")
        return answer

    def _content(self, variables: expressions.Variables) -> tuple[bytes, bytes]:
        if self._form:
            form = {name: text.text(variables) for name, text in self._form.items()}
            return urlencode(form).encode(), b"application/x-www-form-urlencoded"
        if self._body:
            return self._body(variables), b"application/json"
        return b"", b""


def _optional(text: str | None, place: str) -> expressions.Expression | None:
    return None if text is None else expressions.Expression(text, place=place)


def _json(body: bytes) -> Any:
    """The body as a value, or nothing where it is no JSON."""
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _fields(answer: Response) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}


def _cookies(answer: Response, names: tuple[str, ...]) -> bytes:
    """The Cookie field with the cookies of an answer that are asked for (RFC 6265, 5.4)."""
    pairs = (
        value.partition(b";")[0].partition(b"=")
        for name, value in answer.headers
        if name == b"set-cookie"
    )
    found = {name.strip().decode("latin-1"): value.strip() for name, _, value in pairs}
    missing = [name for name in names if name not in found]
    if missing:
        raise SignInFailed(f"the answer to the log-in sets no cookie {', '.join(missing)}")
    return b"; ".join(name.encode() + b"=" + found[name] for name in names)


def fields_with(spec: model.Session, token: str, around: Surroundings) -> tuple[Header, ...]:
    """What calls carry in a session that gave `token`, without a log-in."""
    variables = {"token": token, "secrets": expressions.named(spec.secrets, around.secrets)}
    templates = expressions.headers(spec.headers or {}, place="auth.session.headers")
    return tuple((name, text.header(variables)) for name, text in templates)
