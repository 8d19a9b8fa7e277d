"""remember and lookup: a keyed store that Routes share and that outlives the process."""

import asyncio
import json
from typing import Any

import pytest
from carriers import Carry
from manifests_text import connector, delivering, route
from served import Start, problem
from upstreams import answer

HOOK = {"webhook": {"path": "/hook", "open": True}}
BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])
QUICK = {"retry": {"attempts": 3, "backoff": {"initial": "10ms", "max": "20ms"}}}

READ = route(
    """
    - lookup: {store: customers, key: "{% $request.query.key %}"}
      into: found
    - map: {expression: $found}
    """,
    name="read",
    path="/read",
)
BACK = route(
    """
    - lookup: {store: customers, reference: "{% $request.query.of %}"}
      into: found
    - map: {expression: $found}
    """,
    name="back",
    path="/back",
)
REMEMBER = """
- remember:
    store: customers
    key: "{% id %}"
    value: {name: "{% name %}"}
    reference: "{% erp %}"
"""


@BOTH
async def test_what_a_message_remembers_is_found_by_other_routes_from_both_sides(
    carry: Carry,
) -> None:
    manifests = (delivering(HOOK, REMEMBER), READ, BACK)
    it = await carry(*manifests)
    entry = {"key": "7", "reference": "E7", "value": {"name": "Jan"}}

    await it.send({"id": 7, "name": "Jan", "erp": "E7"})
    await it.until_settled(1)

    assert (await it.http.get("/read?key=7")).json() == entry
    assert (await it.http.get("/back?of=E7")).json() == entry
    assert (await it.http.get("/read?key=8")).json() is None

    await it.stop()
    await it.start(*manifests)
    assert (await it.http.get("/read?key=7")).json() == entry


async def test_a_route_that_answers_has_written_before_it_does(carry: Carry) -> None:
    write = route(REMEMBER, name="write", method="POST", path="/write")
    it = await carry(write, READ)

    for name in ("Jan", "Ann"):
        assert (await it.post("/write", json={"id": 7, "name": name, "erp": "E7"})).is_success
        assert (await it.http.get("/read?key=7")).json()["value"] == {"name": name}


async def test_a_message_reads_what_it_has_remembered_itself(carry: Carry, upstream: Start) -> None:
    erp = await upstream()
    steps = """
    - lookup: {store: s, key: a}
      into: before
    - remember: {store: s, key: a, value: 1, reference: one}
    - lookup: {store: s, key: a}
      into: after
    - lookup: {store: s, reference: one}
      into: back
    - remember: {store: s, key: a, value: 2, reference: two}
    - lookup: {store: s, reference: one}
      into: gone
    - call:
        connector: erp
        method: POST
        body: {of: "{% [$before, $after.value, $back.value, $gone] %}"}
    """
    it = await carry(connector(erp.url), delivering(HOOK, steps))

    await it.send({})
    (kept,) = await it.until_settled(1)

    assert kept.state == "finished", kept.detail
    assert json.loads(erp.arrivals[0].body) == {"of": [None, 1, 1, None]}


async def test_a_failed_attempt_remembers_nothing(carry: Carry, upstream: Start) -> None:
    erp = await upstream(answer(status=503), answer({}))
    steps = """
    - lookup: {store: seen, key: "{% n %}"}
      into: seen
    - filter: "{% $seen = null %}"
    - remember: {store: seen, key: "{% n %}"}
    - call: {connector: erp, method: POST}
    """
    it = await carry(connector(erp.url), delivering(HOOK, steps, delivery=QUICK))

    await it.send({"n": 1})
    await it.until_settled(1)
    await it.send({"n": 1})
    first, second = await it.until_settled(2)

    assert (first.state, first.attempts) == ("finished", 2)
    assert (second.state, second.reason) == ("skipped", "Filtered")


async def test_what_a_filtered_message_remembered_stays(carry: Carry) -> None:
    steps = f"{REMEMBER}\n- filter: '{{% false %}}'"
    it = await carry(delivering(HOOK, steps), READ)

    await it.send({"id": 7, "name": "Jan", "erp": "E"})
    await it.until_settled(1)

    assert (await it.http.get("/read?key=7")).json()["value"] == {"name": "Jan"}


async def test_an_entry_goes_when_its_time_is_over(carry: Carry) -> None:
    write = route(
        "- remember: {store: customers, key: '{% id %}', value: 1, ttl: 300ms}",
        name="write",
        method="POST",
        path="/write",
    )
    it = await carry(write, READ)

    await it.post("/write", json={"id": 7})
    assert (await it.http.get("/read?key=7")).json()["value"] == 1
    async with asyncio.timeout(10):
        while (await it.http.get("/read?key=7")).json() is not None:
            pass


async def test_large_integers_survive_the_store(carry: Carry) -> None:
    write = route(
        "- remember: {store: customers, key: x}", name="write", method="POST", path="/write"
    )
    it = await carry(write, READ)

    await it.post("/write", content=b'{"id":12345678901234567890}')

    assert b'"value":{"id":12345678901234567890}' in (await it.http.get("/read?key=x")).content


@pytest.mark.parametrize("home", ["postgresql"])
async def test_a_store_that_is_away_fails_the_request(carry: Carry, cluster: Any) -> None:
    it = await carry(READ)
    await asyncio.to_thread(cluster.stop)

    refused = await it.http.get("/read?key=7")
    await asyncio.to_thread(cluster.start)

    assert refused.status_code == 503
    assert problem(refused)["type"].endswith("JournalUnavailable")
    async with asyncio.timeout(20):
        while (await it.http.get("/read?key=7")).status_code != 200:
            pass
