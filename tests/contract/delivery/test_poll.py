"""A poll delivers what is new and nothing twice, and lets a slow target slow it."""

import asyncio
import json
from typing import Any

import pytest
from carriers import Carrier, Carry
from manifests_text import connector, delivering
from served import Start
from upstreams import Arrival, Behave, answer

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.desk import Act

BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])
SEND = "- call: {connector: erp, method: POST, path: /in}"
QUICK = {"retry": {"attempts": 3, "backoff": {"initial": "10ms", "max": "20ms"}}}


class Pim:
    """A system with products, that gives them page by page."""

    def __init__(self, count: int, *, size: int = 1000) -> None:
        self.products: list[dict[str, Any]] = [
            {"sku": f"sku-{n:05}", "price": n, "updated": f"2026-01-01T00:00:{n % 60:02}Z"}
            for n in range(count)
        ]
        self.size = size
        self.asked: list[dict[str, str]] = []
        self.behave: list[Behave] = []

    def __call__(self, arrival: Arrival) -> Behave:
        query = {name: values[0] for name, values in arrival.query.items()}
        self.asked.append(query)
        if self.behave:
            return self.behave.pop(0)
        since = query.get("since", "")
        found = [product for product in self.products if product["updated"] >= since]
        start = (int(query.get("page", 1)) - 1) * self.size
        return answer({"items": found[start : start + self.size], "total": len(found)})

    @property
    def runs(self) -> int:
        """How often it was asked for a first page."""
        return sum(query.get("page", "1") == "1" for query in self.asked)


def poll(**spec: Any) -> dict[str, Any]:
    query = {"since": "{% $watermark %}"} if "watermark" in spec else {}
    return {
        "poll": {
            "every": "1s",
            "call": {"connector": "pim", "path": "/products", "query": query},
            "records": "{% items %}",
            "pagination": {"page": {}},
            **spec,
        }
    }


def it_polls(source: dict[str, Any], steps: str = SEND, **spec: Any) -> str:
    delivery = {**QUICK, **spec.pop("delivery", {})}
    return delivering(source, steps, delivery=delivery, **spec)


async def until_runs(pim: Pim, count: int) -> None:
    """Wait until so many runs have begun."""
    async with asyncio.timeout(60):
        while pim.runs < count:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)


def skus(arrivals: list[Arrival]) -> list[str]:
    return [json.loads(arrival.body)["sku"] for arrival in arrivals]


async def test_each_record_of_each_page_is_a_message(carry: Carry, upstream: Start) -> None:
    pim = Pim(25, size=10)
    source, erp = await upstream(pim), await upstream()
    it = await carry(
        connector(source.url, name="pim"), connector(erp.url), it_polls(poll(every="1h"))
    )

    kept = await it.until_settled(25)
    status = (await it.status())["routes"][0]["source"]

    assert sorted(skus(erp.arrivals)) == [product["sku"] for product in pim.products]
    assert {each.state for each in kept} == {"finished"}
    assert [query["page"] for query in pim.asked] == ["1", "2", "3", "4"]
    assert (status["kind"], status["leads"]) == ("poll", True)
    assert status["lastRun"] == {"pages": 4, "records": 25, "accepted": 25}


async def test_a_second_poll_over_10000_unchanged_products_delivers_0_and_3_edits_deliver_3(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(10_000)
    source, erp = await upstream(pim), await upstream()
    it = await carry(
        connector(source.url, name="pim"),
        connector(erp.url, maxConnections=16),
        it_polls(
            poll(changeDetection={"fields": "{% {'price': price} %}"}),
            message={"key": "{% sku %}"},
            delivery={"concurrency": 16},
        ),
    )

    await it.until_settled(10_000, within=240)
    runs = pim.runs
    await until_runs(pim, runs + 2)  # one whole run that found nothing new
    unchanged = len(await it.messages())
    for n in (1, 500, 9_999):
        pim.products[n] = {**pim.products[n], "price": -n}
    pim.products[7] = {**pim.products[7], "text": "what is not compared"}
    await it.until_settled(10_003)
    runs = pim.runs
    await until_runs(pim, runs + 2)
    kept = await it.messages()

    assert unchanged == 10_000
    assert len(kept) == 10_003
    assert sorted(skus(erp.arrivals[10_000:])) == ["sku-00001", "sku-00500", "sku-09999"]


@BOTH
async def test_a_record_that_died_waits_and_is_not_taken_for_delivered(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(3)
    source = await upstream(pim)
    erp = await upstream(*[answer(status=422)] * 3, answer({}))
    manifests = (
        connector(source.url, name="pim"),
        connector(erp.url),
        it_polls(poll(changeDetection={}), message={"key": "{% sku %}"}),
    )
    it = await carry(*manifests)

    # It does not come again with every run: it is there already, to be mended and replayed.
    await it.until_settled(3)
    await until_runs(pim, pim.runs + 2)
    waiting = await it.messages()
    # A new process does not bring it, either. What changes then was not delivered, so it is news.
    await it.stop()
    await it.start(*manifests)
    await until_runs(pim, pim.runs + 2)
    still = await it.messages()
    pim.products[1]["price"] = 99
    kept = await it.until_settled(4)

    assert [each.state for each in waiting] == ["dead"] * 3
    assert [each.uid for each in still] == [each.uid for each in waiting]
    assert [each.state for each in kept] == ["dead"] * 3 + ["finished"]
    assert skus(erp.arrivals[3:]) == ["sku-00001"]


@BOTH
async def test_a_crash_between_fetch_and_delivery_delivers(carry: Carry, upstream: Start) -> None:
    pim = Pim(5)
    source = await upstream(pim)
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    manifests = (
        connector(source.url, name="pim"),
        connector(erp.url, timeout="60s"),
        it_polls(
            poll(every="1h", watermark={"value": "{% updated %}"}),
            delivery={"concurrency": 2, "timeout": "60s"},
        ),
    )
    it = await carry(*manifests)
    await erp.until(lambda erp: erp.under_way == 2)

    await it.stop()  # with no time to finish
    gate.set()
    await it.start(*manifests)
    kept = await it.until_settled(5)

    assert {each.state for each in kept} == {"finished"}
    assert set(skus(erp.arrivals)) == {product["sku"] for product in pim.products}


@BOTH
async def test_a_watermark_moves_when_everything_up_to_it_is_settled(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(3)
    source = await upstream(pim)
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    watermark = {"value": "{% updated %}", "initial": "2025-01-01T00:00:00Z", "overlap": "1s"}
    manifests = (
        connector(source.url, name="pim"),
        connector(erp.url, timeout="60s"),
        it_polls(
            poll(watermark=watermark),
            message={"key": "{% sku %}"},
            delivery={"timeout": "60s"},
        ),
    )
    it = await carry(*manifests)
    await erp.until(lambda erp: erp.under_way == 3)
    await until_runs(pim, 3)

    # This process reads on, for what it read is safe; the journal has no watermark yet.
    assert pim.asked[0]["since"] == "2025-01-01T00:00:00Z"
    assert {query["since"] for query in pim.asked[2:]} == {"2026-01-01T00:00:01Z"}
    assert await it.rows("SELECT watermark FROM watermarks") == []
    gate.set()
    await it.until_settled(3)
    runs = pim.runs
    await until_runs(pim, runs + 2)
    assert await it.rows("SELECT watermark FROM watermarks") == [
        {"watermark": '"2026-01-01T00:00:02Z"'}
    ]

    # Another process begins there; what it reads again because of the overlap is no news.
    await it.stop()
    asked = len(pim.asked)
    await it.start(*manifests)
    await until_runs(pim, pim.runs + 2)
    assert pim.asked[asked]["since"] == "2026-01-01T00:00:01Z"
    assert len(await it.messages()) == 3


async def test_a_process_that_dies_before_delivery_reads_again_from_the_watermark(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(2)
    source = await upstream(pim)
    erp = await upstream(answer({}, when=asyncio.Event()))
    manifests = (
        connector(source.url, name="pim"),
        connector(erp.url, timeout="60s"),
        it_polls(
            poll(watermark={"value": "{% updated %}"}),
            message={"key": "{% sku %}"},
            delivery={"timeout": "60s"},
        ),
    )
    it = await carry(*manifests)
    await erp.until(lambda erp: erp.under_way == 2)
    await until_runs(pim, 2)

    await it.stop()
    asked = len(pim.asked)
    await it.start(*manifests)
    await until_runs(pim, pim.runs + 1)

    assert "since" not in pim.asked[asked]
    assert len(await it.messages()) == 2  # they are under way, so they are not accepted again


async def test_pages_are_counted_as_they_come(carry: Carry, upstream: Start) -> None:
    """Three pages of a hundred, of which 99 in 100 are left out, are still three pages."""
    pim = Pim(300, size=100)
    source, erp = await upstream(pim), await upstream()
    it = await carry(
        connector(source.url, name="pim"),
        connector(erp.url),
        it_polls(
            poll(
                every="1h",
                pagination={"page": {"size": 100}},
                records="{% items[price % 100 = 0] %}",
            ),
        ),
    )

    await it.until_settled(3)

    assert sorted(skus(erp.arrivals)) == ["sku-00000", "sku-00100", "sku-00200"]
    assert [query["page"] for query in pim.asked] == ["1", "2", "3", "4"]


async def test_a_page_that_fails_is_asked_for_again_and_a_run_that_fails_begins_again(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    pim = Pim(3)
    first = answer({"items": pim.products[:1]})
    pim.behave = [answer(status=503), first, answer(status=404)]
    source, erp = await upstream(pim), await upstream()
    it = await carry(
        connector(source.url, name="pim"), connector(erp.url), it_polls(poll(every="1h"))
    )

    await it.until_settled(4)
    runs = [line for line in logged if line["event"] == "a run of a poll failed"]

    # 503, the first page, a page that is not there; then, soon, all of it.
    assert [query["page"] for query in pim.asked] == ["1", "1", "2", "1", "2"]
    assert [(line["reason"], line["detail"]) for line in runs] == [
        ("UnexpectedStatus", "pim answered 404")
    ]


async def test_pages_that_would_never_end_fail_the_run(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    source, erp = await upstream(answer({"items": [{"sku": "same"}]})), await upstream()
    it = await carry(
        connector(source.url, name="pim"), connector(erp.url), it_polls(poll(every="1h"))
    )

    async with asyncio.timeout(20):
        while (await it.status())["routes"][0]["source"].get("lastRun", {}) is None or not [
            line for line in logged if line["event"] == "a run of a poll failed"
        ]:
            pass
    await it.stop()
    (line, *_) = [line for line in logged if line["event"] == "a run of a poll failed"]

    assert line["reason"] == "PaginationLoop"
    assert await it.rows("SELECT watermark FROM watermarks") == []
    await it.start(it_polls({"webhook": {"path": "/x", "open": True}}, "- filter: '{% true %}'"))


async def test_a_poll_pauses_while_its_backlog_is_full(carry: Carry, upstream: Start) -> None:
    pim = Pim(2000, size=50)
    source = await upstream(pim)
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    it = await carry(
        connector(source.url, name="pim"),
        connector(erp.url, timeout="60s"),
        it_polls(
            poll(every="1h"),
            delivery={"maxBacklog": 200, "concurrency": 8, "timeout": "60s"},
        ),
    )

    await it.until(lambda found: len(found) >= 200)
    await asyncio.sleep(1.5)  # it looks at the backlog four times a second
    paused = len(await it.messages())
    gate.set()
    kept = await it.until_settled(2000, within=120)

    assert paused <= 250
    assert {each.state for each in kept} == {"finished"}
    assert len(erp.arrivals) == 2000


@pytest.mark.parametrize("home", ["postgresql"])
async def test_one_of_three_replicas_reads_and_another_takes_over(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(20, size=5)
    source, erp = await upstream(pim), await upstream()
    manifests = (
        connector(source.url, name="pim"),
        connector(erp.url),
        it_polls(poll(changeDetection={}), message={"key": "{% sku %}"}),
    )
    replicas = [await carry(*manifests) for _ in range(3)]

    await replicas[0].until_settled(20)
    leading = [one for one in replicas if await _leads(one)]
    assert len(leading) == 1
    await leading[0].stop()
    runs = pim.runs
    await until_runs(pim, runs + 2)
    await leading[0].start(*manifests)

    assert [query["page"] for query in pim.asked[:5]] == ["1", "2", "3", "4", "5"]
    assert len(await replicas[0].messages()) == 20


async def _leads(it: Carrier) -> bool:
    leads: bool = (await it.status())["routes"][0]["source"]["leads"]
    return leads


async def test_a_poll_at_set_times_reads_once_for_those_that_passed(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(3)
    source, erp = await upstream(pim), await upstream()
    spec = {key: value for key, value in poll()["poll"].items() if key != "every"}
    it = await carry(
        connector(source.url, name="pim"),
        connector(erp.url),
        it_polls({"poll": {**spec, "cron": "0 3 * * *", "timeZone": "Europe/Amsterdam"}}),
    )

    status = (await it.status())["routes"][0]["source"]
    async with asyncio.timeout(20):
        while (status := (await it.status())["routes"][0]["source"])["next"] is None:
            pass

    assert (
        "T02:00:00" in status["next"] or "T01:00:00" in status["next"] or "03:00" in status["next"]
    )
    assert pim.asked == []


async def test_records_without_a_key_are_rejected_where_they_are_seen(
    carry: Carry, upstream: Start
) -> None:
    pim = Pim(2)
    del pim.products[0]["sku"]
    source, erp = await upstream(pim), await upstream()
    it = await carry(
        connector(source.url, name="pim"),
        connector(erp.url),
        it_polls(poll(every="1h"), message={"key": "{% sku %}"}),
    )

    kept = await it.until_settled(2)

    assert [(each.state, each.reason) for each in kept] == [
        ("rejected", "KeyMissing"),
        ("finished", ""),
    ]


async def test_a_poll_that_is_asked_to_reads_now_and_once(carry: Carry, upstream: Start) -> None:
    pim = Pim(2)
    source, erp = await upstream(pim), await upstream()
    it = await carry(
        connector(source.url, name="pim"), connector(erp.url), it_polls(poll(every="1h"))
    )
    await it.until(lambda found: len(found) == 2)
    desk = await opening.desk(it.address)
    act = Act(name="act-1", who="sam", why="the PIM has news")
    pim.products.append({"sku": "sku-new", "price": 1, "updated": "2026-01-02T00:00:00Z"})

    await desk.read_now(act, "default/it")
    await until_runs(pim, 2)
    await desk.read_now(act, "default/it")  # the same act, repeated
    [audited] = (await desk.audit())[0]
    await desk.close()

    assert (audited.action, audited.route, audited.why) == ("read", "default/it", act.why)
    assert await it.rows("SELECT task FROM leads WHERE task LIKE '% now'") == []
