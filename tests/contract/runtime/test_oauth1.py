"""OAuth 1.0: calls that a system lets in only when Authlib finds their signature right."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from manifests_text import connector, route
from oauth1_verifier import FORM, Verifier
from served import Serve, Start
from upstreams import Arrival, Behave, answer

CONSUMER = ("c&nsumer", "s3cr%t é+")
TOKEN = ("tok en", "t/ken secret")
VALUES = {
    "erp/key": CONSUMER[0],
    "erp/secret": CONSUMER[1],
    "erp/token": TOKEN[0],
    "erp/token-secret": TOKEN[1],
}


def ref(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": "erp", "key": key}}


CONSUMER_SPEC = {"consumerKey": ref("key"), "consumerSecret": ref("secret")}
SPEC = {**CONSUMER_SPEC, "token": ref("token"), "tokenSecret": ref("token-secret")}
CALL = """
- call:
    connector: erp
    method: PUT
    path: "/orders/{% $request.query.id %}?searchCriteria[pageSize]=10&a=2&a=1"
    query: {b: "é 1+2", none: ""}
    body: {name: "é", number: 1.5}
"""


@pytest.fixture(autouse=True)
def without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Authlib verifies nothing that came without TLS unless it is told to."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


def lets_in(
    verifier: Verifier, change: Callable[[Arrival], Arrival] = lambda arrival: arrival
) -> Callable[[Arrival], Behave]:
    """A system that verifies what came, or something else."""

    def check(arrival: Arrival) -> Behave:
        seen = change(arrival)
        url = f"http://{seen.header('host')}{seen.target}"
        is_taken = verifier.takes(seen.method, url, seen.body, dict(seen.headers))
        return answer({}, status=200 if is_taken else 401)

    return check


@pytest.mark.parametrize(
    ("spec", "token"),
    [
        pytest.param(SPEC, TOKEN, id="a token"),
        pytest.param(CONSUMER_SPEC, None, id="the consumer alone"),
    ],
)
@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SHA1"])
async def test_a_signature_is_that_of_what_is_sent(
    serve: Serve, upstream: Start, spec: dict[str, Any], token: tuple[str, str] | None, method: str
) -> None:
    verifier = Verifier(CONSUMER, token)
    erp = await upstream(lets_in(verifier))
    auth = {"oauth1": {**spec, "signatureMethod": method, "realm": "1234567_SB1"}}
    served = await serve(connector(f"{erp.url}/api", auth=auth), route(CALL), secrets_in=VALUES)

    for number in ("a/b ü", "2"):
        assert (await served.get(params={"id": number})).status_code == 200

    assert len(verifier.nonces) == 2
    assert verifier.realms == {"1234567_SB1"}
    assert verifier.methods == {method}
    assert erp.arrivals[0].path == "/api/orders/a%2Fb%20%C3%BC"


async def test_parameters_of_a_form_are_signed_too(serve: Serve, upstream: Start) -> None:
    erp = await upstream(lets_in(Verifier(CONSUMER, TOKEN)))
    passing = "- call: {connector: erp, method: POST, path: '/x?b=2'}"
    served = await serve(
        connector(erp.url, auth={"oauth1": SPEC}),
        route(passing, method="POST"),
        secrets_in=VALUES,
    )

    response = await served.post(content=b"b=1&a=%5b+x&c", headers={"content-type": FORM})

    assert response.status_code == 200
    assert erp.arrivals[0].body == b"b=1&a=%5b+x&c"


async def test_a_form_that_a_step_makes_is_signed_too(serve: Serve, upstream: Start) -> None:
    erp = await upstream(lets_in(Verifier(CONSUMER, TOKEN)))
    sending = """- call:
    connector: erp
    method: POST
    path: '/x?b=2'
    form: {b: "é 1+2", "a[]": "{% ['y', 'x'] %}"}"""
    served = await serve(
        connector(erp.url, auth={"oauth1": SPEC}), route(sending), secrets_in=VALUES
    )

    assert (await served.get()).status_code == 200
    assert b"b=" in erp.arrivals[0].body


async def test_each_attempt_has_a_nonce_of_its_own(serve: Serve, upstream: Start) -> None:
    verifier = Verifier(CONSUMER, TOKEN)
    check = lets_in(verifier)
    attempts: list[Behave] = []

    def busy_at_first(arrival: Arrival) -> Behave:
        attempts.append(check(arrival))
        return attempts[-1] if len(attempts) == 3 else answer(status=503)

    erp = await upstream(busy_at_first)
    retry = {"attempts": 3, "backoff": {"initial": "1ms"}}
    served = await serve(
        connector(erp.url, auth={"oauth1": SPEC}, retry=retry), route(CALL), secrets_in=VALUES
    )

    assert (await served.get(params={"id": "1"})).status_code == 200
    assert len(verifier.nonces) == 3


def _other_query(arrival: Arrival) -> Arrival:
    target = arrival.target.replace("a=1", "a=3")
    return Arrival(arrival.at, arrival.method, target, arrival.headers, arrival.body)


def _other_method(arrival: Arrival) -> Arrival:
    return Arrival(arrival.at, "DELETE", arrival.target, arrival.headers, arrival.body)


@pytest.mark.parametrize("change", [_other_query, _other_method])
async def test_what_is_changed_on_the_way_is_refused(
    serve: Serve, upstream: Start, change: Callable[[Arrival], Arrival]
) -> None:
    """The tests above would hold of a system that checks nothing."""
    erp = await upstream(lets_in(Verifier(CONSUMER, TOKEN), change))
    served = await serve(connector(erp.url, auth={"oauth1": SPEC}), route(CALL), secrets_in=VALUES)

    response = await served.get(params={"id": "1"})

    assert response.json()["detail"] == "erp answered 401"
    assert len(erp.arrivals) == 1


async def test_neither_keys_nor_signatures_are_seen(
    serve: Serve, upstream: Start, logged: list[Any]
) -> None:
    erp = await upstream(answer(status=401))
    canary = "canary-4711"
    served = await serve(
        connector(erp.url, auth={"oauth1": SPEC}),
        route(CALL),
        secrets_in=dict.fromkeys(VALUES, canary),
    )

    response = await served.get(params={"id": "1"})

    proof = erp.arrivals[0].header("authorization") or ""
    shown = [response.text + str(response.headers), json.dumps(logged, default=repr)]
    shown += [(await served.admin.get(page)).text for page in ("/status", "/metrics")]
    assert canary in proof
    assert all(canary not in text and "oauth_" not in text for text in shown)
