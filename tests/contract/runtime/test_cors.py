"""Pages of other origins, as their browsers ask for them."""

from typing import Any

import httpx
import pytest
from manifests_text import connector, route
from served import Serve, Served, Start, problem
from upstreams import answer

SHOP = "https://shop.example.com"
CORS = {
    "origins": [SHOP, "http://localhost:3000"],
    "headers": ["X-Trace"],
    "exposeHeaders": ["ETag"],
}
SAYS = "- respond: {body: ok}"
KEYS = {
    "apiKey": {
        "header": "X-Api-Key",
        "keys": [{"name": "a", "value": {"secretKeyRef": {"name": "shop", "key": "a"}}}],
    }
}
SECRETS = {"shop/a": "canary"}


async def preflight(
    it: Served, method: str = "GET", *, origin: str = SHOP, path: str = "/it"
) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": method}
    return await it.http.request("OPTIONS", path, headers=headers)


def said(response: httpx.Response) -> dict[str, str]:
    """What an answer says to browsers."""
    return {k: v for k, v in response.headers.items() if k.startswith("access-control-")}


async def test_a_browser_that_asks_is_told_what_pages_may_do_and_needs_no_key(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream()
    it = await serve(
        connector(erp.url),
        route("- call: {connector: erp}", cors=CORS, auth=KEYS),
        secrets_in=SECRETS,
    )

    response = await preflight(it)

    assert response.status_code == 204
    assert said(response) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": "Content-Type, X-Api-Key, X-Trace",
        "access-control-max-age": "600",
    }
    assert response.headers["vary"].startswith("Origin, Access-Control-Request-Method")
    assert erp.arrivals == []


async def test_routes_of_one_path_answer_for_each_other(serve: Serve) -> None:
    it = await serve(
        route(SAYS, path="/a/{id}", cors=CORS),
        route(SAYS, name="put", path="/a/{number}", method="PUT", cors={"origins": [SHOP]}),
        route(SAYS, name="other", path="/a/{id}", method="DELETE"),
    )

    read = await preflight(it, path="/a/1")
    written = await preflight(it, "PUT", path="/a/1")
    elsewhere = await preflight(it, "PUT", path="/a/1", origin="http://localhost:3000")
    silent = await preflight(it, "DELETE", path="/a/1")

    assert said(read)["access-control-allow-methods"] == "GET, HEAD, PUT"
    assert said(written)["access-control-allow-headers"] == "Content-Type"
    assert [elsewhere.status_code, silent.status_code] == [403, 403]
    assert said(elsewhere) == said(silent) == {}


STRANGE = (
    "https://evil.example.com",
    f"{SHOP}.evil.example",
    f"{SHOP}, {SHOP}",
    "null",
    SHOP.upper(),
    "",
)


@pytest.mark.parametrize("origin", STRANGE)
async def test_pages_of_other_origins_are_told_nothing(serve: Serve, origin: str) -> None:
    it = await serve(route(SAYS, cors=CORS))

    asked = await preflight(it, origin=origin)
    called = await it.get(headers={"origin": origin})

    assert asked.status_code == 403
    assert problem(asked)["type"] == "urn:isthmus:problem:OriginNotAllowed"
    assert said(asked) == said(called) == {}
    assert called.headers["vary"] == "Origin"


FAILED: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "an answer": ({}, {"headers": {"x-api-key": "canary"}}, 200),
    "a caller that proves nothing": ({}, {}, 401),
    "a body that is too large": ({"maxBody": "1"}, {"content": b"{}"}, 413),
    "a query of too many parameters": (
        {},
        {"params": [("a", "b")] * 1001, "headers": {"x-api-key": "canary"}},
        400,
    ),
}


@pytest.mark.parametrize(("spec", "more", "status"), FAILED.values(), ids=FAILED)
async def test_a_page_may_read_whatever_is_answered(
    serve: Serve, spec: dict[str, Any], more: dict[str, Any], status: int
) -> None:
    cors = {**CORS, "credentials": True}
    steps = "- respond: {body: '{% $request.query.a %}'}"
    it = await serve(route(steps, method="POST", cors=cors, auth=KEYS, **spec), secrets_in=SECRETS)
    sent = {**more, "headers": {"origin": SHOP, **more.get("headers", {})}}

    response = await it.post(**sent)

    assert response.status_code == status, response.text
    assert said(response) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "ETag",
    }
    assert response.headers["vary"] == "Origin"


async def test_a_page_may_read_that_a_system_failed(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=500))
    it = await serve(connector(erp.url), route("- call: {connector: erp}", cors=CORS))

    response = await it.get(headers={"origin": SHOP})

    assert (response.status_code, said(response)["access-control-allow-origin"]) == (502, SHOP)


async def test_any_page_may_call_where_the_route_says_so(serve: Serve) -> None:
    it = await serve(route(SAYS, cors={"origins": ["*"]}))

    called = await it.get(headers={"origin": "null"})

    assert said(called) == {"access-control-allow-origin": "*"}
    assert "vary" not in called.headers
    assert said(await preflight(it, origin="null"))["access-control-allow-origin"] == "*"


async def test_a_route_that_tells_browsers_nothing_takes_no_options(serve: Serve) -> None:
    it = await serve(route(SAYS))

    assert (await preflight(it)).status_code == 405
    assert said(await it.get(headers={"origin": SHOP})) == {}
