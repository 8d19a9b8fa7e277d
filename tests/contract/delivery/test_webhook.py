"""A webhook takes messages, and says so only when they are safe."""

import asyncio
import base64
import hmac
import json
import time
from typing import Any

import pytest
from carriers import Carry
from manifests_text import connector, delivering
from served import Start, problem
from upstreams import answer

SEND = "- call: {connector: erp, method: POST, path: /orders}"
KEEP = "- filter: '{% false %}'"
SECRETS = {"shop/key": "canary-key", "shop/user": "jan", "shop/old": "b2xkLWtleQ=="}


def ref(key: str = "key") -> dict[str, Any]:
    return {"secretKeyRef": {"name": "shop", "key": key}}


BEARER = {"tokens": [{"name": "shop", "value": ref()}]}
BASIC = {"users": [{"name": "shop", "username": ref("user"), "password": ref()}]}


def keys(place: str, name: str) -> dict[str, Any]:
    return {place: name, "keys": [{"name": "shop", "value": ref()}]}


def webhook(**spec: Any) -> dict[str, Any]:
    given = {"path": "/hook", **spec}
    return {"webhook": given if "verify" in spec else {"open": True, **given}}


async def test_a_message_is_accepted_and_delivered(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer({"number": 7}))
    it = await carry(connector(erp.url), delivering(webhook(), SEND))

    response = await it.post(json={"order": 1})
    (kept,) = await it.until_settled(1)

    assert (response.status_code, response.json()) == (202, {"accepted": 1})
    assert (kept.state, kept.attempts) == ("finished", 1)
    assert [arrival.body for arrival in erp.arrivals] == [b'{"order":1}']


async def test_a_body_is_delivered_as_it_came(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    it = await carry(connector(erp.url), delivering(webhook(), SEND))
    sent = b'{ "id": 12345678901234567890, "n": 1.10 }'

    await it.post(content=sent, headers={"content-type": "application/json; charset=utf-8"})
    await it.post(content=b"<a/>", headers={"content-type": "application/xml"})
    await it.until_settled(2)

    came = {arrival.body: arrival.header("content-type") for arrival in erp.arrivals}
    assert came == {
        sent: "application/json; charset=utf-8",
        b"<a/>": "application/xml",
    }


async def test_steps_read_of_the_request_what_was_kept_and_no_credentials(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream()
    it = await carry(
        connector(erp.url),
        delivering(
            webhook(
                path="/hook/{shop}",
                verify={"apiKey": keys("header", "X-Api-Key")},
            ),
            """
            - call:
                connector: erp
                path: "/{% $request.params.shop %}"
                query: {topic: "{% $request.headers.'x-topic' %}", q: "{% $request.query.q %}"}
            """,
        ),
        secrets_in=SECRETS,
    )
    credentials = {"x-api-key": "canary-key", "authorization": "canary-a", "cookie": "canary-c"}

    response = await it.post(
        "/hook/nl?q=1", json={}, headers={"x-topic": "orders/create", **credentials}
    )
    (kept,) = await it.until_settled(1)

    assert response.status_code == 202
    assert kept.state == "finished", kept.detail
    assert erp.arrivals[0].target == "/nl?topic=orders%2Fcreate&q=1"
    assert b"canary" not in kept.request
    assert b"canary" not in kept.journey


async def test_each_element_of_a_split_is_a_message(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    it = await carry(
        connector(erp.url),
        delivering(
            webhook(split="{% orders %}"),
            SEND,
            message={"key": "{% n %}"},
            delivery={"order": "key"},
        ),
    )

    several = await it.post(json={"orders": [{"n": 1}, {"n": 2}]})
    none = await it.post(json={"orders": []})
    single = await it.post(json={"orders": {"n": 12345678901234567890}})
    kept = await it.until_settled(3)

    assert [several.json(), none.json(), single.json()] == [
        {"accepted": 2},
        {"accepted": 0},
        {"accepted": 1},
    ]
    assert [each.key for each in kept] == ["1", "2", "12345678901234567890"]
    assert kept[-1].body == b'{"n":12345678901234567890}'


async def test_the_sender_gets_the_reply_it_wants(carry: Carry) -> None:
    reply = {
        "status": 200,
        "headers": {"x-first": "{% $messages[0].id %}"},
        "body": {"ok": True, "of": "{% $messages.key %}", "echo": "{% token %}"},
    }
    it = await carry(
        delivering(webhook(reply=reply), KEEP, message={"key": "{% n %}"}),
    )

    response = await it.post(json={"n": 7, "token": "t"})
    (kept,) = await it.until_settled(1)

    assert response.status_code == 200
    assert response.json() == {"ok": True, "of": "7", "echo": "t"}
    assert response.headers["x-first"] == kept.uid


async def test_a_reply_that_fails_does_not_have_messages_sent_again(
    carry: Carry, logged: list[dict[str, Any]]
) -> None:
    it = await carry(delivering(webhook(reply={"body": "{% $error('no') %}"}), KEEP))

    response = await it.post(json={})
    await it.until_settled(1)

    assert (response.status_code, response.json()) == (202, {"accepted": 1})
    assert "the reply of a webhook failed; its messages are accepted" in [
        line["event"] for line in logged
    ]


CHALLENGES = {
    "by the webhook's own method": (None, "POST"),
    "by a method of its own": ("GET", "GET"),
}


@pytest.mark.parametrize(("method", "used"), CHALLENGES.values(), ids=CHALLENGES.keys())
async def test_a_challenge_is_answered_and_leaves_no_message(
    carry: Carry, method: str | None, used: str
) -> None:
    challenge = {
        **({"method": method} if method else {}),
        "when": "{% $exists($request.query.challenge) %}",
        "respond": {
            "headers": {"content-type": "text/plain"},
            "body": "{% $request.query.challenge %}",
        },
    }
    verify = {"bearer": BEARER}
    it = await carry(
        delivering(webhook(verify=verify, challenge=challenge), KEEP), secrets_in=SECRETS
    )

    response = await it.http.request(used, "/hook?challenge=abc")
    other = await it.http.request(used, "/hook")

    assert (response.status_code, response.text) == (200, "abc")
    assert other.status_code in (401, 405)
    assert await it.messages() == []


def signed(body: bytes, key: bytes = b"canary-key", algorithm: str = "sha256") -> bytes:
    return hmac.digest(key, body, algorithm)


BODY = b'{"order": 1}'
NOW = int(time.time())
DAY = 86_400
"""The tolerance: requests are signed when tests are collected, and sent some time later."""
SVIX = {
    "header": "svix-signature",
    "encoding": "base64",
    "prefix": "v1,",
    "timestamp": "{% $request.headers.'svix-timestamp' %}",
    "signed": "{% $request.headers.'svix-id' %}.{% $timestamp %}.{% $body %}",
    "secret": ref("old"),
    "secretEncoding": "base64",
    "tolerance": "24h",
}
STRIPE = {
    "header": "stripe-signature",
    "prefix": "v1=",
    "timestamp": "{% $match($request.headers.'stripe-signature', /t=(\\d+)/).groups[0] %}",
    "signed": "{% $timestamp %}.{% $body %}",
    "secret": ref(),
    "tolerance": "24h",
}


def svix(at: int = NOW, *, body: bytes = BODY) -> dict[str, str]:
    text = base64.b64encode(signed(b"m1.%d." % at + body, b"old-key")).decode()
    return {"svix-id": "m1", "svix-timestamp": str(at), "svix-signature": f"v1,bm8= v1,{text}"}


def stripe(at: int = NOW, signature: bytes | None = None) -> dict[str, str]:
    text = (signature or signed(b"%d." % at + BODY)).hex()
    return {"stripe-signature": f"t={at},v1={'0' * 64},v1={text}"}


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


HMAC: dict[str, Any] = {"header": "X-Signature", "prefix": "sha256=", "secret": ref()}
HEX = signed(BODY).hex()
MILLIS = {"timestamp": "{% $request.headers.at %}", "signed": "{% $body %}", "tolerance": "24h"}
VERIFIED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a signature in hex": ({"hmac": HMAC}, {"x-signature": f"sha256={HEX}"}),
    "in capital letters": ({"hmac": HMAC}, {"x-signature": f"sha256={HEX.upper()}"}),
    "in base64": (
        {"hmac": {**HMAC, "prefix": "", "encoding": "base64"}},
        {"x-signature": base64.b64encode(signed(BODY)).decode()},
    ),
    "by another algorithm": (
        {"hmac": {**HMAC, "prefix": "", "algorithm": "sha1"}},
        {"x-signature": signed(BODY, algorithm="sha1").hex()},
    ),
    "one of several signatures": (
        {"hmac": HMAC},
        {"x-signature": f"sha256={'0' * 64}, sha256={HEX}"},
    ),
    "a signature over id, time and body": ({"hmac": SVIX}, svix()),
    "a signature over time and body": ({"hmac": STRIPE}, stripe()),
    "a timestamp in milliseconds": (
        {"hmac": {**HMAC, **MILLIS}},
        {"x-signature": f"sha256={HEX}", "at": str(NOW * 1000)},
    ),
    "a bearer token": ({"bearer": BEARER}, {"authorization": "bearer canary-key"}),
    "a user and a password": (
        {"basic": BASIC},
        basic("jan:canary-key"),
    ),
    "an API key": ({"apiKey": keys("header", "X-Key")}, {"x-key": "canary-key"}),
    "an address": ({"allowFrom": ["127.0.0.0/8"]}, {}),
    "all of several": (
        {"hmac": HMAC, "allowFrom": ["127.0.0.1"], "bearer": BEARER},
        {"x-signature": f"sha256={HEX}", "authorization": "Bearer canary-key"},
    ),
}


@pytest.mark.parametrize(("verify", "headers"), VERIFIED.values(), ids=VERIFIED.keys())
async def test_a_request_that_proves_where_it_comes_from_is_taken(
    carry: Carry, verify: dict[str, Any], headers: dict[str, str]
) -> None:
    it = await carry(delivering(webhook(verify=verify), KEEP), secrets_in=SECRETS)

    response = await it.post(content=BODY, headers=headers)

    assert (response.status_code, response.json()) == (202, {"accepted": 1})


WRONG = signed(b"other").hex()
UNVERIFIED: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "no signature": ({"hmac": HMAC}, {}, "SignatureMissing"),
    "an empty signature": ({"hmac": HMAC}, {"x-signature": "sha256="}, "SignatureMissing"),
    "another prefix": ({"hmac": HMAC}, {"x-signature": f"sha1={HEX}"}, "SignatureMissing"),
    "a signature of something else": (
        {"hmac": HMAC},
        {"x-signature": f"sha256={WRONG}"},
        "BadSignature",
    ),
    "more signatures than anybody sends": (
        {"hmac": HMAC},
        {"x-signature": f"sha256={'0' * 64} " * 16 + f"sha256={HEX}"},
        "BadSignature",
    ),
    "half a signature": ({"hmac": HMAC}, {"x-signature": f"sha256={HEX[:32]}"}, "BadSignature"),
    "no hex": ({"hmac": HMAC}, {"x-signature": "sha256=zzzz"}, "BadSignature"),
    "an old request": ({"hmac": SVIX}, svix(NOW - 2 * DAY), "TimestampOutOfTolerance"),
    "a request from the future": (
        {"hmac": STRIPE},
        stripe(NOW + 2 * DAY),
        "TimestampOutOfTolerance",
    ),
    "another time than was signed": (
        {"hmac": SVIX},
        {**svix(), "svix-timestamp": str(NOW + 1)},
        "BadSignature",
    ),
    "no time": (
        {"hmac": SVIX},
        {name: v for name, v in svix().items() if name != "svix-timestamp"},
        "TimestampMissing",
    ),
    "a time that is no number": (
        {"hmac": SVIX},
        {**svix(), "svix-timestamp": "nan"},
        "TimestampOutOfTolerance",
    ),
    "no token": ({"bearer": BEARER}, {}, "BadToken"),
    "another token": ({"bearer": BEARER}, {"authorization": "Bearer x"}, "BadToken"),
    "another scheme": (
        {"bearer": BEARER},
        {"authorization": "Basic canary-key"},
        "BadToken",
    ),
    "another password": (
        {"basic": BASIC},
        basic("jan:no"),
        "BadCredentials",
    ),
    "no base64": (
        {"basic": BASIC},
        {"authorization": "Basic !"},
        "BadCredentials",
    ),
    "another key": ({"apiKey": keys("header", "X-Key")}, {"x-key": "x"}, "BadApiKey"),
    "no key in the query": ({"apiKey": keys("query", "key")}, {}, "BadApiKey"),
    "one of several": (
        {"hmac": HMAC, "bearer": BEARER},
        {"x-signature": f"sha256={HEX}"},
        "BadToken",
    ),
}


@pytest.mark.parametrize(("verify", "headers", "reason"), UNVERIFIED.values(), ids=UNVERIFIED)
async def test_a_request_that_does_not_gets_401_and_leaves_no_message(
    carry: Carry,
    logged: list[dict[str, Any]],
    verify: dict[str, Any],
    headers: dict[str, str],
    reason: str,
) -> None:
    it = await carry(delivering(webhook(verify=verify), KEEP), secrets_in=SECRETS)

    response = await it.post(content=BODY, headers=headers)

    assert response.status_code == 401
    assert problem(response)["type"] == f"urn:isthmus:problem:{reason}"
    assert await it.messages() == []
    assert logged[-1]["reason"] == reason
    for secret in ("canary-key", "old-key"):
        assert secret not in response.text + repr(logged)


SOMEWHERE = {"allowFrom": ["203.0.113.0/24"]}
PLACES: dict[str, tuple[list[str], str | None, int]] = {
    "the peer's own address": ([], None, 403),
    "told by a stranger": ([], "203.0.113.7", 403),
    "told by a proxy": (["127.0.0.1"], "203.0.113.7", 202),
    "told by one of several proxies": (
        ["127.0.0.1", "10.0.0.0/8"],
        "6.6.6.6, 203.0.113.7:4711, 10.1.2.3",
        202,
    ),
    "told before a stranger's": (["127.0.0.1"], "203.0.113.7, 6.6.6.6", 403),
    "no address": (["127.0.0.1"], "unknown", 403),
}


@pytest.mark.parametrize(("proxies", "told", "status"), PLACES.values(), ids=PLACES)
async def test_an_address_is_believed_of_trusted_proxies_alone(
    carry: Carry, proxies: list[str], told: str | None, status: int
) -> None:
    trusted = {"trustedProxies": proxies} if proxies else {}
    it = await carry(delivering(webhook(verify=SOMEWHERE, **trusted), KEEP))

    response = await it.post(json={}, headers={"x-forwarded-for": told} if told else {})

    assert response.status_code == status
    assert len(await it.messages()) == int(status == 202)
    if status == 403:
        assert problem(response)["type"] == "urn:isthmus:problem:AddressNotAllowed"


async def test_an_api_key_in_the_query_is_taken(carry: Carry) -> None:
    verify = {"apiKey": keys("query", "key")}
    it = await carry(delivering(webhook(verify=verify), KEEP), secrets_in=SECRETS)

    assert (await it.post("/hook?a=1&key=canary-key", json={})).status_code == 202
    assert (await it.post("/hook?a=1&key=other", json={})).status_code == 401


async def test_a_secret_that_is_missing_is_not_the_senders_fault(carry: Carry) -> None:
    it = await carry(delivering(webhook(verify={"hmac": HMAC}), KEEP))

    response = await it.post(content=BODY, headers={"x-signature": f"sha256={HEX}"})

    assert response.status_code == 503
    assert response.headers["retry-after"] == "30"
    assert problem(response)["type"].endswith("SecretMissing")


async def test_a_rotated_secret_counts_at_once(carry: Carry) -> None:
    it = await carry(delivering(webhook(verify={"hmac": HMAC}), KEEP), secrets_in=SECRETS)
    it.write_secrets({"shop/key": "next"})
    new = signed(BODY, b"next").hex()

    assert (await it.post(content=BODY, headers={"x-signature": f"sha256={HEX}"})).is_error
    assert (await it.post(content=BODY, headers={"x-signature": f"sha256={new}"})).is_success


async def test_while_a_sender_changes_its_secret_both_are_accepted(carry: Carry) -> None:
    given = {**HMAC, "secondSecret": ref("next")}
    secrets = {"shop/key": "canary-key", "shop/next": "canary-next"}
    it = await carry(delivering(webhook(verify={"hmac": given}), KEEP), secrets_in=secrets)

    async def status(key: bytes) -> int:
        signature = signed(BODY, key).hex()
        response = await it.post(content=BODY, headers={"x-signature": f"sha256={signature}"})
        return response.status_code

    assert [await status(key) for key in (b"canary-key", b"canary-next", b"x")] == [202, 202, 401]
    it.write_secrets({"shop/key": "canary-next"})
    assert [await status(key) for key in (b"canary-next", b"canary-key")] == [202, 503]


async def test_a_secret_that_is_empty_lets_nobody_in(carry: Carry) -> None:
    verify = {"apiKey": keys("header", "X-Key")}
    it = await carry(delivering(webhook(verify=verify), KEEP), secrets_in={"shop/key": ""})

    assert (await it.post(json={}, headers={"x-key": ""})).status_code == 503
    assert await it.messages() == []


async def test_steps_know_who_sent_a_message_and_never_its_key(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream()
    verify = {"apiKey": keys("query", "key")}
    it = await carry(
        connector(erp.url),
        delivering(
            webhook(verify=verify),
            """
            - call:
                connector: erp
                path: "/{% $request.caller.name %}"
                query: {q: "{% $request.query.q %}", key: "{% $request.query.key %}"}
            """,
            message={"key": "{% $request.caller.name %}-{% n %}"},
        ),
        secrets_in=SECRETS,
    )

    response = await it.post("/hook?key=canary-key&q=1", json={"n": 7})
    (kept,) = await it.until_settled(1)

    assert response.status_code == 202
    assert (kept.state, kept.key) == ("finished", "shop-7"), kept.detail
    assert erp.arrivals[0].target.partition("?")[0] == "/shop"
    assert b"canary" not in kept.request + kept.journey


async def test_a_body_that_is_too_large_is_refused(carry: Carry) -> None:
    it = await carry(delivering(webhook(maxBody="1Ki"), KEEP))

    assert (await it.post(content=b"x" * 1025)).status_code == 413
    assert await it.messages() == []


async def test_a_full_backlog_is_answered_with_503_until_there_is_room(
    carry: Carry, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    delivery = {"maxBacklog": 3, "concurrency": 1}
    it = await carry(connector(erp.url), delivering(webhook(), SEND, delivery=delivery))

    codes = [(await it.post(json={})).status_code for _ in range(4)]
    refused = await it.post(json={})
    gate.set()
    await it.until_settled(3)

    assert codes == [202, 202, 202, 503]
    assert refused.headers["retry-after"] == "30"
    assert problem(refused)["type"].endswith("BacklogFull")
    async with asyncio.timeout(10):
        while (await it.post(json={})).status_code != 202:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.05)


async def test_a_message_of_20_megabytes_is_delivered(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    it = await carry(
        connector(erp.url),
        delivering(
            webhook(maxBody="32Mi"),
            "- map: {expression: \"{'n': n, 'of': $count(lines)}\"}\n" + SEND,
            message={"key": "{% n %}"},
        ),
    )
    lines = [{"sku": f"sku-{i}", "text": "x" * 200} for i in range(90_000)]
    body = json.dumps({"n": 7, "lines": lines}).encode()

    response = await it.post(content=body)
    (kept,) = await it.until_settled(1, within=60)

    assert len(body) > 20_000_000
    assert response.status_code == 202
    assert (kept.state, kept.key, len(kept.body)) == ("finished", "7", len(body))
    assert erp.arrivals[0].body == b'{"n":7,"of":90000}'
    assert len(kept.journey) < 2_000


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "content_type", "content", "becomes"),
    [
        pytest.param("json", "application/json", b'{"n":1}', b'{"n":1}', id="json"),
        pytest.param("json", None, b'{"n":1}', b'{"n":1}', id="json that does not say so"),
        pytest.param("json", "application/x+json", b"[]", b"[]", id="a kind of json"),
        pytest.param("form", FORM, b"a=1&b=x+y%26z", b'{"a":"1","b":"x y&z"}', id="a form"),
        pytest.param("form", FORM, b"a=1&a=&b=2&a=3", b'{"a":["1","","3"],"b":"2"}', id="a list"),
        pytest.param(
            "form", f"{FORM}; charset=UTF-8", b"a=%C3%BC", '{"a":"ü"}'.encode(), id="umlaut"
        ),
        pytest.param("form", FORM, b"", b"{}", id="an empty form"),
        pytest.param("text", "text/plain", "grüß".encode(), '"grüß"'.encode(), id="text"),
        pytest.param(
            "text", 'text/plain; charset="ISO-8859-1"', b"gr\xfc\xdf", '"grüß"'.encode(), id="latin"
        ),
    ],
)
async def test_what_senders_write_becomes_a_message(
    carry: Carry,
    upstream: Start,
    kind: str,
    content_type: str | None,
    content: bytes,
    becomes: bytes,
) -> None:
    erp = await upstream()
    it = await carry(connector(erp.url), delivering(webhook(body=kind), SEND))

    headers = {"content-type": content_type} if content_type else {}
    response = await it.post(content=content, headers=headers)
    await it.until_settled(1)

    assert response.status_code == 202
    assert [arrival.body for arrival in erp.arrivals] == [becomes]


@pytest.mark.parametrize(
    ("kind", "content_type", "content", "status", "said"),
    [
        ("json", "text/xml", b"<a/>", 415, "the request has text/xml where application/json is"),
        ("form", "application/json", b"{}", 415, f"application/json where {FORM} is needed"),
        ("form", None, b"a=1", 415, f"no content type where {FORM} is needed"),
        ("form", FORM, b"a=%ff", 400, "a form that is none, or more than 10,000 fields"),
        ("form", FORM, b"a&" * 10_001, 400, "a form that is none, or more than 10,000 fields"),
        ("text", "text/html", b"x", 415, "text/html where text/plain is needed"),
        ("text", "text/plain; charset=utf-7", b"x", 415, "the charset utf-7 where one of utf-8"),
        ("text", "text/plain", b"\xff", 400, "a text that is not in its charset, utf-8"),
    ],
)
async def test_what_senders_must_not_write_leaves_nothing(
    carry: Carry, kind: str, content_type: str | None, content: bytes, status: int, said: str
) -> None:
    it = await carry(delivering(webhook(body=kind), KEEP))

    headers = {"content-type": content_type} if content_type else {}
    refused = await it.post(content=content, headers=headers)

    assert refused.status_code == status
    assert said in problem(refused)["detail"]
    assert await it.messages() == []


async def test_a_form_is_verified_as_it_came_and_split_as_it_is_read(carry: Carry) -> None:
    verify = {"hmac": {"header": "X-Sign", "secret": ref()}}
    spec = webhook(body="form", verify=verify, split="{% line %}")
    it = await carry(delivering(spec, KEEP), secrets_in=SECRETS)
    sent = b"line=a%20b&line=c"
    signature = hmac.new(b"canary-key", sent, "sha256").hexdigest()
    form = {"content-type": FORM}

    taken = await it.post(content=sent, headers={"x-sign": signature, **form})
    refused = await it.post(content=b"line=x", headers={"x-sign": signature, **form})
    unread = await it.post(content=b"<a/>", headers={"content-type": "text/xml"})

    assert (taken.status_code, refused.status_code) == (202, 401)
    assert unread.status_code == 401, "who may not send is not told what to send"
    assert [each.body for each in await it.messages()] == [b'"a b"', b'"c"']


async def test_a_challenge_reads_a_form(carry: Carry) -> None:
    challenge = {
        "when": "{% type = 'verification' %}",
        "respond": {"body": {"challenge": "{% challenge %}"}},
    }
    it = await carry(delivering(webhook(body="form", challenge=challenge), KEEP))

    asked = await it.post(content=b"type=verification&challenge=42", headers={"content-type": FORM})
    other = await it.post(content=b"<a/>", headers={"content-type": "text/xml"})

    assert asked.json() == {"challenge": "42"}
    assert other.status_code == 415
