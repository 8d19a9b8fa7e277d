"""Starting, replacing, leaving with messages under way; a journal that comes late or goes away."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import journals
import postgres
import pytest
from carriers import Carrier, Carry
from manifests_text import connector, delivering, plans, route
from served import Start, problem
from upstreams import answer

from isthmus_runtime import secrets, testing
from isthmus_runtime.deliveries import Deliveries
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.access import Access
from isthmus_runtime.runtime import NoJournal, Runtime, Settings
from isthmus_runtime.secrets import NotedSecrets

HOOK = {"webhook": {"path": "/hook", "open": True}}
SEND = "- call: {connector: erp, method: POST, path: /1}"
KEEP = "- filter: '{% false %}'"
BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])
ON_POSTGRESQL = pytest.mark.parametrize("home", ["postgresql"])


def it_sends(steps: str = SEND, **spec: Any) -> str:
    return delivering(HOOK, steps, delivery={"timeout": "60s", **spec.pop("delivery", {})}, **spec)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - pages and databases have no event
            await asyncio.sleep(0.02)


async def test_a_drain_finishes_what_is_under_way_and_claims_nothing_more(
    carry: Carry, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    manifests = (connector(erp.url, timeout="60s"), it_sends(delivery={"concurrency": 2}))
    it = await carry(*manifests, drain_seconds=20)
    await it.send(*({"n": n} for n in range(5)))
    await erp.until(lambda erp: erp.under_way == 2)

    draining = asyncio.create_task(it.runtime.drain())
    await until(lambda: _is_closed(it))
    gate.set()
    await draining
    kept = await it.messages()

    assert [each.state for each in kept] == ["finished"] * 2 + ["new"] * 3
    assert len(erp.arrivals) == 2


async def _is_closed(it: Carrier) -> bool:
    return it.runtime.is_ready() is False


@BOTH
async def test_what_does_not_finish_in_time_is_given_back_and_does_not_count(
    carry: Carry, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    manifests = (connector(erp.url, timeout="60s"), it_sends())
    it = await carry(*manifests, drain_seconds=0.2)
    await it.send({"n": 1})
    await erp.until(lambda erp: erp.under_way == 1)

    started = time.monotonic()
    await it.stop()
    took = time.monotonic() - started
    (left,) = await it.messages()
    gate.set()
    await it.start(*manifests)
    (kept,) = await it.until_settled(1)

    assert took < 5
    assert (left.state, left.attempts) == ("new", 0)
    assert (kept.state, kept.attempts) == ("finished", 1)


async def test_a_message_under_way_finishes_on_the_revision_it_started_with(
    carry: Carry, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate), answer({}))
    twice = f"{SEND}\n- call: {{connector: erp, method: POST, path: /2}}"
    system = connector(erp.url, timeout="60s")
    it = await carry(system, it_sends(twice))
    await it.send({"n": 1})
    await erp.until(lambda erp: erp.under_way == 1)

    await it.load(system, it_sends("- call: {connector: erp, method: POST, path: /new}"))
    await it.send({"n": 2})
    await erp.until(lambda erp: len(erp.arrivals) == 2)
    gate.set()
    await it.until_settled(2)

    assert [arrival.path for arrival in erp.arrivals] == ["/1", "/new", "/2"]


async def test_a_route_that_goes_leaves_its_messages_for_when_it_comes_back(
    carry: Carry, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    system = connector(erp.url, timeout="60s")
    it = await carry(system, it_sends(delivery={"concurrency": 1}))
    await it.send({"n": 1}, {"n": 2})
    await erp.until(lambda erp: erp.under_way == 1)

    await it.load(route(KEEP, name="other", path="/other"))
    assert (await it.post(json={})).status_code == 404
    gate.set()
    kept = await it.until_settled(1)
    assert [each.state for each in kept] == ["finished", "new"]

    await it.load(system, it_sends(delivery={"concurrency": 1}))
    await it.until_settled(2)


async def test_an_unchanged_route_goes_on_while_another_one_changes(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream()
    system = connector(erp.url)
    it = await carry(system, it_sends())

    await it.load(system, it_sends(), route(KEEP, name="other", path="/other"))
    await it.send({"n": 1})

    assert [each.state for each in await it.until_settled(1)] == ["finished"]


@ON_POSTGRESQL
async def test_a_journal_that_comes_late_is_waited_for(
    carry: Carry, cluster: postgres.Cluster, upstream: Start
) -> None:
    erp = await upstream()
    await asyncio.to_thread(cluster.stop)
    it = await carry(connector(erp.url), it_sends())

    ready = await it.admin.get("/readyz")
    refused = await it.post(json={})
    status = await it.status()
    await asyncio.to_thread(cluster.start)
    await until(lambda: _is_ready(it))
    await it.send({"n": 1})

    assert ready.status_code == 503
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert problem(refused)["type"].endswith("JournalUnavailable")
    assert status["journal"]["open"] is False
    assert "cannot be reached" in status["journal"]["detail"]
    assert [each.state for each in await it.until_settled(1)] == ["finished"]


async def _is_ready(it: Carrier) -> bool:
    return (await it.admin.get("/readyz")).status_code == 200


@ON_POSTGRESQL
async def test_a_journal_that_goes_away_is_waited_for_and_nothing_is_lost(
    carry: Carry, cluster: postgres.Cluster, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate), answer({}))
    it = await carry(connector(erp.url, timeout="60s"), it_sends())
    await it.send({"n": 1})
    await erp.until(lambda erp: erp.under_way == 1)

    await asyncio.to_thread(cluster.stop)
    gate.set()  # it is delivered, and cannot be settled yet
    refused = await it.post(json={"n": 2})
    is_ready = await _is_ready(it)
    await asyncio.to_thread(cluster.start)
    await until(lambda: _is_accepted(it, {"n": 3}))
    kept = await it.until_settled(2)

    assert refused.status_code == 503
    assert is_ready
    assert [(each.body, each.state) for each in kept] == [
        (b'{"n":1}', "finished"),
        (b'{"n":3}', "finished"),
    ]
    assert [arrival.body for arrival in erp.arrivals] == [b'{"n":1}', b'{"n":3}']


async def _is_accepted(it: Carrier, body: Any) -> bool:
    return (await it.post(json=body)).status_code == 202


@ON_POSTGRESQL
async def test_several_replicas_share_the_work_and_keep_the_order_of_keys(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream(lambda arrival: answer({}, after=0.005))
    manifests = (
        connector(erp.url),
        it_sends(message={"key": "{% key %}"}, delivery={"order": "key", "concurrency": 4}),
    )
    replicas = [await carry(*manifests) for _ in range(3)]

    for number in range(300):
        await replicas[number % 3].send({"key": number % 10, "number": number})
    kept = await replicas[0].until_settled(300, within=60)

    arrived: dict[int, list[int]] = {}
    for arrival in erp.arrivals:
        body = json.loads(arrival.body)
        arrived.setdefault(body["key"], []).append(body["number"])
    assert {each.state for each in kept} == {"finished"}
    assert len(erp.arrivals) == 300
    assert all(numbers == sorted(numbers) for numbers in arrived.values())
    owners = await replicas[0].rows("SELECT DISTINCT owner FROM outcomes")
    assert len(owners) == 3


async def test_the_status_page_and_the_metrics_tell_of_messages(
    carry: Carry, upstream: Start
) -> None:
    erp = await upstream(answer({}), answer(status=404))
    it = await carry(connector(erp.url), it_sends(name="told"))

    await it.send({"n": 1}, {"n": 2})
    await it.until_settled(2, route="default/told")
    (told,) = (await it.status())["routes"]
    where = 'namespace="default"'
    text = await it.metrics()

    assert told["source"] == {"kind": "webhook", "method": "POST", "path": "/hook"}
    assert (told["inFlight"], told["name"]) == (0, "told")
    for line in (
        f'isthmus_messages_accepted_total{{{where},route="told"}} 2.0',
        f'isthmus_messages_settled_total{{{where},reason="",route="told",state="finished"}} 1.0',
        f'isthmus_messages_settled_total{{{where},reason="UnexpectedStatus",route="told",'
        'state="dead"} 1.0',
        f'isthmus_messages_in_flight{{{where},route="told"}} 0.0',
        f'isthmus_messages_attempt_duration_seconds_count{{{where},route="told"}} 2.0',
        f'isthmus_messages_accept_duration_seconds_count{{{where},route="told"}} 2.0',
        f'isthmus_messages_delivery_lag_seconds_count{{{where},route="told"}} 1.0',
        f'isthmus_messages_backlog{{{where},route="told"}} 0.0',
    ):
        assert line in text


async def test_a_line_is_logged_for_each_attempt_without_key_and_body(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(answer({"canary": 1}, status=422))
    it = await carry(connector(erp.url), it_sends(message={"key": "{% key %}"}))

    await it.send({"key": "canary", "text": "canary"})
    (kept,) = await it.until_settled(1)
    await until(lambda: _is_logged(logged, "attempt"))

    (line,) = [line for line in logged if line["event"] == "attempt"]
    assert (
        line.items()
        >= {
            "route": "default/it",
            "uid": kept.uid,
            "correlationId": kept.correlation_id,
            "attempt": 1,
            "state": "dead",
            "reason": "UnexpectedStatus",
            "detail": "call-0: erp answered 422",
        }.items()
    )
    assert "canary" not in repr(logged)


async def _is_logged(logged: list[dict[str, Any]], event: str) -> bool:
    return any(line["event"] == event for line in logged)


async def test_without_a_journal_a_route_that_needs_one_is_refused() -> None:
    runtime = Runtime(Settings(port=0, admin_port=0), secrets.NoSecrets())

    with pytest.raises(NoJournal, match="set ISTHMUS_JOURNAL_FILE"):
        await runtime.load(plans(it_sends(KEEP)))


async def test_the_address_of_the_journal_may_be_in_a_file(
    carry: Carry, address: str, tmp_path: Path
) -> None:
    file = tmp_path / "address"
    file.write_text(f"{address}\n")
    it = await carry(it_sends(KEEP), journal="", journal_file=file)

    await it.send({})
    assert len(await it.until_settled(1)) == 1


def test_routes_that_answer_import_nothing_of_the_journal() -> None:
    """Their processes start sooner, and take less."""
    asked = "import sys, isthmus_runtime.__main__; print(*sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    ours = {name for name in said.stdout.split() if name.startswith("isthmus_runtime.")}

    assert not {name for name in ours if "journal" in name or "delivery" in name}
    assert not ours & {"isthmus_runtime.stores", "isthmus_runtime.sources"}
    assert not {"asyncpg", "alembic", "sqlalchemy", "cronsim"} & set(said.stdout.split())


async def test_messages_are_forgotten_as_the_route_says(address: str, tmp_path: Path) -> None:
    journal = await opening.open(address)
    await journals.accepted(journal, *("{}" for _ in range(10)), route="default/it")
    for message in await journal.claim(journals.wish(route="default/it")):
        await journal.settle(journals.ended(message))
    await journal.close()
    (plan,) = plans(it_sends(KEEP, retention={"count": 3}))

    access = Access(lambda: opening.open(address))
    deliveries = Deliveries(access, NotedSecrets(secrets.NoSecrets()), pruned_every=0.02)
    await deliveries.use([deliveries.route(plan, {}, testing.Introduced(None))])
    deliveries.start()
    carrier = Carrier(address, tmp_path / "secrets.env", {})
    await carrier.until(lambda found: len(found) == 3)
    await deliveries.drain(0)
    await access.close()


@BOTH
async def test_claims_last_as_long_as_the_settings_say(carry: Carry, upstream: Start) -> None:
    """What a killed process had is taken up after that, so nothing else may decide it."""
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    it = await carry(connector(erp.url, timeout="60s"), it_sends(), claim_seconds=600)
    await it.send({"n": 1})
    await erp.until(lambda erp: erp.under_way == 1)

    [claim] = await it.rows("SELECT state, due_at - since AS lasts FROM queue")
    gate.set()
    await it.until_settled(1)

    assert claim["state"] == "processing"
    assert claim["lasts"] >= 599
