"""A Connector's auth is linted where it stands, its expressions above all."""

import json
from typing import Any

import pytest

from isthmus_api import manifests
from isthmus_api.plan import check
from isthmus_api.resources import Resources

SECRET = {"secretKeyRef": {"name": "erp", "key": "k"}}
SESSION: dict[str, Any] = {
    "secrets": {"user": SECRET},
    "login": {"path": "/login", "body": {"user": "{% $secrets.user %}"}},
    "token": "{% token %}",
    "headers": {"X-Token": "{% $token %}"},
    "expiredWhen": "{% $status = 403 and $headers.a = error %}",
}
HMAC: dict[str, Any] = {
    "secret": SECRET,
    "secrets": {"id": SECRET},
    "signed": "{% $join([$method, $host, $path, $query, $parameters.a, $headers.b, $body, "
    "$bodyHash, $timestamp, $nonce, $secrets.id]) %}",
    "headers": {"X-Signature": "{% $signature %}"},
}
AT = "spec.http.auth"


def found(auth: dict[str, Any], **http: Any) -> list[tuple[str, str]]:
    """What lint says of a Connector, by field path; its file is one that can be read."""
    spec = {"http": {"baseUrl": "https://erp.example.com", "auth": auth, **http}}
    text = {"apiVersion": "isthmus.dev/v1alpha1", "kind": "Connector"}
    document = json.dumps({**text, "metadata": {"name": "erp"}, "spec": spec})
    read = manifests.read(document.encode(), file="erp.yaml")
    assert not read.problems, read.problems
    problems = check(Resources.of(read.resources))
    assert all(each.location and each.subject == "Connector default/erp" for each in problems)
    return [(".".join(str(part) for part in each.path), each.message) for each in problems]


def session(**more: Any) -> dict[str, Any]:
    return {"session": {**SESSION, **more}}


WRONG = {
    "a Secret that is not named": (
        session(login={"path": "/", "form": {"u": "{% $secrets.usr %}"}}),
        [(f"{AT}.session.login.form.u", "'secrets' names no 'usr'")],
    ),
    "a variable that is not there": (
        session(login={"path": "/", "body": "{% $token %}"}),
        [(f"{AT}.session.login.body", "nothing binds the variable $token")],
    ),
    "a token that is not read": (
        session(token=None, cookies=["S"]),
        [(f"{AT}.session.headers.X-Token", "nothing binds the variable $token")],
    ),
    "a signature that reads itself": (
        {"hmac": {**HMAC, "signed": "{% $body & $signature %}"}},
        [(f"{AT}.hmac.signed", "nothing binds the variable $signature")],
    ),
    "a Secret that a signature does not name": (
        {"hmac": {**HMAC, "query": {"id": "{% $secrets.id & $secrets.key %}"}}},
        [(f"{AT}.hmac.query.id", "'secrets' names no 'key'")],
    ),
    "an expression that is none": (
        session(expiredWhen="{% a = %}"),
        [(f"{AT}.session.expiredWhen", "")],
    ),
    "text where a value is needed": (
        session(token="{% a %}{% b %}"),
        [
            (
                f"{AT}.session.token",
                "this must be one {% … %} and nothing else: any text would count as a value",
            )
        ],
    ),
}


@pytest.mark.parametrize("auth", [session(), {"hmac": HMAC}], ids=["session", "hmac"])
def test_sound_expressions_are_not_complained_of(auth: dict[str, Any]) -> None:
    assert found(auth) == []


@pytest.mark.parametrize(("auth", "wanted"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_place(
    auth: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    told = found(auth)

    assert [path for path, _ in told] == [path for path, _ in wanted]
    for (_, message), (_, start) in zip(told, wanted, strict=True):
        assert message.startswith(start)


KEYS = {"accessKeyId": SECRET, "secretAccessKey": SECRET}
SIGNING: dict[str, dict[str, Any]] = {
    "oauth1": {"oauth1": {"consumerKey": SECRET, "consumerSecret": SECRET}},
    "awsSigV4": {"awsSigV4": {**KEYS, "region": "eu-west-1", "service": "es"}},
    "a temporary key": {
        "awsSigV4": {**KEYS, "sessionToken": SECRET, "region": "eu-west-1", "service": "es"}
    },
    "hmac": {"hmac": HMAC},
    "session": session(cookies=["S"]),
    "apiKey": {"apiKey": {"header": "X-Key", "value": SECRET}},
    "in the query": {"apiKey": {"query": "X-Key", "value": SECRET}},
}


@pytest.mark.parametrize(
    ("auth", "written"),
    [
        ("oauth1", ["authorization"]),
        ("awsSigV4", ["authorization", "X-Amz-Date"]),
        ("a temporary key", ["authorization", "X-Amz-Date", "X-Amz-Security-Token"]),
        ("hmac", ["x-SIGNATURE"]),
        ("session", ["X-Token", "cookie"]),
        ("apiKey", ["x-key"]),
        ("in the query", []),
    ],
)
def test_a_header_that_auth_writes_is_not_for_the_connector(auth: str, written: list[str]) -> None:
    names = ["authorization", "X-Amz-Date", "X-Amz-Security-Token", "x-SIGNATURE"]
    names += ["X-Token", "cookie", "x-key"]

    told = found(SIGNING[auth], headers=dict.fromkeys(names, "a"))

    assert told == [
        (f"spec.http.headers.{name}", f"auth writes the header {name} of each call already")
        for name in names
        if name in written
    ]
