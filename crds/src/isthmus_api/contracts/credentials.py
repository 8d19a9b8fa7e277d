"""Credentials: whether the way in which a Connector proves who it is, is one that is taken."""

from collections.abc import Iterator
from typing import Final

from isthmus_api.connector import HttpTransport
from isthmus_api.contracts.document import Node
from isthmus_api.contracts.findings import Finding, Kind
from isthmus_api.contracts.flow import Use
from isthmus_api.contracts.operations import Operation
from isthmus_api.problems import Severity

_TOKENS: Final = ("oauth2", "openIdConnect")


def check(use: Use, operation: Operation, http: HttpTransport) -> Iterator[Finding]:
    """What is wrong with how the Connector of a call proves who it is."""
    ways = operation.security
    if not ways or any(_is_met(way, operation, http) for way in ways):
        return
    wanted = " or ".join(dict.fromkeys(_shown(way, operation) for way in ways))
    written = http.auth.written() if http.auth else {}
    have = next(iter(written), "no credentials")
    yield Finding(
        Kind.AUTH_REFUSED,
        "request",
        use,
        operation.name,
        f"{operation.name} wants {wanted}, and the Connector has {have}",
        hint="write auth of the Connector to what is wanted",
        parameter="auth",
        severity=Severity.ERROR if http.auth else Severity.WARNING,
    )


def token_urls(operation: Operation) -> frozenset[str]:
    """The token endpoints of all flows: which of them a grant belongs to, is not said."""
    found = set()
    for way in operation.security:
        for name in way:
            flows = operation.document.resolved(scheme(operation, name).get("flows"))
            for flow in operation.document.objects(list(flows.values())):
                if isinstance(url := flow.get("tokenUrl"), str):
                    found.add(url)
    return frozenset(found)


def scheme(operation: Operation, name: str) -> Node:
    """A security scheme of the document."""
    components = operation.document.resolved(operation.document.root.get("components"))
    schemes = operation.document.resolved(components.get("securitySchemes"))
    return operation.document.resolved(schemes.get(name))


def _is_met(way: Node, operation: Operation, http: HttpTransport) -> bool:
    """Whether the Connector has one of the schemes of a way: the others may be in its headers."""
    found = [scheme(operation, name) for name in way]
    return not found or any(_suits(each, http) for each in found)


def _suits(scheme: Node, http: HttpTransport) -> bool:
    auth = http.auth
    if auth is None:
        return False
    kind = str(scheme.get("type"))
    word = str(scheme.get("scheme")).lower()
    if auth.basic:
        return kind == "http" and word == "basic"
    if auth.bearer or auth.oauth2:
        return (kind == "http" and word == "bearer") or kind in _TOKENS
    if auth.api_key:
        name = str(scheme.get("name"))
        if auth.api_key.header:
            same = name.lower() == auth.api_key.header.lower()
            return kind == "apiKey" and scheme.get("in") == "header" and same
        return kind == "apiKey" and scheme.get("in") == "query" and name == auth.api_key.query
    return True  # a way that no scheme of OpenAPI has a word for


def _shown(way: Node, operation: Operation) -> str:
    return " with ".join(_words(name, scheme(operation, name)) for name in way)


def _words(name: str, scheme: Node) -> str:
    match scheme.get("type"):
        case "http":
            return f"{scheme.get('scheme')} ({name})"
        case "apiKey":
            return f"an API key in the {scheme.get('in')} '{scheme.get('name')}'"
        case kind:
            return f"{kind or 'something unknown'} ({name})"
