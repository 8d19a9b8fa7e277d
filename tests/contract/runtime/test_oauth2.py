"""OAuth 2.0 against an authorization server that others wrote: every grant, and what is kept."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from authorization_server import CLIENT, PASSWORD, SECRET, USER, AuthorizationServer, Client
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Arrival, Behave, answer

from isthmus_runtime import secrets

CALL = "- call: {connector: erp, method: POST}"
Begin = Callable[..., AuthorizationServer]


def ref(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": "erp", "key": key}}


BOTH = {"clientId": ref("id"), "clientSecret": ref("secret")}
VALUES = {
    "erp/id": CLIENT,
    "erp/secret": SECRET,
    "erp/user": USER,
    "erp/password": PASSWORD,
    "erp/refresh": "first",
}
REFUSED = (
    "the token endpoint answered 400 (invalid_grant): it does not take what the Secret 'erp' holds"
)
REFRESH = {**BOTH, "refreshToken": {"token": ref("refresh")}}


@pytest.fixture
def begin() -> Iterator[Begin]:
    begun: list[AuthorizationServer] = []

    def start(method: str = "client_secret_basic", **more: Any) -> AuthorizationServer:
        server = AuthorizationServer(Client(method), **more)
        server.start()
        begun.append(server)
        return server

    yield start
    for server in begun:
        server.stop()


def lets_in(server: AuthorizationServer) -> Callable[[Arrival], Behave]:
    """A system that takes the tokens of a server."""

    def check(arrival: Arrival) -> Behave:
        return answer({}, status=200 if arrival.header("authorization") in server.good else 401)

    return check


def keys(algorithm: str) -> tuple[str, str]:
    """A private key as a Secret has it on one line, and its public key."""
    private = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if algorithm == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return secret.decode().replace("\n", "\\n"), public.decode()


@pytest.mark.parametrize(
    ("method", "spec", "user"),
    [
        pytest.param("client_secret_basic", BOTH, None, id="client"),
        pytest.param(
            "client_secret_post",
            {**BOTH, "clientAuthentication": "body"},
            None,
            id="client in the form",
        ),
        pytest.param(
            "client_secret_basic",
            {**BOTH, "password": {"username": ref("user"), "password": ref("password")}},
            USER,
            id="password",
        ),
        pytest.param(
            "none",
            {
                "clientId": ref("id"),
                "password": {"username": ref("user"), "password": ref("password")},
            },
            USER,
            id="password of a public client",
        ),
        pytest.param("client_secret_basic", REFRESH, USER, id="refresh token"),
    ],
)
async def test_the_server_gives_a_token_that_the_system_takes(
    serve: Serve, upstream: Start, begin: Begin, method: str, spec: dict[str, Any], user: str | None
) -> None:
    server = begin(method)
    server.refreshed.append("first")
    erp = await upstream(lets_in(server))
    auth = {"oauth2": {"tokenUrl": server.url, "scopes": ["read"], **spec}}
    served = await serve(connector(erp.url, auth=auth), route(CALL), secrets_in=VALUES)

    answered = await asyncio.gather(*(served.get() for _ in range(5)))

    assert {response.status_code for response in answered} == {200}
    (issued,) = server.issued
    assert issued.user == user
    assert server.forms[0]["scope"] == "read"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_statement_that_our_key_signs_gives_a_token(
    serve: Serve, upstream: Start, begin: Begin, algorithm: str
) -> None:
    private, public = keys(algorithm)
    server = begin(public_key=public, algorithm=algorithm)
    erp = await upstream(lets_in(server))
    grant = {"algorithm": algorithm, "privateKey": ref("key"), "subject": USER, "keyId": "k1"}
    auth = {"oauth2": {"tokenUrl": server.url, "clientId": ref("id"), "jwtBearer": grant}}
    given = {**VALUES, "erp/key": private}
    served = await serve(connector(erp.url, auth=auth), route(CALL), secrets_in=given)

    assert (await served.get()).status_code == 200
    assert [issued.user for issued in server.issued] == [USER]


async def test_a_statement_signed_with_another_key_gets_nothing(
    serve: Serve, upstream: Start, begin: Begin
) -> None:
    server = begin(public_key=keys("RS256")[1])
    erp = await upstream(lets_in(server))
    auth = {
        "oauth2": {
            "tokenUrl": server.url,
            "jwtBearer": {"privateKey": ref("key"), "issuer": CLIENT},
        }
    }
    given = {**VALUES, "erp/key": keys("RS256")[0]}
    served = await serve(connector(erp.url, auth=auth), route(CALL), secrets_in=given)

    response = await served.get()

    assert response.json()["detail"] == f"erp cannot sign in: {REFUSED}"
    assert erp.arrivals == []


@pytest.mark.parametrize(
    "private", ["canary-4711", keys("ES256")[0]], ids=["no key", "another kind of key"]
)
async def test_a_key_that_is_none_is_named_and_not_shown(
    serve: Serve, upstream: Start, begin: Begin, private: str
) -> None:
    server = begin(public_key=keys("RS256")[1])
    erp = await upstream(lets_in(server))
    grant = {"privateKey": ref("key"), "issuer": CLIENT}
    auth = {"oauth2": {"tokenUrl": server.url, "jwtBearer": grant}}
    served = await serve(
        connector(erp.url, auth=auth), route(CALL), secrets_in={"erp/key": private}
    )

    response = await served.get()

    assert response.json()["detail"] == (
        "erp cannot sign in: the key 'key' of the Secret 'erp' is no private key for RS256; write "
        "it as PEM, without a passphrase"
    )
    assert server.forms == []


async def test_of_refresh_tokens_that_are_replaced_the_newest_is_used(
    serve: Serve, upstream: Start, begin: Begin
) -> None:
    server = begin()
    server.refreshed.append("first")
    taken: list[str] = []

    def once(arrival: Arrival) -> Behave:
        """Each token is good for one call, so that the next needs another."""
        shown = arrival.header("authorization") or ""
        if shown not in server.good or shown in taken:
            return answer(status=401)
        taken.append(shown)
        return answer({})

    erp = await upstream(once)
    auth = {"oauth2": {"tokenUrl": server.url, **REFRESH}}
    served = await serve(connector(erp.url, auth=auth), route(CALL), secrets_in=VALUES)

    for _ in range(3):
        assert (await served.get()).status_code == 200

    assert [form["refresh_token"] for form in server.forms] == server.refreshed[:3]


async def test_a_refresh_token_that_somebody_writes_anew_counts(
    serve: Serve, upstream: Start, begin: Begin, tmp_path: Any
) -> None:
    server = begin()
    erp = await upstream(lets_in(server))
    auth = {"oauth2": {"tokenUrl": server.url, **REFRESH}}
    served = await serve(connector(erp.url, auth=auth), route(CALL), secrets_in=VALUES)
    refused = await served.get()
    server.refreshed.append("second")
    lines = (f"{name}={value}\n" for name, value in {**VALUES, "erp/refresh": "second"}.items())
    (tmp_path / "secrets.env").write_text("".join(lines))

    assert refused.json()["detail"] == f"erp cannot sign in: {REFUSED}"
    assert (await served.get()).status_code == 200


async def test_no_credential_of_any_grant_is_seen(
    serve: Serve, upstream: Start, begin: Begin, logged: list[Any]
) -> None:
    server = begin()
    erp = await upstream(answer(status=401))
    canary = "canary-4711"
    password = {"username": ref("user"), "password": ref("password")}
    specs = {"client": BOTH, "password": {**BOTH, "password": password}, "refresh": REFRESH}
    documents = []
    for name, spec in specs.items():
        auth = {"oauth2": {"tokenUrl": server.url, **spec}}
        documents.append(connector(erp.url, name=name, auth=auth))
        documents.append(route(f"- call: {{connector: {name}}}", name=name, path=f"/{name}"))
    served = await serve(*documents, secrets_in=dict.fromkeys(VALUES, canary))

    answered = [await served.get(f"/{name}") for name in specs]

    shown = [response.text + str(response.headers) for response in answered]
    shown += [(await served.admin.get(page)).text for page in ("/status", "/metrics")]
    shown.append(json.dumps(logged, default=repr))
    assert {response.json()["type"] for response in answered} == {
        "urn:isthmus:problem:SignInFailed"
    }
    assert all(canary not in text for text in shown)
    assert any(form.get("password") == canary for form in server.forms)


def test_an_env_file_may_hold_a_key_on_one_line(tmp_path: Any) -> None:
    file = tmp_path / "secrets.env"
    file.write_text(f"erp/key={keys('ES256')[0]}\n")

    assert secrets.parse(file.read_text(), file="f")["erp/key"].startswith("-----BEGIN")
