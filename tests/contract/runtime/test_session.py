"""Sessions: a log-in call whose answer lets the calls after it in, against systems that check."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from manifests_text import connector, route
from served import Serve, Start
from upstreams import Arrival, Behave, answer, hangs

CALL = "- call: {connector: erp, method: POST, path: /orders}"
VALUES = {"erp/user": "anna", "erp/password": 'p"&ss wörd'}
SECRETS = {
    "user": {"secretKeyRef": {"name": "erp", "key": "user"}},
    "password": {"secretKeyRef": {"name": "erp", "key": "password"}},
}
IN_JSON = {"user": "{% $secrets.user %}", "password": "{% $secrets.password %}"}
BEARER = {"Authorization": "Bearer {% $token %}"}
WITH_TOKEN = {
    "secrets": SECRETS,
    "login": {"path": "/login", "body": IN_JSON},
    "token": "{% token %}",
    "headers": BEARER,
}
WITH_COOKIES = {
    "secrets": SECRETS,
    "login": {"path": "/login", "form": IN_JSON},
    "cookies": ["SESSION", "NODE"],
}


@dataclass
class Vendor:
    """Lets in who knows the password, and then who shows the newest token or cookies."""

    says_no: Behave = field(default_factory=lambda: answer(status=401))
    gate: asyncio.Event | None = None
    logged_in: list[Arrival] = field(default_factory=list)
    called: list[Arrival] = field(default_factory=list)
    ended: bool = False
    """The session has ended, and nobody said so."""

    @property
    def token(self) -> str:
        return f"t{len(self.logged_in)}"

    def __call__(self, arrival: Arrival) -> Behave:
        return self._log_in(arrival) if arrival.path.endswith("/login") else self._call(arrival)

    def _log_in(self, arrival: Arrival) -> Behave:
        self.logged_in.append(arrival)
        if _given(arrival) != {"user": "anna", "password": 'p"&ss wörd'}:
            return answer(status=403)
        self.ended = False
        cookies = (f"set-cookie: SESSION={self.token}; Path=/; HttpOnly", "set-cookie: NODE=n.1")
        return answer({"token": self.token}, headers=(*cookies, f"x-token: {self.token}"),
                      when=self.gate)  # fmt: skip

    def _call(self, arrival: Arrival) -> Behave:
        self.called.append(arrival)
        shown = {arrival.header("authorization"), arrival.header("cookie")}
        is_in = shown & {f"Bearer {self.token}", f"SESSION={self.token}; NODE=n.1"}
        return answer({}) if is_in and not self.ended else self.says_no


def _given(arrival: Arrival) -> dict[str, str]:
    if arrival.header("content-type") == "application/x-www-form-urlencoded":
        return {name: value for name, [value] in parse_qs(arrival.body.decode()).items()}
    found: dict[str, str] = json.loads(arrival.body)
    return found


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(WITH_TOKEN, id="token of a JSON answer"),
        pytest.param({**WITH_TOKEN, "token": "{% $headers.'x-token' %}"}, id="token of a header"),
        pytest.param(WITH_COOKIES, id="cookies"),
    ],
)
async def test_one_log_in_lets_all_calls_in(
    serve: Serve, upstream: Start, spec: dict[str, Any]
) -> None:
    vendor = Vendor(gate=asyncio.Event())
    erp = await upstream(vendor)
    shop = {"X-Shop": "nl"}
    served = await serve(
        connector(f"{erp.url}/api", auth={"session": spec}, headers=shop),
        route(CALL),
        secrets_in=VALUES,
    )

    asking = [asyncio.create_task(served.get()) for _ in range(20)]
    async with asyncio.timeout(10):
        while 'route="it"} 20.0' not in await served.metrics():
            pass
    assert vendor.gate is not None
    vendor.gate.set()
    answered = await asyncio.gather(*asking)

    assert {response.status_code for response in answered} == {200}
    assert [(each.method, each.target) for each in vendor.logged_in] == [("POST", "/api/login")]
    assert vendor.logged_in[0].header("x-shop") == "nl"


async def test_after_a_401_there_is_one_log_in_for_all(serve: Serve, upstream: Start) -> None:
    vendor = Vendor()
    erp = await upstream(vendor)
    served = await serve(
        connector(erp.url, auth={"session": WITH_TOKEN}), route(CALL), secrets_in=VALUES
    )
    await served.get()
    vendor.ended = True

    answered = await asyncio.gather(*(served.get() for _ in range(20)))

    assert {response.status_code for response in answered} == {200}
    assert len(vendor.logged_in) == 2


@pytest.mark.parametrize(
    ("says_no", "expired"),
    [
        pytest.param(
            answer(status=302, headers=("location: /ui/login?back=1",)),
            "{% $status = 302 and $contains($headers.location, '/login') %}",
            id="sent to the log-in page",
        ),
        pytest.param(
            answer({"error": {"code": 301}}), "{% error.code = 301 %}", id="200 with an error"
        ),
        pytest.param(
            answer(body=b"<html>log in", content_type="text/html"),
            "{% $contains($headers.'content-type', 'html') %}",
            id="the page itself",
        ),
        pytest.param(answer({}, status=403), "{% $status = 403 %}", id="403"),
    ],
)
async def test_a_session_has_ended_when_the_connector_says_so(
    serve: Serve, upstream: Start, says_no: Behave, expired: str
) -> None:
    vendor = Vendor(says_no)
    erp = await upstream(vendor)
    spec = {**WITH_TOKEN, "expiredWhen": expired}
    served = await serve(connector(erp.url, auth={"session": spec}), route(CALL), secrets_in=VALUES)
    await served.get()
    vendor.ended = True

    response = await served.get()

    assert (response.status_code, response.json()) == (200, {})
    assert (len(vendor.logged_in), len(vendor.called)) == (2, 3)


async def test_a_session_that_ends_at_once_is_no_success(serve: Serve, upstream: Start) -> None:
    """The system answers 200 and means no, to a new session too."""

    def choose(arrival: Arrival) -> Behave:
        return answer({"token": "t"} if arrival.path == "/login" else {"error": 1})

    erp = await upstream(choose)
    spec = {**WITH_TOKEN, "expiredWhen": "{% error = 1 %}"}
    served = await serve(connector(erp.url, auth={"session": spec}), route(CALL), secrets_in=VALUES)

    response = await served.get()

    assert response.status_code == 502
    assert response.json()["detail"] == "erp does not take the session that it has just given"
    assert [arrival.path for arrival in erp.arrivals] == ["/login", "/orders"] * 2


@pytest.mark.parametrize("status", [200, 401])
async def test_sessions_that_end_at_once_are_not_begun_with_every_call(
    serve: Serve, upstream: Start, status: int
) -> None:
    def choose(arrival: Arrival) -> Behave:
        if arrival.path == "/login":
            return answer({"token": "t"})
        return answer({"error": 1}, status=status)

    erp = await upstream(choose)
    spec = {**WITH_TOKEN, "expiredWhen": "{% error = 1 %}"}
    served = await serve(connector(erp.url, auth={"session": spec}), route(CALL), secrets_in=VALUES)

    answered = [await served.get() for _ in range(20)]

    assert {response.status_code for response in answered} == {502}
    assert sum(arrival.path == "/login" for arrival in erp.arrivals) < 12


async def test_a_session_is_renewed_ahead_of_its_end(serve: Serve, upstream: Start) -> None:
    vendor = Vendor()
    erp = await upstream(vendor)
    spec = {**WITH_TOKEN, "lifetime": "300ms"}
    served = await serve(connector(erp.url, auth={"session": spec}), route(CALL), secrets_in=VALUES)

    async with asyncio.timeout(10):
        while len(vendor.logged_in) < 2:
            assert (await served.get()).status_code == 200

    assert len(vendor.called) >= 2


CANARY = "canary-4711"
BAD: list[Any] = [
    pytest.param(
        answer(status=403),
        {},
        "the log-in answered 403: it does not take what the Secret 'erp' holds",
        id="refused",
    ),
    pytest.param(answer(status=503), {}, "the log-in answered 503", id="busy"),
    pytest.param(hangs(), {}, "the log-in did not answer in time", id="silent"),
    pytest.param(
        answer({"other": CANARY}),
        {},
        "auth.session.token finds no text in the answer to the log-in",
        id="no token",
    ),
    pytest.param(
        answer({"token": [CANARY]}),
        {"token": "{% $number(token) %}"},
        "auth.session.token cannot be made [T0410]",
        id="an expression that fails",
    ),
    pytest.param(
        answer({"token": f"{CANARY}\n"}),
        {},
        "auth.session.headers.Authorization cannot be made [TemplateRefused]",
        id="a token with a line end",
    ),
    pytest.param(
        answer({}),
        WITH_COOKIES | {"token": None, "headers": None, "login": WITH_TOKEN["login"]},
        "the answer to the log-in sets no cookie SESSION, NODE",
        id="no cookie",
    ),
]


@pytest.mark.parametrize(("behaviour", "more", "detail"), BAD)
async def test_a_log_in_that_fails_says_why_and_no_credential(
    serve: Serve,
    upstream: Start,
    behaviour: Behave,
    more: dict[str, Any],
    detail: str,
    logged: list[Any],
) -> None:
    erp = await upstream(behaviour)
    served = await serve(
        connector(erp.url, auth={"session": {**WITH_TOKEN, **more}}, timeout="400ms"),
        route(CALL),
        secrets_in=dict.fromkeys(VALUES, CANARY),
    )

    response = await served.get()

    assert response.json()["type"] == "urn:isthmus:problem:SignInFailed"
    assert response.json()["detail"] == f"erp cannot sign in: {detail}"
    shown = [response.text, json.dumps(logged, default=repr), await served.metrics()]
    assert all(CANARY not in text for text in shown)
    assert {arrival.path for arrival in erp.arrivals} == {"/login"}
    assert CANARY in erp.arrivals[0].body.decode()
