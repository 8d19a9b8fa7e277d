"""Who may call a Route, shown on real sockets."""

import asyncio
import base64
import json
import time
from typing import Any

import issuers
import pytest
from issuers import Published, ec_key, ed_key, rsa_key, sent, token
from manifests_text import connector, route
from served import Serve, Start, problem

WHO = "- map: {expression: '{\"caller\": $request.caller}'}"
SECRETS = {
    "shop/nl": "canary-nl",
    "shop/be": "canary-be",
    "shop/user": "canary-user",
    "shop/password": "canary-password",
}


def ref(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": "shop", "key": key}}


def held(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "value": ref(name)} for name in names]


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


KEYS = {"apiKey": {"header": "X-Api-Key", "keys": held("nl", "be")}}
TOKENS = {"bearer": {"tokens": held("nl", "be")}}
USERS = {
    "basic": {"users": [{"name": "till", "username": ref("user"), "password": ref("password")}]}
}
CERTIFICATE = {
    "clientCertificate": {
        "header": "Ssl-Client-Subject-Dn",
        "ingress": ["127.0.0.0/8"],
        "verified": {"header": "Ssl-Client-Verify", "value": "SUCCESS"},
        "certificates": [{"name": "erp", "value": "CN=erp,O=Example"}],
    }
}
VERIFIED = {"ssl-client-verify": "SUCCESS"}
ERP = {**VERIFIED, "ssl-client-subject-dn": "CN=erp,O=Example"}

KNOWN: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "the first key": (KEYS, {"x-api-key": "canary-nl"}, "nl"),
    "the second key": (KEYS, {"x-api-key": "canary-be"}, "be"),
    "a token": (TOKENS, {"authorization": "Bearer canary-be"}, "be"),
    "a user": (USERS, basic("canary-user:canary-password"), "till"),
    "a certificate": (CERTIFICATE, ERP, "erp"),
    "a key behind a certificate": (
        {**CERTIFICATE, **KEYS},
        {**ERP, "x-api-key": "canary-nl"},
        "erp",
    ),
}


@pytest.mark.parametrize(("auth", "headers", "name"), KNOWN.values(), ids=KNOWN)
async def test_a_caller_is_known_by_its_name(
    serve: Serve,
    logged: list[dict[str, Any]],
    auth: dict[str, Any],
    headers: dict[str, str],
    name: str,
) -> None:
    it = await serve(route(WHO, auth=auth), secrets_in=SECRETS)

    response = await it.get(headers=headers)

    assert (response.status_code, response.json()) == (200, {"caller": {"name": name}})
    assert logged[-1]["caller"] == name
    counted = f'isthmus_route_caller_requests_total{{caller="{name}",namespace="default"'
    measured = await it.metrics()
    assert counted in measured
    assert "canary" not in repr(logged) + measured + response.text


STRANGERS: dict[str, tuple[dict[str, Any], dict[str, str], int, str, str | None]] = {
    "no key": (KEYS, {}, 401, "BadApiKey", 'ApiKey realm="default/it"'),
    "another key": (KEYS, {"x-api-key": "canary"}, 401, "BadApiKey", 'ApiKey realm="default/it"'),
    "an empty key": (KEYS, {"x-api-key": ""}, 401, "BadApiKey", 'ApiKey realm="default/it"'),
    "no token": (TOKENS, {}, 401, "BadToken", 'Bearer realm="default/it"'),
    "another password": (
        USERS,
        basic("canary-user:x"),
        401,
        "BadCredentials",
        'Basic realm="default/it", charset="UTF-8"',
    ),
    "no certificate": (CERTIFICATE, VERIFIED, 403, "BadCertificate", None),
    "another certificate": (
        CERTIFICATE,
        {**VERIFIED, "ssl-client-subject-dn": "CN=other"},
        403,
        "BadCertificate",
        None,
    ),
    "a certificate that was not verified": (
        CERTIFICATE,
        {**ERP, "ssl-client-verify": "FAILED"},
        403,
        "CertificateNotVerified",
        None,
    ),
    "a certificate that somebody else tells of": (
        {"clientCertificate": {**CERTIFICATE["clientCertificate"], "ingress": ["10.0.0.0/8"]}},
        {**ERP, "x-forwarded-for": "10.0.0.1"},
        403,
        "CertificateNotVerified",
        None,
    ),
    "another address": ({"allowFrom": ["10.0.0.0/8"]}, {}, 403, "AddressNotAllowed", None),
}


@pytest.mark.parametrize(
    ("auth", "headers", "status", "reason", "challenge"), STRANGERS.values(), ids=STRANGERS
)
async def test_a_stranger_is_told_what_is_wrong_and_nothing_runs(
    serve: Serve,
    upstream: Start,
    logged: list[dict[str, Any]],
    auth: dict[str, Any],
    headers: dict[str, str],
    status: int,
    reason: str,
    challenge: str | None,
) -> None:
    erp = await upstream()
    it = await serve(
        connector(erp.url), route("- call: {connector: erp}", auth=auth), secrets_in=SECRETS
    )

    response = await it.get(headers=headers)

    assert response.status_code == status
    assert response.headers.get("www-authenticate") == challenge
    assert problem(response)["type"] == f"urn:isthmus:problem:{reason}"
    assert erp.arrivals == []
    assert logged[-1]["reason"] == reason
    assert "canary" not in response.text + repr(logged)
    counted = f'isthmus_route_refusals_total{{namespace="default",reason="{reason}",route="it"}}'
    assert counted in await it.metrics()


async def test_a_header_that_comes_twice_proves_nothing(serve: Serve) -> None:
    it = await serve(route(WHO, auth=KEYS), secrets_in=SECRETS)

    response = await it.get(headers=[("x-api-key", "canary-nl"), ("x-api-key", "x")])

    assert response.status_code == 401


async def test_a_secret_that_is_missing_keeps_out_its_caller_alone(serve: Serve) -> None:
    it = await serve(route(WHO, auth=KEYS), secrets_in={"shop/nl": "canary-nl"})

    known = await it.get(headers={"x-api-key": "canary-nl"})
    other = await it.get(headers={"x-api-key": "canary-be"})

    assert known.status_code == 200
    assert (other.status_code, other.headers["retry-after"]) == (503, "30")
    assert problem(other)["type"] == "urn:isthmus:problem:SecretMissing"


async def test_a_route_that_is_open_asks_nothing(serve: Serve) -> None:
    it = await serve(route("- map: {expression: $request.method}", open=True))

    assert (await it.get()).json() == "GET"


JWT: dict[str, Any] = {"issuer": issuers.ISSUER, "audience": ["till", issuers.AUDIENCE]}
ONE, TWO = rsa_key("one"), rsa_key("two")


def given(*keys: issuers.Key, **spec: Any) -> dict[str, Any]:
    return {"jwt": {**JWT, "keys": [key.jwk for key in keys], **spec}}


PS = rsa_key("ps", "PS256")
TAKEN: dict[str, tuple[dict[str, Any], str]] = {
    "RS256": (given(ONE), token(ONE, sub="jan")),
    "ES256 beside others": (given(ONE, ec_key("ec")), token(ec_key("ec"), sub="jan")),
    "EdDSA": (given(ed_key("ed"), algorithms=["EdDSA"]), token(ed_key("ed"), sub="jan")),
    "PS256": (given(PS, algorithms=["PS256"]), token(PS, sub="jan")),
    "no key id": (given(ONE, ec_key("ec")), token(ONE, headers={"kid": None}, sub="jan")),
    "several audiences": (given(ONE), token(ONE, aud=["a", "till"], sub="jan")),
    "a word of scope": (
        given(ONE, claims={"scope": ["orders", "stock"]}),
        token(ONE, scope="profile stock", sub="jan"),
    ),
    "an element of a list": (
        given(ONE, claims={"roles": ["b"]}),
        token(ONE, roles=["a", "b"], sub="jan"),
    ),
    "a claim of any value": (given(ONE, claims={"tenant": []}), token(ONE, tenant=7, sub="jan")),
    "a claim that is a number": (
        given(ONE, claims={"tenant": ["7"]}),
        token(ONE, tenant=7, sub="jan"),
    ),
    "an end that is written as text": (
        given(ONE),
        token(ONE, exp=str(int(time.time()) + 3600), sub="jan"),
    ),
    "clocks apart": (given(ONE, leeway="24h"), token(ONE, exp=int(time.time()) - 60, sub="jan")),
}


@pytest.mark.parametrize(("auth", "sign"), TAKEN.values(), ids=TAKEN)
async def test_a_token_that_holds_is_taken_and_its_claims_are_read(
    serve: Serve, auth: dict[str, Any], sign: str
) -> None:
    it = await serve(route(WHO, auth=auth))

    response = await it.get(headers=sent(sign))

    assert response.status_code == 200, response.text
    caller = response.json()["caller"]
    assert (caller["name"], caller["claims"]["iss"]) == ("jan", issuers.ISSUER)


def forged(head: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    def part(text: bytes) -> str:
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    parts = (json.dumps(head).encode(), json.dumps(payload).encode(), signature)
    return ".".join(part(text) for text in parts)


CLAIMS = {"iss": issuers.ISSUER, "aud": issuers.AUDIENCE, "exp": int(time.time()) + 86_400}
REFUSED: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "signed by another key of that name": (
        given(ONE),
        token(issuers.Key("one", "RS256", TWO.private)),
        401,
        "BadTokenSignature",
    ),
    "a key that nobody published": (given(ONE), token(TWO), 401, "UnknownKey"),
    "signed by nobody": (
        given(ONE),
        forged({"alg": "none", "kid": "one"}, CLAIMS),
        401,
        "BadTokenAlgorithm",
    ),
    "signed with the public key as a secret": (
        given(ONE),
        forged({"alg": "HS256", "kid": "one"}, CLAIMS, b"x" * 32),
        401,
        "BadTokenAlgorithm",
    ),
    "an algorithm that is not allowed": (
        given(ec_key("ec"), algorithms=["RS256"]),
        token(ec_key("ec")),
        401,
        "BadTokenAlgorithm",
    ),
    "an algorithm that the key is not for": (
        given(ec_key("ec"), ONE),
        token(issuers.Key("ec", "RS256", ONE.private)),
        401,
        "UnknownKey",
    ),
    "two keys and no name": (given(ONE, TWO), token(ONE, headers={"kid": None}), 401, "UnknownKey"),
    "critical extensions": (given(ONE), token(ONE, headers={"crit": ["b64"]}), 401, "BadToken"),
    "expired": (given(ONE), token(ONE, exp=int(time.time()) - 60), 401, "TokenExpired"),
    "of tomorrow": (given(ONE), token(ONE, nbf=int(time.time()) + 86_400), 401, "TokenNotYetValid"),
    "without an end": (given(ONE), token(ONE, exp=None), 401, "TokenIncomplete"),
    "for another": (given(ONE), token(ONE, aud="other"), 401, "TokenForAnother"),
    "for nobody": (given(ONE), token(ONE, aud=None), 401, "TokenIncomplete"),
    "of another issuer": (given(ONE), token(ONE, iss="https://other"), 401, "TokenOfAnother"),
    "without a claim": (
        given(ONE, claims={"scope": ["orders"]}),
        token(ONE),
        403,
        "ClaimNotAllowed",
    ),
    "with half a word of a claim": (
        given(ONE, claims={"scope": ["order"]}),
        token(ONE, scope="orders"),
        403,
        "ClaimNotAllowed",
    ),
    "no token": (given(ONE), "x", 401, "BadToken"),
}


@pytest.mark.parametrize(("auth", "sign", "status", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_token_that_does_not_hold_is_refused(
    serve: Serve,
    logged: list[dict[str, Any]],
    auth: dict[str, Any],
    sign: str,
    status: int,
    reason: str,
) -> None:
    it = await serve(route(WHO, auth=auth))

    response = await it.get(headers=sent(sign))

    assert response.status_code == status
    assert problem(response)["type"] == f"urn:isthmus:problem:{reason}"
    assert response.headers["www-authenticate"].startswith('Bearer realm="default/it", error="')
    assert sign not in response.text + repr(logged) or sign == "x"


async def test_a_request_without_a_token_is_asked_for_one(serve: Serve) -> None:
    it = await serve(route(WHO, auth=given(ONE)))

    response = await it.get()

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="default/it"'


async def test_an_issuers_keys_are_fetched_once_for_many_requests(
    serve: Serve, upstream: Start
) -> None:
    published = Published([ONE], held=asyncio.Event())
    issuer = await upstream(published)
    auth = {"jwt": {**JWT, "jwksUrl": f"{issuer.url}/keys?a=1"}}
    it = await serve(route(WHO, auth=auth), route(WHO, name="other", path="/other", auth=auth))

    asked = [
        asyncio.create_task(it.get(path, headers=sent(token(ONE, sub="jan"))))
        for path in ("/it", "/other", "/it", "/other")
    ]
    await issuer.until(lambda it: len(it.arrivals) == 1)
    assert published.held is not None
    published.held.set()
    answers = await asyncio.gather(*asked)

    assert [each.status_code for each in answers] == [200] * 4
    assert [arrival.target for arrival in issuer.arrivals] == ["/keys?a=1"]
    assert 'isthmus_jwks_fetches_total{result="fetched"} 1.0' in await it.metrics()


async def test_without_keys_nobody_can_be_verified_and_it_says_so(
    serve: Serve, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    issuer = await upstream(Published([ONE], fails=True))
    it = await serve(route(WHO, auth={"jwt": {**JWT, "jwksUrl": issuer.url}}))

    response = await it.get(headers=sent(token(ONE)))

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert problem(response)["type"] == "urn:isthmus:problem:KeysUnavailable"
    assert "the keys of tokens cannot be had" in [line["event"] for line in logged]
