"""A webhook takes messages, and says so only when they are safe."""

from carriers import Carry
from manifests_text import connector, delivering
from served import Start
from upstreams import answer

OPEN = {"webhook": {"path": "/hook", "open": True}}
SEND = "- call: {connector: erp, method: POST, path: /orders}"


async def test_a_message_is_accepted_and_delivered(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer({"number": 7}))
    it = await carry(connector(erp.url), delivering(OPEN, SEND))

    response = await it.post(json={"order": 1})
    (kept,) = await it.until_settled(1)

    assert (response.status_code, response.json()) == (202, {"accepted": 1})
    assert (kept.state, kept.attempts) == ("finished", 1)
    assert [arrival.body for arrival in erp.arrivals] == [b'{"order":1}']
