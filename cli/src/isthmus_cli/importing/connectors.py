"""Connectors made of OpenAPI documents."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import click

from isthmus_api.contracts import credentials
from isthmus_api.contracts.document import Node, OpenApi
from isthmus_api.contracts.operations import Directory, server_url
from isthmus_api.model import API_VERSION

TIMEOUT: Final = "10s"
CONNECT_TIMEOUT: Final = "2s"
_URL: Final = re.compile(r"https?://[^\s/?#@{}%]+(/[^\s?#{}]*)?")


@dataclass(frozen=True, slots=True)
class Made:
    """A manifest, and what a person should know of it."""

    manifest: dict[str, Any]
    notes: tuple[str, ...]


def named(document: OpenApi) -> str:
    """A name made of the document's title."""
    words = re.findall(r"[a-z0-9]+", document.title.lower())
    return "-".join(words)[:50].rstrip("-") or "vendor"


def connector(document: OpenApi, *, name: str, base_url: str | None, contract: str) -> Made:
    """The Connector of a document's API; `contract` is the way to the document's file."""
    address = (base_url or _server(document)).rstrip("/")
    if not _URL.fullmatch(address):
        raise click.UsageError(
            f"'{address}' is no address that a Connector can have; write --base-url https://…"
        )
    notes: list[str] = []
    auth = _auth(document, name, address, notes)
    http = {
        "baseUrl": address,
        **({"auth": auth} if auth else {}),
        "timeout": TIMEOUT,
        "connectTimeout": CONNECT_TIMEOUT,
        "contract": {"openapi": {"file": contract}},
    }
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "Connector",
        "metadata": {"name": name},
        "spec": {"http": http},
    }
    return Made(manifest, tuple(notes))


def _server(document: OpenApi) -> str:
    servers = document.objects(document.root.get("servers"))
    urls = [url for server in servers if urlsplit(url := server_url(server)).scheme]
    if not urls:
        raise click.UsageError(
            "the document names no server with an address of its own; write --base-url https://…"
        )
    return urls[0]


def _auth(document: OpenApi, name: str, address: str, notes: list[str]) -> dict[str, Any] | None:
    """The first way to prove who we are that a Connector knows."""
    unknown: list[str] = []
    for scheme_name, scheme in _schemes(document):
        auth = _of_scheme(scheme, name, address)
        if auth:
            keys = ", ".join(_keys(auth))
            notes.append(f"make the Secret '{name}' with: {keys}")
            return auth
        unknown.append(scheme_name)
    if unknown:
        notes.append(f"a Connector does not know the security scheme {', '.join(unknown)}")
    return None


def _schemes(document: OpenApi) -> Iterator[tuple[str, Node]]:
    """The schemes that operations want, those of the whole document first; each once."""
    seen: set[str] = set()
    for operation in Directory(document).all:
        for way in operation.security:
            for name in way:
                if name not in seen:
                    seen.add(name)
                    yield name, credentials.scheme(operation, name)


def _of_scheme(scheme: Node, secret: str, address: str) -> dict[str, Any] | None:
    def ref(key: str) -> dict[str, Any]:
        return {"secretKeyRef": {"name": secret, "key": key}}

    word = str(scheme.get("scheme")).lower()
    match scheme.get("type"):
        case "http" if word == "basic":
            return {"basic": {"username": ref("username"), "password": ref("password")}}
        case "http" if word == "bearer":
            return {"bearer": {"token": ref("token")}}
        case "apiKey" if scheme.get("in") in ("header", "query"):
            place = str(scheme["in"])
            return {"apiKey": {place: str(scheme.get("name")), "value": ref("key")}}
        case "oauth2":
            return _client_credentials(scheme, ref("client-id"), ref("client-secret"), address)
    return None


def _client_credentials(
    scheme: Node, client_id: dict[str, Any], secret: dict[str, Any], address: str
) -> dict[str, Any] | None:
    flows = scheme.get("flows")
    flow = flows.get("clientCredentials") if isinstance(flows, dict) else None
    if not isinstance(flow, dict) or not isinstance(flow.get("tokenUrl"), str):
        return None
    scopes = [str(scope) for scope in flow.get("scopes") or {}]
    return {
        "oauth2": {
            "tokenUrl": urljoin(f"{address}/", flow["tokenUrl"]),
            "clientId": client_id,
            "clientSecret": secret,
            **({"scopes": scopes[:32]} if scopes else {}),
        }
    }


def _keys(value: Any) -> Iterator[str]:
    """The keys of the Secret that an auth names."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name == "secretKeyRef":
            yield inner["key"]
        else:
            yield from _keys(inner)
