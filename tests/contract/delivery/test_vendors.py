"""What vendors do: each behaviour gets its class, its reason and its count, and loses nothing."""

import json
from collections import Counter
from typing import Any

import pytest
from carriers import Carry
from manifests_text import connector, delivering
from prometheus_client.parser import text_string_to_metric_families
from served import Start
from upstreams import answer
from vendor_behaviours import BEHAVIOURS, LARGEST, TIMEOUT, Behaviour

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.desk import Act, Filter

HOOK = {"webhook": {"path": "/hook", "open": True}}
SEND = "- call: {connector: erp, method: POST, path: /in}"
QUICK = {"retry": {"attempts": 3, "backoff": {"initial": "1ms", "max": "5ms"}}}
FAILS = "{% errors ? {'message': errors[0].message, 'retry': errors[0].code = 'THROTTLED'} %}"
TAKEN: dict[str, Any] = {
    "timeout": TIMEOUT,
    "maxResponseSize": LARGEST,
    "answer": {"as": "json", "failWhen": FAILS},
}
ACT = Act(name="mended", who="sam", why="the vendor is well again")


def counts(exposed: str) -> Counter[str]:
    """How often the ERP was called, by result."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            if sample.name == "isthmus_connector_calls_total":
                found[sample.labels["result"]] += int(sample.value)
    return found


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda each: each.name)
async def test_a_behaviour_is_told_counted_and_loses_nothing(
    carry: Carry, upstream: Start, behaviour: Behaviour
) -> None:
    erp = await upstream(behaviour.behave, answer({"ok": True}))
    it = await carry(connector(erp.url, **TAKEN), delivering(HOOK, SEND, delivery=QUICK))

    before = counts(await it.metrics())
    await it.send({"number": 7})
    [settled] = await it.until_settled(1)
    first = await it.rows("SELECT reason FROM attempts")

    assert (counts(await it.metrics()) - before)[behaviour.counted] >= 1
    match behaviour.kind:
        case "delivered":
            assert (settled.state, settled.attempts) == ("finished", 1)
        case "passing":
            assert (settled.state, settled.attempts) == ("finished", 2)
            assert [each["reason"] for each in first] == [behaviour.reason]
        case "permanent":
            assert (settled.state, settled.reason) == ("dead", behaviour.reason)
            assert "erp" in settled.detail
            desk = await opening.desk(it.address)
            assert [step async for step in desk.replay(ACT, Filter(uids=(settled.uid,)))]
            await desk.close()
            [settled] = await it.until(lambda found: found[0].state == "finished")
    assert json.loads(erp.arrivals[-1].body) == {"number": 7}
    assert await it.rows("SELECT sequence FROM queue") == []
