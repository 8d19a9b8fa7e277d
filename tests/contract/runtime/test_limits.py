"""How often each caller may call."""

from typing import Any

from manifests_text import route
from served import Serve, problem

SAYS = "- respond: {body: ok}"
SECRETS = {"shop/a": "canary-a", "shop/b": "canary-b"}


def key(name: str) -> dict[str, Any]:
    return {"name": name, "value": {"secretKeyRef": {"name": "shop", "key": name}}}


async def test_a_caller_that_calls_too_often_is_told_when_to_come_back_and_others_are_not(
    serve: Serve, logged: list[dict[str, Any]]
) -> None:
    auth = {"apiKey": {"header": "X-Key", "keys": [key("a"), key("b")]}}
    limits = {"requests": 2, "per": "1h", "by": "caller"}
    it = await serve(route(SAYS, auth=auth, limits=limits), secrets_in=SECRETS)

    answers = [await it.get(headers={"x-key": "canary-a"}) for _ in range(3)]
    other = await it.get(headers={"x-key": "canary-b"})
    stranger = await it.get(headers={"x-key": "x"})

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [other.status_code, stranger.status_code] == [200, 401]
    assert {each.headers["ratelimit-policy"] for each in answers} == {'"caller";q=2;w=3600'}
    assert [each.headers["ratelimit"].split(";t=")[0] for each in answers] == [
        '"caller";r=1',
        '"caller";r=0',
        '"caller";r=0',
    ]
    assert 1700 < int(answers[2].headers["retry-after"]) <= 1800
    assert problem(answers[2])["type"] == "urn:isthmus:problem:TooManyRequests"
    assert "ratelimit" not in stranger.headers
    assert 'reason="TooManyRequests"' in await it.metrics()
    assert "canary" not in repr(logged)


async def test_an_address_is_limited_before_anything_is_verified(serve: Serve) -> None:
    auth = {"apiKey": {"header": "X-Key", "keys": [key("a")]}}
    limits = {"requests": 2, "per": "1h"}
    it = await serve(
        route(SAYS, auth=auth, limits=limits, trustedProxies=["127.0.0.1"]), secrets_in=SECRETS
    )

    async def status(address: str, given: str) -> int:
        headers = {"x-key": given, "x-forwarded-for": address}
        return (await it.get(headers=headers)).status_code

    guesses = [await status("203.0.113.7", "guess") for _ in range(3)]
    v6 = [await status(f"2001:db8::{number}", "canary-a") for number in range(1, 4)]

    assert guesses == [401, 401, 429]
    assert v6 == [200, 200, 429]  # a caller has the whole network
    assert await status("203.0.113.8", "canary-a") == 200


async def test_a_refusal_of_the_route_tells_of_the_limit_too(serve: Serve) -> None:
    steps = "- map: {expression: $error('no')}"
    it = await serve(route(steps, limits={"requests": 9, "per": "1h"}))

    response = await it.get()

    assert response.status_code == 500
    assert response.headers["ratelimit"].startswith('"address";r=8')
