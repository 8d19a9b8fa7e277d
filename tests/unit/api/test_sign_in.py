"""The expressions of a Connector's auth are linted where they stand."""

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


def found(auth: dict[str, Any]) -> list[tuple[str, str]]:
    """What lint says of a Connector, by field path; its file is one that can be read."""
    spec = {"http": {"baseUrl": "https://erp.example.com", "auth": auth}}
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
