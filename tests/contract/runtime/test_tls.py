"""TLS of Connectors against servers that demand certificates, and the way through proxies."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import upstreams
from manifests_text import connector, route
from proxies import Proxy
from served import Serve, Start
from upstreams import Arrival, Behave, Wire, answer

CALL = "- call: {connector: erp}"
BUNDLE = {"configMapKeyRef": {"name": "trust", "key": "ca.crt"}}
OWN = {
    "certificate": {"secretKeyRef": {"name": "erp", "key": "tls.crt"}},
    "privateKey": {"secretKeyRef": {"name": "erp", "key": "tls.key"}},
}
Secure = Callable[..., Awaitable[upstreams.Upstream]]
StartProxy = Callable[..., Awaitable[Proxy]]


def line(pem: bytes) -> str:
    return pem.decode().replace("\n", "\\n")


def trusting(ca: trustme.CA) -> dict[str, str]:
    return {"configmap@trust/ca.crt": line(ca.cert_pem.bytes())}


def showing(certificate: trustme.LeafCert) -> dict[str, str]:
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    return {
        "erp/tls.crt": line(chain),
        "erp/tls.key": line(certificate.private_key_pem.bytes()),
    }


def write(folder: Path, values: dict[str, str]) -> None:
    lines = (f"{name}={value}\n" for name, value in values.items())
    (folder / "secrets.env").write_text("".join(lines))


def context(ca: trustme.CA, *, host: str = "localhost", asks: bool = False) -> ssl.SSLContext:
    """A server's, with a certificate for `host`; it may ask for one of the same CA."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host).configure_cert(made)
    if asks:
        made.verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(made)
    return made


def who(_: Arrival) -> Behave:
    """Answer with the name in the caller's certificate, and close."""

    async def behave(wire: Wire) -> bool:
        shown = wire.writer.get_extra_info("peercert") or {"subject": ()}
        names = dict(pair for part in shown["subject"] for pair in part)
        await answer(names.get("commonName"), headers=("connection: close",))(wire)
        return False

    return behave


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def secure() -> AsyncIterator[Secure]:
    started: list[upstreams.Upstream] = []

    async def start(made: ssl.SSLContext, choose: upstreams.Choose = who) -> upstreams.Upstream:
        system = upstreams.Upstream(choose, made)
        await system.start()
        started.append(system)
        return system

    yield start
    for system in started:
        await system.stop()


@pytest.fixture
async def proxy() -> AsyncIterator[StartProxy]:
    started: list[Proxy] = []

    async def start(credentials: str = "") -> Proxy:
        made = Proxy(credentials)
        await made.start()
        started.append(made)
        return made

    yield start
    for made in started:
        await made.stop()


async def test_a_bundle_of_our_own_is_trusted_and_a_server_that_asks_is_shown_who_we_are(
    serve: Serve, secure: Secure, ca: trustme.CA
) -> None:
    erp = await secure(context(ca, asks=True))
    tls = {"caBundle": BUNDLE, "clientCertificate": OWN, "minVersion": "1.3"}
    certificate = ca.issue_cert("shop", common_name="shop-1")
    served = await serve(
        connector(erp.url, tls=tls), route(CALL), secrets_in=trusting(ca) | showing(certificate)
    )

    assert (await served.get()).json() == "shop-1"


@pytest.mark.parametrize(
    ("tls", "reason", "detail"),
    [
        pytest.param(
            None,
            "Untrusted",
            "its certificate is not trusted (unable to get local issuer certificate)",
            id="the system does not know the CA",
        ),
        pytest.param(
            {"caBundle": BUNDLE, "serverName": "erp.example.com"},
            "Untrusted",
            "its certificate is not trusted (Hostname mismatch)",
            id="another name",
        ),
        pytest.param(
            {"caBundle": {"secretKeyRef": {"name": "erp", "key": "ca"}}},
            "TlsUnusable",
            "no line erp/ca=…",
            id="no bundle",
        ),
        pytest.param(
            {"caBundle": {"secretKeyRef": {"name": "erp", "key": "nonsense"}}},
            "TlsUnusable",
            "the CA bundle holds no certificate as PEM",
            id="a bundle that is none",
        ),
        pytest.param(
            {"caBundle": BUNDLE, "clientCertificate": {**OWN, "privateKey": {"secretKeyRef":
             {"name": "erp", "key": "nonsense"}}}},
            "TlsUnusable",
            "the CA bundle, or the client certificate with its private key, is not PEM, or the "
            "key is another one's or has a passphrase",
            id="a key that is none",
        ),
    ],
)  # fmt: skip
async def test_without_trust_nothing_is_sent_and_the_reason_is_told(
    serve: Serve,
    secure: Secure,
    ca: trustme.CA,
    tls: dict[str, Any] | None,
    reason: str,
    detail: str,
    logged: list[Any],
) -> None:
    erp = await secure(context(ca))
    values = trusting(ca) | showing(ca.issue_cert("shop")) | {"erp/nonsense": "canary-4711"}
    served = await serve(connector(erp.url, tls=tls), route(CALL), secrets_in=values)

    response = await served.get()

    assert response.json()["type"] == f"urn:isthmus:problem:{reason}"
    assert response.json()["detail"].startswith("erp cannot be reached: ")
    assert response.json()["detail"].endswith(detail)
    assert erp.arrivals == []
    shown = [response.text, json.dumps(logged, default=repr), await served.metrics()]
    assert all("canary-4711" not in text and "PRIVATE KEY" not in text for text in shown)


async def test_a_server_that_asks_refuses_who_shows_nothing(
    serve: Serve, secure: Secure, ca: trustme.CA
) -> None:
    erp = await secure(context(ca, asks=True))
    served = await serve(
        connector(erp.url, tls={"caBundle": BUNDLE}), route(CALL), secrets_in=trusting(ca)
    )

    assert (await served.get()).status_code == 502
    assert erp.arrivals == []


async def test_a_certificate_may_be_for_another_name(
    serve: Serve, secure: Secure, ca: trustme.CA
) -> None:
    erp = await secure(context(ca, host="erp.example.com"))
    tls = {"caBundle": BUNDLE, "serverName": "erp.example.com"}
    served = await serve(connector(erp.url, tls=tls), route(CALL), secrets_in=trusting(ca))

    assert (await served.get()).status_code == 200


async def test_a_lower_version_than_asked_for_is_not_spoken(
    serve: Serve, secure: Secure, ca: trustme.CA
) -> None:
    made = context(ca)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    erp = await secure(made)
    served = await serve(
        connector(erp.url, name="erp", tls={"caBundle": BUNDLE, "minVersion": "1.3"}),
        connector(erp.url, name="old", tls={"caBundle": BUNDLE}),
        route(CALL),
        route("- call: {connector: old}", name="old", path="/old"),
        secrets_in=trusting(ca),
    )

    assert (await served.get()).status_code == 502
    assert (await served.get("/old")).status_code == 200


async def test_new_connections_use_the_certificates_as_they_are_now(
    serve: Serve, secure: Secure, ca: trustme.CA, tmp_path: Path, logged: list[dict[str, Any]]
) -> None:
    erp = await secure(context(ca, asks=True))
    tls = {"caBundle": BUNDLE, "clientCertificate": OWN}
    first, second = (ca.issue_cert("shop", common_name=name) for name in ("first", "second"))
    served = await serve(
        connector(erp.url, tls=tls), route(CALL), secrets_in=trusting(ca) | showing(first)
    )
    told = [(await served.get()).json()]
    write(tmp_path, trusting(ca) | showing(second))
    told.append((await served.get()).json())
    half = showing(second) | {"erp/tls.key": showing(first)["erp/tls.key"]}
    write(tmp_path, trusting(ca) | half)
    told += [(await served.get()).json() for _ in range(2)]

    assert told == ["first", "second", "second", "second"]
    complaints = [entry for entry in logged if "certificates have changed" in str(entry)]
    assert len(complaints) == 1


async def test_a_ca_that_was_replaced_is_trusted_no_more(
    serve: Serve, secure: Secure, ca: trustme.CA, tmp_path: Path
) -> None:
    erp, other = await secure(context(ca)), trustme.CA()
    served = await serve(
        connector(erp.url, tls={"caBundle": BUNDLE}), route(CALL), secrets_in=trusting(ca)
    )
    assert (await served.get()).status_code == 200
    write(tmp_path, trusting(other))

    assert (await served.get()).json()["type"] == "urn:isthmus:problem:Untrusted"


async def test_a_token_endpoint_has_tls_of_its_own(
    serve: Serve, secure: Secure, upstream: Start, ca: trustme.CA
) -> None:
    tokens = await secure(context(ca), lambda _: answer({"access_token": "t"}))
    erp = await upstream(answer({}))
    value = {"secretKeyRef": {"name": "erp", "key": "id"}}
    oauth2 = {"tokenUrl": f"{tokens.url}/token", "clientId": value, "clientSecret": value}
    served = await serve(
        connector(erp.url, auth={"oauth2": {**oauth2, "tls": {"caBundle": BUNDLE}}}),
        route(CALL),
        secrets_in=trusting(ca) | {"erp/id": "shop"},
    )

    assert (await served.get()).status_code == 200
    assert erp.arrivals[0].header("authorization") == "Bearer t"


# Connections that grow old


async def test_connections_are_replaced_when_they_are_old(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url, maxConnectionAge="100ms"), route(CALL))

    async with asyncio.timeout(10):
        while erp.connections < 3:
            assert (await served.get()).status_code == 200

    assert len(erp.arrivals) > erp.connections
    assert erp.most_open <= 2


async def test_connections_that_are_never_idle_are_replaced_too(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, maxConnectionAge="100ms", maxConnections=1), route(CALL)
    )

    async def call() -> None:
        while erp.connections < 3:
            assert (await served.get()).status_code == 200

    async with asyncio.timeout(10):
        await asyncio.gather(*(call() for _ in range(4)))


# Through a proxy

USER = {
    "username": {"secretKeyRef": {"name": "proxy", "key": "user"}},
    "password": {"secretKeyRef": {"name": "proxy", "key": "password"}},
}
NAMED = {"proxy/user": "anna", "proxy/password": "canary-4711"}


@pytest.mark.parametrize("credentials", ["", "anna:canary-4711"], ids=["open", "asks who we are"])
async def test_calls_to_https_go_through_a_tunnel_that_shows_nothing(
    serve: Serve, secure: Secure, proxy: StartProxy, ca: trustme.CA, credentials: str
) -> None:
    erp, by = await secure(context(ca, asks=True)), await proxy(credentials)
    certificate = ca.issue_cert("shop", common_name="shop-1")
    served = await serve(
        connector(
            erp.url,
            tls={"caBundle": BUNDLE, "clientCertificate": OWN},
            proxy={"url": by.url, **({"auth": USER} if credentials else {})},
            headers={"X-Mark": "not-to-be-seen"},
        ),
        route(CALL),
        secrets_in=trusting(ca) | showing(certificate) | NAMED,
    )

    assert (await served.get()).json() == "shop-1"
    assert by.asked == [f"CONNECT localhost:{erp.port}"]
    assert b"not-to-be-seen" not in by.seen
    assert erp.arrivals[0].header("proxy-authorization") is None


async def test_calls_to_http_tell_the_proxy_the_whole_address(
    serve: Serve, upstream: Start, proxy: StartProxy
) -> None:
    erp, by = await upstream(answer({})), await proxy("anna:canary-4711")
    served = await serve(
        connector(f"{erp.url}/api", proxy={"url": by.url, "auth": USER}),
        route("- call: {connector: erp, method: POST, path: '/a?b=1', body: {c: 1}}"),
        secrets_in=NAMED,
    )

    assert (await served.get()).status_code == 200
    assert by.asked == [f"POST {erp.url}/api/a?b=1"]
    assert erp.arrivals[0].target == "/api/a?b=1"
    assert erp.arrivals[0].header("host") == f"127.0.0.1:{erp.port}"
    assert erp.arrivals[0].body == b'{"c":1}'


async def test_a_host_may_be_spared(serve: Serve, upstream: Start, proxy: StartProxy) -> None:
    erp, by = await upstream(answer({})), await proxy()
    served = await serve(
        connector(erp.url, proxy={"url": by.url, "noProxy": ["127.0.0.1"]}), route(CALL)
    )

    assert (await served.get()).status_code == 200
    assert by.asked == []


async def test_a_proxy_that_refuses_is_told_of_without_what_it_was_shown(
    serve: Serve, secure: Secure, proxy: StartProxy, ca: trustme.CA, logged: list[Any]
) -> None:
    erp, by = await secure(context(ca)), await proxy("somebody:else")
    served = await serve(
        connector(erp.url, tls={"caBundle": BUNDLE}, proxy={"url": by.url, "auth": USER}),
        route(CALL),
        secrets_in=trusting(ca) | NAMED,
    )

    response = await served.get()

    assert response.json()["type"] == "urn:isthmus:problem:ProxyRefused"
    assert response.json()["detail"] == "erp cannot be reached: the proxy answered 407"
    assert "canary" not in response.text + json.dumps(logged, default=repr)
    assert erp.arrivals == []
