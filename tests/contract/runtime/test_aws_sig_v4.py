"""AWS signatures: calls that a system lets in only when botocore finds their signature right."""

import json
from collections.abc import Callable
from typing import Any

import aws_verifier
import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Arrival, Behave, answer

KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
VALUES = {"aws/id": KEYS[0], "aws/key": KEYS[1], "aws/session": "a/session+token=="}


def ref(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": "aws", "key": key}}


SPEC = {
    "accessKeyId": ref("id"),
    "secretAccessKey": ref("key"),
    "region": "eu-west-1",
    "service": "execute-api",
}
CALL = """
- call:
    connector: erp
    method: PUT
    path: "/orders/{% $request.query.id %}//b:/c?u=http://d&a=2&a=1"
    query: {b: "é 1+2", none: ""}
    headers: {X-Amz-Meta-Shop: " a   b"}
    body: {name: "é", number: 1.5}
"""


def lets_in(arrival: Arrival) -> Behave:
    url = f"http://{arrival.header('host')}{arrival.target}"
    fields = dict(arrival.headers)
    is_taken = aws_verifier.takes(arrival.method, url, fields, arrival.body, keys=KEYS)
    return answer({}, status=200 if is_taken else 403)


@pytest.mark.parametrize("service", ["execute-api", "s3"])
@pytest.mark.parametrize("session", [None, "a/session+token=="], ids=["a key", "a temporary key"])
async def test_a_signature_is_that_of_what_is_sent(
    serve: Serve, upstream: Start, service: str, session: str | None
) -> None:
    erp = await upstream(lets_in)
    spec = {**SPEC, "service": service} | ({"sessionToken": ref("session")} if session else {})
    served = await serve(
        connector(f"{erp.url}/api", auth={"awsSigV4": spec}), route(CALL), secrets_in=VALUES
    )

    assert (await served.get(params={"id": "a/b ü"})).status_code == 200
    assert erp.arrivals[0].path == "/api/orders/a%2Fb%20%C3%BC//b:/c"
    assert erp.arrivals[0].header("x-amz-security-token") == session


async def test_each_attempt_is_signed(serve: Serve, upstream: Start) -> None:
    attempts: list[Behave] = []

    def busy_at_first(arrival: Arrival) -> Behave:
        attempts.append(lets_in(arrival))
        return attempts[-1] if len(attempts) == 3 else answer(status=503)

    erp = await upstream(busy_at_first)
    retry = {"attempts": 3, "backoff": {"initial": "1ms"}}
    served = await serve(
        connector(erp.url, auth={"awsSigV4": SPEC}, retry=retry), route(CALL), secrets_in=VALUES
    )

    assert (await served.get(params={"id": "1"})).status_code == 200


def _other_body(arrival: Arrival) -> Arrival:
    body = arrival.body.replace(b"1.5", b"9.5")
    return Arrival(arrival.at, arrival.method, arrival.target, arrival.headers, body)


def _other_query(arrival: Arrival) -> Arrival:
    target = arrival.target.replace("a=1", "a=3")
    return Arrival(arrival.at, arrival.method, target, arrival.headers, arrival.body)


@pytest.mark.parametrize("change", [_other_body, _other_query])
async def test_what_is_changed_on_the_way_is_refused(
    serve: Serve, upstream: Start, change: Callable[[Arrival], Arrival]
) -> None:
    """The tests above would hold of a system that checks nothing."""
    erp = await upstream(lambda arrival: lets_in(change(arrival)))
    served = await serve(
        connector(erp.url, auth={"awsSigV4": SPEC}), route(CALL), secrets_in=VALUES
    )

    response = await served.get(params={"id": "1"})

    assert response.json()["detail"] == "erp answered 403"


async def test_a_call_that_has_a_signature_already_is_not_sent(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    signed = "- call: {connector: erp, headers: {X-Amz-Date: now}}"
    served = await serve(
        connector(erp.url, auth={"awsSigV4": SPEC}), route(signed), secrets_in=VALUES
    )

    response = await served.get()

    assert response.json()["type"] == "urn:isthmus:problem:SignInFailed"
    assert response.json()["detail"] == (
        "erp cannot sign in: the call has a header x-amz-date already; leave it out"
    )
    assert erp.arrivals == []


async def test_neither_keys_nor_signatures_are_seen(
    serve: Serve, upstream: Start, logged: list[Any]
) -> None:
    erp = await upstream(answer(status=403))
    canary = "canary-4711"
    served = await serve(
        connector(erp.url, auth={"awsSigV4": {**SPEC, "sessionToken": ref("session")}}),
        route(CALL),
        secrets_in=dict.fromkeys(VALUES, canary),
    )

    response = await served.get(params={"id": "1"})

    proof = erp.arrivals[0].header("authorization") or ""
    shown = [response.text + str(response.headers), json.dumps(logged, default=repr)]
    shown += [(await served.admin.get(page)).text for page in ("/status", "/metrics")]
    assert canary in proof
    assert erp.arrivals[0].header("x-amz-security-token") == canary
    assert all(canary not in text and "Signature=" not in text for text in shown)
