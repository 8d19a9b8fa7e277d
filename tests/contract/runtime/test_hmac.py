"""HMAC: calls that a system lets in only when their signature is that of what it got."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Arrival, Behave, answer

KEY = b"k\x00ey of the erp"
VALUES = {"erp/key": base64.b64encode(KEY).decode(), "erp/id": "client-7"}
CALL = """
- call:
    connector: erp
    method: POST
    path: "/orders/{% $request.query.id %}"
    query: {b: "2", a: "é 1"}
    headers: {X-Shop: nl}
    body: {name: "é", number: 1.50}
"""
SPEC: dict[str, Any] = {
    "secret": {"secretKeyRef": {"name": "erp", "key": "key"}},
    "secretEncoding": "base64",
    "secrets": {"id": {"secretKeyRef": {"name": "erp", "key": "id"}}},
    "signed": "{% $method %}\n{% $host %}\n{% $path %}\n{% $query %}\n{% $headers.'x-shop' %}\n"
    "{% $timestamp %}\n{% $nonce %}\n{% $body %}",
    "headers": {
        "X-Signature": "v1={% $signature %}",
        "X-Time": "{% $timestamp %}",
        "X-Nonce": "{% $nonce %}",
        "X-Client": "{% $secrets.id %}",
    },
}


class Checker:
    """Makes the signature itself, of the bytes that came; a nonce is good once."""

    def __init__(self, *, algorithm: str = "sha256", encoding: str = "hex") -> None:
        self.algorithm = algorithm
        self.encoding = encoding
        self.nonces: set[str | None] = set()
        self.busy = 0

    def __call__(self, arrival: Arrival) -> Behave:
        fits = arrival.header("x-signature") == "v1=" + self._expected(arrival)
        nonce = arrival.header("x-nonce")
        is_new = nonce not in self.nonces
        self.nonces.add(nonce)
        if not fits or not is_new or arrival.header("x-client") != "client-7":
            return answer({}, status=401)
        self.busy -= 1
        return answer({}, status=503 if self.busy >= 0 else 200)

    def _expected(self, arrival: Arrival) -> str:
        path, _, query = arrival.target.partition("?")
        parts = [arrival.method, arrival.header("host"), path, query, arrival.header("x-shop")]
        parts += [arrival.header("x-time"), arrival.header("x-nonce")]
        text = "\n".join(str(part) for part in parts).encode() + b"\n" + arrival.body
        digest = hmac.new(KEY, text, getattr(hashlib, self.algorithm)).digest()
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
async def test_a_signature_is_that_of_the_bytes_that_are_sent(
    serve: Serve, upstream: Start, algorithm: str, encoding: str
) -> None:
    erp = await upstream(Checker(algorithm=algorithm, encoding=encoding))
    spec = {**SPEC, "algorithm": algorithm, "encoding": encoding}
    served = await serve(
        connector(f"{erp.url}/api", auth={"hmac": spec}), route(CALL), secrets_in=VALUES
    )

    assert (await served.get(params={"id": "a/b ü"})).status_code == 200
    assert erp.arrivals[0].target == "/api/orders/a%2Fb%20%C3%BC?b=2&a=%C3%A9%201"


async def test_each_attempt_has_a_signature_of_its_own(serve: Serve, upstream: Start) -> None:
    checker = Checker()
    checker.busy = 2
    erp = await upstream(checker)
    served = await serve(
        connector(
            erp.url,
            auth={"hmac": SPEC},
            retry={"attempts": 3, "backoff": {"initial": "1ms"}},
        ),
        route(CALL.replace("POST", "PUT")),
        secrets_in=VALUES,
    )

    assert (await served.get(params={"id": "1"})).status_code == 200
    assert len(checker.nonces) == 3


async def test_what_is_changed_on_the_way_is_refused(serve: Serve, upstream: Start) -> None:
    """The test above would hold of a system that checks nothing."""
    checker = Checker()

    def tamper(arrival: Arrival) -> Behave:
        changed = arrival.body.replace(b"1.5", b"9.5")
        assert changed != arrival.body
        return checker(
            Arrival(arrival.at, arrival.method, arrival.target, arrival.headers, changed)
        )

    erp = await upstream(tamper)
    served = await serve(connector(erp.url, auth={"hmac": SPEC}), route(CALL), secrets_in=VALUES)

    response = await served.get(params={"id": "1"})

    assert response.json()["detail"] == "erp answered 401"
    assert len(erp.arrivals) == 1


@pytest.mark.parametrize(
    ("body_hash", "expected"),
    [
        ({}, hashlib.sha256(b'{"a":1}').hexdigest()),
        (
            {"algorithm": "md5", "encoding": "base64"},
            base64.b64encode(hashlib.md5(b'{"a":1}').digest()).decode(),  # noqa: S324 - theirs
        ),
    ],
    ids=["by default", "as Content-MD5"],
)
@pytest.mark.parametrize("timestamp", ["seconds", "milliseconds", "iso8601"])
async def test_a_signature_in_the_query_over_a_hash_of_the_body(
    serve: Serve, upstream: Start, body_hash: dict[str, str], expected: str, timestamp: str
) -> None:
    erp = await upstream(answer({}))
    spec = {
        "secret": SPEC["secret"],
        "signed": "{% $join($sort($keys($parameters)).($ & $lookup($parameters, $))) %}"
        "{% $bodyHash %}{% $timestamp %}",
        "bodyHash": body_hash,
        "timestamp": timestamp,
        "query": {"sign": "{% $signature %}", "t": "{% $timestamp %}"},
    }
    served = await serve(
        connector(erp.url, auth={"hmac": spec}),
        route(
            "- call: {connector: erp, method: POST, path: '/a?z=1', query: {b: '2'}, body: {a: 1}}"
        ),
        secrets_in={"erp/key": "plain"},
    )

    assert (await served.get()).status_code == 200
    [(sign,), (at,)] = (erp.arrivals[0].query[name] for name in ("sign", "t"))
    text = f"b2z1{expected}{at}".encode()
    assert sign == hmac.new(b"plain", text, hashlib.sha256).hexdigest()
    assert len(at) == {"seconds": 10, "milliseconds": 13, "iso8601": 20}[timestamp]


CANARY = "canary-4711"


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        pytest.param({}, "the key 'key' of the Secret 'erp' is not written in base64", id="a key"),
        pytest.param(
            {"secretEncoding": "text", "signed": "{% $number($secrets.id) %}"},
            "auth.hmac.signed cannot be made [D3030]",
            id="an expression that fails",
        ),
        pytest.param(
            {"secretEncoding": "text", "headers": {"X-A": '{% $secrets.id & "\\n" %}'}},
            "auth.hmac.headers.X-A cannot be made [TemplateRefused]",
            id="a header that is none",
        ),
    ],
)
async def test_what_cannot_be_signed_is_not_sent(
    serve: Serve, upstream: Start, more: dict[str, Any], detail: str, logged: list[Any]
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, auth={"hmac": {**SPEC, **more}}),
        route(CALL),
        secrets_in=dict.fromkeys(VALUES, CANARY),
    )

    response = await served.get(params={"id": "1"})

    assert response.json()["type"] == "urn:isthmus:problem:SignInFailed"
    assert response.json()["detail"] == f"erp cannot sign in: {detail}"
    assert erp.arrivals == []
    shown = [response.text, json.dumps(logged, default=repr), await served.metrics()]
    assert all(CANARY not in text for text in shown)
