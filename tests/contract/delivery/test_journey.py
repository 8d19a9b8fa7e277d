"""What can be seen of a message afterwards, and what cannot."""

from typing import Any

from carriers import Carry
from manifests_text import connector, delivering
from served import Start
from upstreams import answer

HOOK = {"webhook": {"path": "/hook", "open": True}}
QUICK = {"retry": {"attempts": 2, "backoff": {"initial": "10ms", "max": "20ms"}}}
STEPS = """
- name: translate
  map: {expression: "{'no': n, 'buyer': mail}"}
- name: price
  call: {connector: erp, path: "/prices/{% no %}"}
  into: price
- name: order
  call: {connector: erp, method: PUT, path: "/orders/{% no %}"}
"""


async def test_every_step_is_told_with_what_it_got_and_gave(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer({"p": 1}), answer({"created": True}, status=201))
    it = await carry(connector(erp.url), delivering(HOOK, STEPS))

    await it.send({"n": 7, "mail": "a@b.example"})
    (kept,) = await it.until_settled(1)
    translate, price, order = kept.steps

    assert translate["output"] == {"no": 7, "buyer": "a@b.example"}
    assert (price["into"], price["output"]) == ("price", {"p": 1})
    assert order["output"] == {"created": True}
    (call,) = order["calls"]
    assert call.pop("ms") >= 0
    assert call == {
        "connector": "erp",
        "method": "PUT",
        "path": "/orders/7",
        "status": 201,
        "answer": {"created": True},
    }


async def test_a_failure_is_told_with_what_the_system_answered(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream(answer({}), answer({"why": "no such customer"}, status=422))
    it = await carry(connector(erp.url), delivering(HOOK, STEPS))

    await it.send({"n": 7})
    (kept,) = await it.until_settled(1)
    order = kept.steps[-1]

    assert order["failure"] == {
        "reason": "UnexpectedStatus",
        "detail": "erp answered 422",
        "step": "order",
        "connector": "erp",
    }
    assert order["calls"][0]["answer"] == {"why": "no such customer"}
    assert order["calls"][0]["reason"] == "UnexpectedStatus"


async def test_masked_fields_and_secrets_are_nowhere_in_it(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(
        answer({"echo": "canary-token"}),
        answer({"mail": "canary@b.example", "x": "for canary@b.example"}, status=422),
    )
    token = {"secretKeyRef": {"name": "erp", "key": "token"}}
    it = await carry(
        connector(erp.url, auth={"bearer": {"token": token}}),
        delivering(HOOK, STEPS, privacy={"mask": ["mail", "**.card"]}),
        secrets_in={"erp/token": "canary-token"},
    )

    await it.send({"n": "canary@b.example", "mail": "canary@b.example", "card": 41111111})
    (kept,) = await it.until_settled(1)

    assert erp.arrivals[0].header("authorization") == "Bearer canary-token"
    assert kept.steps[0]["output"] == {"no": "***", "buyer": "***"}
    assert kept.steps[2]["calls"][0]["path"] == "/orders/***"
    assert b"canary" not in kept.journey
    assert b"41111111" not in kept.journey
    assert "canary" not in kept.detail + repr(logged)


async def test_every_attempt_is_told(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=503), answer({}))
    it = await carry(
        connector(erp.url),
        delivering(HOOK, "- call: {connector: erp, method: POST}", delivery=QUICK),
    )

    await it.send({"n": 7})
    await it.until_settled(1)
    attempts = await it.rows("SELECT state, reason, attempts FROM attempts")

    assert attempts == [{"state": "retry", "reason": "UnexpectedStatus", "attempts": 1}]
