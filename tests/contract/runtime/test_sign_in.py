"""Sign-in: what a call carries to prove who we are, against systems that check it."""

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Arrival, Behave, answer, hangs, unused_port

from isthmus_api.model import SecretKeyRef
from isthmus_runtime import secrets

CALL = "- call: {connector: erp}"


def ref(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": "erp", "key": key}}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class TokenServer:
    """Gives tokens to who proves to be `shop:s3cr:et`, and knows which are good."""

    body: bool = False
    life: float | None = 3600
    gate: asyncio.Event | None = None
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def last(self) -> str:
        return f"Bearer token-{len(self.forms)}"

    def give(self, arrival: Arrival) -> Behave:
        form = parse_qs(arrival.body.decode())
        self.forms.append(form)
        if not self._is_proven(arrival, form) or form["grant_type"] != ["client_credentials"]:
            return answer({"error": "invalid_client"}, status=401)
        token: dict[str, Any] = {"access_token": f"token-{len(self.forms)}", "token_type": "Bearer"}
        if self.life is not None:
            token["expires_in"] = self.life
        return answer(token, when=self.gate)

    def check(self, arrival: Arrival) -> Behave:
        shown = arrival.header("authorization") or ""
        is_good = shown == self.last and shown not in self.refused
        return answer({"shown": shown}, status=200 if is_good else 401)

    def _is_proven(self, arrival: Arrival, form: dict[str, list[str]]) -> bool:
        if self.body:
            return (form.get("client_id"), form.get("client_secret")) == (["shop"], ["s3cr:et"])
        scheme, _, encoded = (arrival.header("authorization") or "").partition(" ")
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        return (scheme, unquote(user), unquote(password)) == ("Basic", "shop", "s3cr:et")


def oauth(token_url: str, **more: Any) -> dict[str, Any]:
    spec = {"tokenUrl": token_url, "clientId": ref("id"), "clientSecret": ref("secret"), **more}
    return {"oauth2": spec}


CLIENT = {"erp/id": "shop", "erp/secret": "s3cr:et"}


@pytest.mark.parametrize(
    ("spec", "header", "shown"),
    [
        pytest.param(
            {"basic": {"username": ref("u"), "password": ref("p")}},
            "authorization",
            basic("üser", "p:w"),
            id="basic",
        ),
        pytest.param({"bearer": {"token": ref("p")}}, "authorization", "Bearer p:w", id="bearer"),
        pytest.param(
            {"apiKey": {"header": "X-Api-Key", "value": ref("p")}}, "x-api-key", "p:w", id="header"
        ),
    ],
)
async def test_a_call_carries_its_credentials_in_a_header(
    serve: Serve, upstream: Start, spec: dict[str, Any], header: str, shown: str
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, auth=spec),
        route(CALL),
        secrets_in={"erp/u": "üser", "erp/p": "p:w"},
    )

    assert (await served.get()).status_code == 200
    assert erp.arrivals[0].header(header) == shown


@pytest.mark.parametrize("query", ["", "?a=1"], ids=["alone", "beside others"])
async def test_a_key_in_the_query(serve: Serve, upstream: Start, query: str) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, auth={"apiKey": {"query": "api key", "value": ref("k")}}),
        route(f'- call: {{connector: erp, path: "/x{query}"}}'),
        secrets_in={"erp/k": "a&b=c"},
    )

    await served.get()

    expected = {"api key": ["a&b=c"]} | ({"a": ["1"]} if query else {})
    assert erp.arrivals[0].query == expected


@pytest.mark.parametrize("body", [False, True], ids=["basic", "body"])
async def test_a_token_is_asked_for_once_and_used_for_all_calls(
    serve: Serve, upstream: Start, body: bool
) -> None:
    tokens = TokenServer(body=body, gate=asyncio.Event())
    server, erp = await upstream(tokens.give), await upstream(tokens.check)
    more = {"scopes": ["read", "write"], "audience": "https://erp"}
    served = await serve(
        connector(
            erp.url,
            auth=oauth(
                f"{server.url}/token?tenant=1",
                clientAuthentication="body" if body else "basic",
                **more,
            ),
        ),
        route(CALL),
        secrets_in=CLIENT,
    )

    asking = [asyncio.create_task(served.get()) for _ in range(50)]
    in_flight = "isthmus_route_in_flight_requests"
    async with asyncio.timeout(10):
        while f'{in_flight}{{namespace="default",route="it"}} 50.0' not in await served.metrics():
            pass
    assert tokens.gate is not None
    tokens.gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {200}
    assert [arrival.target for arrival in server.arrivals] == ["/token?tenant=1"]
    (form,) = tokens.forms
    assert form["scope"] == ["read write"]
    assert form["audience"] == ["https://erp"]
    assert ("client_secret" in form) == body


async def test_a_token_is_renewed_ahead_of_its_end(serve: Serve, upstream: Start) -> None:
    tokens = TokenServer(life=0.5)
    server, erp = await upstream(tokens.give), await upstream(tokens.check)
    served = await serve(connector(erp.url, auth=oauth(server.url)), route(CALL), secrets_in=CLIENT)

    begun = time.monotonic()
    async with asyncio.timeout(10):
        while len(tokens.forms) < 2:
            assert (await served.get()).status_code == 200

    assert time.monotonic() - begun >= 0.4
    assert {arrival.header("authorization") for arrival in erp.arrivals} == {
        "Bearer token-1",
        "Bearer token-2",
    }


async def test_many_calls_with_a_token_that_ended_early_renew_it_once(
    serve: Serve, upstream: Start
) -> None:
    tokens = TokenServer()
    server, erp = await upstream(tokens.give), await upstream(tokens.check)
    served = await serve(connector(erp.url, auth=oauth(server.url)), route(CALL), secrets_in=CLIENT)
    await served.get()
    tokens.refused.add(tokens.last)

    answered = await asyncio.gather(*(served.get() for _ in range(20)))

    assert {response.status_code for response in answered} == {200}
    assert len(tokens.forms) == 2


async def test_a_401_that_comes_late_does_not_renew_the_new_token(
    serve: Serve, upstream: Start
) -> None:
    tokens = TokenServer()
    late = asyncio.Event()

    def check(arrival: Arrival) -> Behave:
        if arrival.header("authorization") != "Bearer token-1":
            return answer({})
        return answer(status=401, when=late if arrival.path == "/late" else None)

    server, erp = await upstream(tokens.give), await upstream(check)
    served = await serve(
        connector(erp.url, auth=oauth(server.url)),
        route('- call: {connector: erp, path: "/{% $request.query.p %}"}'),
        secrets_in=CLIENT,
    )

    waiting = asyncio.create_task(served.get(params={"p": "late"}))
    await erp.until(lambda erp: erp.under_way == 1)
    assert (await served.get(params={"p": "soon"})).status_code == 200
    late.set()

    assert (await waiting).status_code == 200
    assert len(tokens.forms) == 2


async def test_after_a_401_there_is_one_renewal_and_one_repeat(
    serve: Serve, upstream: Start
) -> None:
    tokens = TokenServer()
    server, erp = await upstream(tokens.give), await upstream(answer(status=401))
    served = await serve(
        connector(erp.url, auth=oauth(server.url), retry={"attempts": 3}),
        route("- call: {connector: erp, method: POST}"),
        secrets_in=CLIENT,
    )

    response = await served.get()

    assert response.json()["detail"] == "erp answered 401"
    assert len(tokens.forms) == 2
    assert len(erp.arrivals) == 2


async def test_tokens_that_a_system_does_not_take_are_not_fetched_with_every_call(
    serve: Serve, upstream: Start
) -> None:
    tokens = TokenServer()
    server, erp = await upstream(tokens.give), await upstream(answer(status=401))
    served = await serve(connector(erp.url, auth=oauth(server.url)), route(CALL), secrets_in=CLIENT)

    answered = [await served.get() for _ in range(20)]

    assert {response.json()["detail"] for response in answered} == {"erp answered 401"}
    assert len(erp.arrivals) > 20
    assert len(tokens.forms) < 12


BAD_TOKENS: list[Any] = [
    pytest.param(answer(status=503), 502, "the token endpoint answered 503", 1, id="503"),
    pytest.param(
        answer({"error": "invalid_scope"}, status=400),
        502,
        "the token endpoint answered 400 (invalid_scope)",
        1,
        id="a scope",
    ),
    pytest.param(
        answer({"error": "canary", "error_description": "s3cr:et"}, status=401),
        502,
        "the token endpoint answered 401: it does not take what the Secret 'erp' holds",
        1,
        id="401",
    ),
    pytest.param(answer(status=400), 502, "the token endpoint answered 400", 1, id="400"),
    pytest.param(
        answer(body=b"<html>"),
        502,
        "the token endpoint answered without an access_token",
        1,
        id="HTML",
    ),
    pytest.param(
        answer({"access_token": 5}),
        502,
        "the token endpoint answered without an access_token",
        1,
        id="a number",
    ),
    pytest.param(hangs(), 504, "the token endpoint did not answer in time", 1, id="no answer"),
    pytest.param(None, 502, "the token endpoint cannot be reached", 0, id="down"),
]


@pytest.mark.parametrize(("behaviour", "status", "detail", "asked"), BAD_TOKENS)
async def test_without_a_token_the_call_fails_and_says_where(
    serve: Serve,
    upstream: Start,
    behaviour: Behave | None,
    status: int,
    detail: str,
    asked: int,
) -> None:
    server, erp = await upstream(behaviour or answer({})), await upstream(answer({}))
    url = server.url if behaviour else f"http://127.0.0.1:{unused_port()}"
    served = await serve(
        connector(
            erp.url,
            auth=oauth(url),
            timeout="300ms",
        ),
        route(CALL),
        secrets_in=CLIENT,
    )

    response = await served.get()

    document = response.json()
    assert (response.status_code, document["type"], document["detail"], document["connector"]) == (
        status,
        "urn:isthmus:problem:SignInFailed",
        f"erp cannot sign in: {detail}",
        "erp",
    )
    assert "s3cr" not in response.text
    assert len(server.arrivals) == asked
    assert erp.arrivals == []


async def test_a_token_endpoint_that_asks_for_time_is_left_alone(
    serve: Serve, upstream: Start
) -> None:
    server = await upstream(answer(status=429, headers=("retry-after: 60",)))
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url, auth=oauth(server.url)), route(CALL), secrets_in=CLIENT)

    answered = [await served.get() for _ in range(20)]

    assert {response.json()["detail"] for response in answered} == {
        "erp cannot sign in: the token endpoint answered 429"
    }
    assert len(server.arrivals) == 1


async def test_a_call_that_may_be_repeated_waits_for_the_next_attempt_to_sign_in(
    serve: Serve, upstream: Start
) -> None:
    tokens = TokenServer()

    def busy_at_first(arrival: Arrival) -> Behave:
        return answer(status=503) if len(server.arrivals) == 1 else tokens.give(arrival)

    server, erp = await upstream(busy_at_first), await upstream(tokens.check)
    retry = {"attempts": 2, "backoff": {"initial": "1ms"}}
    served = await serve(
        connector(erp.url, auth=oauth(server.url), retry=retry), route(CALL), secrets_in=CLIENT
    )

    assert (await served.get()).status_code == 200
    assert len(server.arrivals) == 2


async def test_refused_credentials_are_told_and_heal_when_the_secret_changes(
    serve: Serve, upstream: Start, tmp_path: Path, logged: list[Any]
) -> None:
    tokens = TokenServer()
    server, erp = await upstream(tokens.give), await upstream(tokens.check)
    wrong = {**CLIENT, "erp/secret": CANARY}
    served = await serve(connector(erp.url, auth=oauth(server.url)), route(CALL), secrets_in=wrong)
    gauge = 'isthmus_connector_sign_in_refused{connector="erp",namespace="default"} '
    assert f"{gauge}0.0" in await served.metrics()

    answered = [await served.get() for _ in range(20)]

    refused = "the token endpoint answered 401 (invalid_client): it does not take what the Secret"
    assert {response.json()["detail"] for response in answered} == {
        f"erp cannot sign in: {refused} 'erp' holds"
    }
    assert len(tokens.forms) == 1
    assert f"{gauge}1.0" in await served.metrics()
    (tmp_path / "secrets.env").write_text("".join(f"{k}={v}\n" for k, v in CLIENT.items()))
    assert (await served.get()).status_code == 200
    assert f"{gauge}0.0" in await served.metrics()
    told = [line for line in logged if str(line["event"]).startswith("sign-in")]
    assert [line["event"] for line in told] == ["sign-in is refused", "sign-in works again"]
    assert told[0]["detail"] == f"{refused} 'erp' holds"
    assert told[0]["connector"] == "erp"


async def test_a_failed_sign_in_is_shared_by_all_who_wait_for_it(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    server, erp = await upstream(answer(status=500, when=gate)), await upstream(answer({}))
    served = await serve(connector(erp.url, auth=oauth(server.url)), route(CALL), secrets_in=CLIENT)

    asking = [asyncio.create_task(served.get()) for _ in range(20)]
    async with asyncio.timeout(10):
        while 'route="it"} 20.0' not in await served.metrics():
            pass
    gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {502}
    assert len(server.arrivals) == 1


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({}, "has no line erp/token=…"),
        ({"erp/other": "x", "shop/token": "x"}, "has no line erp/token=…"),
    ],
    ids=["none at all", "another key"],
)
async def test_a_missing_secret_is_named(
    serve: Serve, upstream: Start, given: dict[str, str], detail: str
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, auth={"bearer": {"token": ref("token")}}), route(CALL), secrets_in=given
    )

    response = await served.get()

    assert response.status_code == 502
    assert response.json()["type"] == "urn:isthmus:problem:SecretMissing"
    assert response.json()["detail"].endswith(detail)
    assert response.json()["detail"].startswith("erp cannot sign in: ")
    assert erp.arrivals == []


async def test_a_rotated_line_of_an_env_file_is_used_at_the_next_call(
    serve: Serve, upstream: Start, tmp_path: Path
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, auth={"bearer": {"token": ref("token")}}),
        route(CALL),
        secrets_in={"erp/token": "old"},
    )

    await served.get()
    (tmp_path / "secrets.env").write_text("erp/token=new\n")
    await served.get()

    shown = [arrival.header("authorization") for arrival in erp.arrivals]
    assert shown == ["Bearer old", "Bearer new"]


def test_a_rotated_file_of_a_folder_is_used_within_a_second(tmp_path: Path) -> None:
    (tmp_path / "erp").mkdir()
    (tmp_path / "erp" / "token").write_text("old")
    store = secrets.at(tmp_path)
    key = SecretKeyRef(name="erp", key="token")
    assert store.read(key) == "old"
    (tmp_path / "erp" / "token").write_text("new")

    begun = time.monotonic()
    while store.read(key) != "new":
        assert time.monotonic() - begun < 5
        time.sleep(0.02)


async def test_a_401_to_credentials_that_were_replaced_meanwhile_is_no_answer(
    serve: Serve, upstream: Start, tmp_path: Path
) -> None:
    """The system has taken the new ones in before we were told of them."""
    file = tmp_path / "secrets.env"

    def check(arrival: Arrival) -> Behave:
        file.write_text("erp/token=new\n")
        is_new = arrival.header("authorization") == "Bearer new"
        return answer({}, status=200 if is_new else 401)

    erp = await upstream(check)
    served = await serve(
        connector(erp.url, auth={"bearer": {"token": ref("token")}}),
        route("- call: {connector: erp, method: POST}"),
        secrets_in={"erp/token": "old"},
    )

    assert (await served.get()).status_code == 200
    assert len(erp.arrivals) == 2


async def test_a_401_to_credentials_that_are_the_same_still_is_passed_on_at_once(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer(status=401))
    served = await serve(
        connector(erp.url, auth={"bearer": {"token": ref("token")}}),
        route(CALL),
        secrets_in={"erp/token": "wrong"},
    )

    assert (await served.get()).json()["detail"] == "erp answered 401"
    assert len(erp.arrivals) == 1


CANARY = "canary-4711"
SPECS: dict[str, dict[str, Any]] = {
    "basic": {"basic": {"username": ref("id"), "password": ref("secret")}},
    "bearer": {"bearer": {"token": ref("secret")}},
    "header": {"apiKey": {"header": "x-key", "value": ref("secret")}},
    "query": {"apiKey": {"query": "key", "value": ref("secret")}},
}


async def test_no_secret_is_in_any_problem_log_status_or_metric(
    serve: Serve, upstream: Start, logged: list[Any]
) -> None:
    """The credentials of every kind, on every way a call can fail. A break in the path too."""
    refusing, silent = await upstream(answer(status=401)), await upstream(hangs())
    down = f"http://127.0.0.1:{unused_port()}"
    documents = []
    for kind, spec in [
        *SPECS.items(),
        ("oauth", oauth(refusing.url)),
        ("late", oauth(silent.url)),
        ("down", oauth(down)),
    ]:
        for place, url in (("refusing", refusing.url), ("silent", silent.url), ("gone", down)):
            name = f"{kind}-{place}"
            documents.append(connector(url, name=name, auth=spec, timeout="80ms"))
            documents.append(
                route(
                    f"""- call: {{connector: {name}, path: "/{{% $request.query.p %}}"}}""",
                    name=name,
                    path=f"/{name}",
                )
            )
    documents.append(connector(refusing.url, name="odd", auth=SPECS["query"]))
    documents.append(route("- call: {connector: odd, path: '/a b'}", name="odd", path="/odd"))
    served = await serve(*documents, secrets_in={"erp/id": CANARY, "erp/secret": f"{CANARY}-\x01é"})
    paths = [each.path for each in served.runtime._traffic.table.routes]

    answered = await asyncio.gather(*(served.get(path, params={"p": "x"}) for path in paths))

    assert {response.status_code for response in answered} == {500, 502, 504}
    shown = [response.text + str(response.headers) for response in answered]
    shown += [(await served.admin.get(page)).text for page in ("/status", "/metrics")]
    shown.append(json.dumps(logged, default=repr))
    encoded = base64.b64encode(CANARY.encode()).decode()[:-3]
    assert all(CANARY not in text and encoded not in text for text in shown)
    assert any(CANARY in arrival.target for arrival in refusing.arrivals)


async def test_without_secrets_it_is_said_that_none_were_given() -> None:
    with pytest.raises(secrets.MissingSecret) as told:
        secrets.at(None).read(SecretKeyRef(name="erp", key="k"))

    assert str(told.value) == "the Secret 'erp' with key 'k' is needed; none were given"
