"""Sign-in: what is wrong with a Connector's auth and answers, their expressions above all."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from isthmus_api.auth import Auth, HmacAuth, Session, carried
from isthmus_api.connector import ConnectorSpec
from isthmus_api.expressions import engine, templates
from isthmus_api.plan import expression_checks, site
from isthmus_api.plan.site import Site, Template, tree
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.resources import Origin, Resource

_AUTH: Path = ("spec", "http", "auth")
_SECRETS = frozenset({"secrets"})
_OF_A_CALL = _SECRETS | {
    *("method", "host", "path", "query", "parameters", "headers", "body", "bodyHash"),
    *("timestamp", "nonce"),
}


def check(connector: Resource[ConnectorSpec]) -> Iterator[Problem]:
    """What is wrong with the auth and the answers of a Connector."""
    http = connector.spec.http
    if http is None:
        return
    if http.answer:
        for each in site.answer(http.answer, ("spec", "http", "answer")):
            yield from expression_checks.template(each, connector.origin)
    if http.auth is None:
        return
    yield from _written_twice(http.headers, http.auth, connector.origin)
    for each, secrets in _sites(http.auth):
        yield from expression_checks.template(each, connector.origin)
        yield from _unknown_secrets(each, secrets, connector.origin)


def _written_twice(headers: Iterable[str], auth: Auth, origin: Origin) -> Iterator[Problem]:
    """Headers of the Connector that its auth writes, too: calls would have them twice."""
    taken = set(carried.by(auth))
    for name in headers:
        if ("header", name.lower()) in taken:
            path: Path = ("spec", "http", "headers", name)
            yield Problem(
                Code.MISPLACED,
                f"auth writes the header {name} of each call already",
                hint="leave it out here, or leave out auth",
                path=path,
                location=origin.locate(path),
            )


def _sites(auth: Auth) -> Iterator[tuple[Template, Mapping[str, object]]]:
    """Every site, and the Secrets that are named for it."""
    if auth.session:
        for site in _session(auth.session, (*_AUTH, "session")):
            if isinstance(site, Template):
                yield site, auth.session.secrets
    if auth.hmac:
        for site in _hmac(auth.hmac, (*_AUTH, "hmac")):
            if isinstance(site, Template):
                yield site, auth.hmac.secrets


def _session(session: Session, path: Path) -> Iterator[Site]:
    login, at = session.login, (*path, "login")
    yield from tree(login.headers, (*at, "headers"), _SECRETS)
    yield from tree(login.body, (*at, "body"), _SECRETS)
    yield from tree(login.form, (*at, "form"), _SECRETS)
    if session.token:
        yield Template((*path, "token"), session.token, frozenset({"headers"}), is_whole=True)
    known = _SECRETS | ({"token"} if session.token else set())
    yield from tree(session.headers, (*path, "headers"), known)
    if session.expired_when:
        read = frozenset({"status", "headers"})
        yield Template((*path, "expiredWhen"), session.expired_when, read, is_whole=True)


def _hmac(hmac: HmacAuth, path: Path) -> Iterator[Site]:
    yield Template((*path, "signed"), hmac.signed, _OF_A_CALL)
    signed = _OF_A_CALL | {"signature"}
    yield from tree(hmac.headers, (*path, "headers"), signed)
    yield from tree(hmac.query, (*path, "query"), signed)


def _unknown_secrets(
    site: Template, secrets: Mapping[str, object], origin: Origin
) -> Iterator[Problem]:
    """Values of Secrets that are read and that `secrets` does not name."""
    for name in sorted(_read_secrets(site.text) - secrets.keys()):
        there = ", ".join(sorted(secrets)) or "none"
        yield Problem(
            Code.EXPRESSION_INVALID,
            f"'secrets' names no '{name}'",
            hint=f"add it: secrets: {{{name}: {{secretKeyRef: {{name: …, key: …}}}}}}; "
            f"there are: {there}",
            path=site.path,
            location=origin.locate(site.path),
        )


def _read_secrets(text: str) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(engine.ExpressionError):
        for hole in templates.parse(text).holes:
            read = expression_checks.variables(hole.source).get("secrets")
            found |= read.fields.keys() if read else set()
    return found
