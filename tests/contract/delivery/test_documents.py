"""A poll whose answer is one document: its records are messages while it comes in."""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from carriers import Carrier, Carry, Kept
from manifests_text import connector, delivering
from served import Start
from upstreams import Arrival, Behave, Upstream, Wire, answer, hangs, head, says

BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])
SEND = "- call: {connector: erp, method: POST, path: /in}"
QUICK = {"retry": {"attempts": 3, "backoff": {"initial": "10ms", "max": "20ms"}}}
CSV = "text/csv; charset=utf-8"
XML = "application/xml"


def sending(
    body: bytes, *, content_type: str = CSV, cut: int = 1, lines: Iterable[str] = ()
) -> Any:
    """Send a body in chunks of so many bytes."""

    async def behave(wire: Wire) -> bool:
        told = (f"content-type: {content_type}", "transfer-encoding: chunked", *lines)
        await wire.send(head(200, *told))
        for at in range(0, len(body), cut):
            piece = body[at : at + cut]
            await wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await wire.send(b"0\r\n\r\n")
        return True

    return behave


def polls(document: dict[str, Any], *, steps: str = SEND, **spec: Any) -> str:
    call = {"connector": "pim", "path": "/export", **spec.pop("call", {})}
    poll = {"every": "1h", "call": call, "document": document, **spec.pop("poll", {})}
    delivery = {**QUICK, **spec.pop("delivery", {})}
    return delivering({"poll": poll}, steps, delivery=delivery, **spec)


async def reading(
    carry: Carry, pim: Upstream, erp: Upstream, document: dict[str, Any], **spec: Any
) -> Carrier:
    limits = spec.pop("http", {})
    return await carry(
        connector(pim.url, name="pim", **limits),
        connector(erp.url, timeout="60s", maxConnections=16),
        polls(document, **spec),
    )


def bodies(kept: list[Kept]) -> list[Any]:
    return [json.loads(each.body) for each in kept]


def failed(logged: list[dict[str, Any]]) -> list[tuple[str, str]]:
    lines = [line for line in logged if line["event"] == "a run of a poll failed"]
    return [(line["reason"], line["detail"]) for line in lines]


async def until_failed(logged: list[dict[str, Any]]) -> tuple[str, str]:
    async with asyncio.timeout(30):
        while not (found := failed(logged)):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    return found[0]


def rows(count: int, *, first: int = 1) -> bytes:
    lines = (f'{n},"Chair {n}, oak\nor é"\n' for n in range(first, first + count))
    return "".join(["sku,name\n", *lines]).encode()


PRODUCTS = '<?xml version="1.0" encoding="{}"?>\n<shop><made/><all>{}</all></shop>'
ONE = '<p sku="1">é<size>L</size><size>M</size></p>'


@pytest.mark.parametrize("cut", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("document", "content_type", "body", "found"),
    [
        pytest.param({"csv": {}}, CSV, b"sku,name\r\n1,\"a\nb\"\r\n2,\xc3\xa9\r\n",
                     [{"sku": "1", "name": "a\nb"}, {"sku": "2", "name": "é"}], id="csv"),
        pytest.param({"csv": {"separator": ";", "header": False}}, "text/csv; charset=windows-1252",
                     b"1;\x80\n2;3", [["1", "€"], ["2", "3"]], id="csv of another make"),
        pytest.param({"xml": {"element": "shop/all/p"}}, XML,
                     PRODUCTS.format("iso-8859-1", ONE).encode("latin-1"),
                     [{"@sku": "1", "size": ["L", "M"], "#text": "é"}], id="xml"),
        pytest.param({"xml": {"element": "shop/all/p"}}, XML + "; charset=utf-16",
                     PRODUCTS.format("iso-8859-1", ONE).encode("utf-16"),
                     [{"@sku": "1", "size": ["L", "M"], "#text": "é"}], id="xml named otherwise"),
        pytest.param({"jsonLines": {}}, "application/x-ndjson",
                     b'{"sku": 1}\n\n{"sku": 9007199254740993}\n[]',
                     [{"sku": 1}, {"sku": 9007199254740993}, []], id="json lines"),
        pytest.param({"csv": {}}, CSV, b"", [], id="nothing"),
    ],
)  # fmt: skip
async def test_each_record_is_a_message(
    carry: Carry,
    upstream: Start,
    document: dict[str, Any],
    content_type: str,
    body: bytes,
    found: list[Any],
    cut: int,
) -> None:
    pim = await upstream(sending(body, content_type=content_type, cut=cut))
    it = await reading(carry, pim, await upstream(), document)

    kept = await it.until_settled(len(found))
    async with asyncio.timeout(10):
        while (it_is := (await it.status())["routes"][0]["source"]["lastRun"]) is None or not (
            it_is["pages"]
        ):
            pass

    assert bodies(kept) == found
    assert {each.state for each in kept} <= {"finished"}
    assert it_is == {"pages": 1, "records": len(found), "accepted": len(found)}
    assert "x-request-deadline" not in dict(pim.arrivals[0].headers)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_document_that_is_compressed_is_decoded_as_it_comes(
    carry: Carry, upstream: Start, coding: str
) -> None:
    body = rows(5_000)
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    pim = await upstream(sending(packed, cut=999, lines=[f"content-encoding: {coding}"]))
    it = await reading(carry, pim, await upstream(), {"csv": {}}, delivery={"concurrency": 16})

    kept = await it.until_settled(5_000, within=60)

    assert [each["sku"] for each in bodies(kept)] == [str(n) for n in range(1, 5_001)]


async def test_records_are_delivered_while_the_document_comes(
    carry: Carry, upstream: Start
) -> None:
    more = asyncio.Event()

    async def behave(wire: Wire) -> bool:
        body = rows(2_500)
        await wire.send(head(200, f"content-type: {CSV}", f"content-length: {len(body)}"))
        await wire.send(body[:-10])
        await more.wait()
        await wire.send(body[-10:])
        return True

    behave.__name__ = "behave"
    pim, erp = await upstream(behave), await upstream()
    it = await reading(
        carry, pim, erp, {"csv": {}}, poll={"timeout": "10m"}, delivery={"concurrency": 16}
    )

    early = await it.until_settled(2_000, within=60)
    more.set()
    kept = await it.until_settled(2_500, within=60)

    assert len(early) == 2_000
    assert len(kept) == 2_500
    assert len(pim.arrivals) == 1


async def test_a_full_backlog_holds_the_socket_back_and_no_time_passes_then(
    carry: Carry, upstream: Start
) -> None:
    sent = 0
    gate = asyncio.Event()

    async def flood(wire: Wire) -> bool:
        nonlocal sent
        await wire.send(head(200, f"content-type: {CSV}", "connection: close"))
        await wire.send(b"sku,text\n")
        for n in range(24):
            await wire.send(b"".join(b"%d,%b\n" % (n, b"x" * 20_000) for _ in range(50)))
            sent += 1
        return False

    flood.__name__ = "behave"
    pim, erp = await upstream(flood), await upstream(answer({}, when=gate))
    it = await reading(
        carry,
        pim,
        erp,
        {"csv": {}},
        poll={"timeout": "500ms"},
        delivery={"maxBacklog": 100, "concurrency": 8, "timeout": "60s"},
        http={"timeout": "500ms"},
    )
    await erp.until(lambda erp: erp.under_way == 8)
    # The document is not read; by far more than the patience that a system gets passes.
    until = time.monotonic() + 2
    while time.monotonic() < until:  # noqa: ASYNC110 - it is a time that must pass
        await asyncio.sleep(0.05)
    held, taken = sent, len(await it.messages())
    gate.set()
    await it.until_settled(24 * 50, within=240)

    assert held < 24
    assert taken <= 100 + 2 * 53
    assert len(pim.arrivals) == 1


@BOTH
@pytest.mark.parametrize("kind", ["csv", "xml"])
async def test_a_document_that_breaks_off_is_asked_for_again_and_goes_on_where_it_was(
    carry: Carry, upstream: Start, kind: str, logged: list[dict[str, Any]]
) -> None:
    records = [f"<p><n>{n}</n></p>" for n in range(3_000)]
    body = {"csv": rows(3_000), "xml": PRODUCTS.format("utf-8", "".join(records)).encode()}[kind]
    document: dict[str, Any] = {kind: {} if kind == "csv" else {"element": "shop/all/p"}}
    told = head(
        200, f"content-type: {CSV if kind == 'csv' else XML}", f"content-length: {len(body)}"
    )
    half = says(told + body[: len(body) // 2])
    most = says(told + body[: len(body) * 2 // 3])
    pim = await upstream(half, most, says(told + body))
    it = await reading(carry, pim, await upstream(), document, delivery={"concurrency": 16})

    kept = await it.until_settled(3_000, within=60)

    assert len(bodies(kept)) == 3_000
    assert len({each.body for each in kept}) == 3_000
    assert len(pim.arrivals) == 3
    assert failed(logged) == []


async def test_another_document_in_its_place_fails_the_run_and_the_next_one_reads_it_all(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    first, second = rows(1_500), rows(1_500, first=2)
    told = head(200, f"content-type: {CSV}", f"content-length: {len(first)}")
    pim = await upstream(says(told + first[:-5]), sending(second, cut=9_999))
    it = await reading(
        carry,
        pim,
        await upstream(),
        {"csv": {}},
        poll={"changeDetection": {}},
        message={"key": "{% sku %}"},
        delivery={"concurrency": 16},
    )

    kept = await it.until_settled(1_501, within=60)
    reason, detail = await until_failed(logged)

    assert sorted(int(each.key or 0) for each in kept) == list(range(1, 1_502))
    assert reason == "DocumentChanged"
    assert "the document of pim broke off after 1499 records" in detail
    assert len(pim.arrivals) == 3


@BOTH
async def test_a_process_that_ends_half_way_loses_nothing_and_repeats_nothing(
    carry: Carry, upstream: Start
) -> None:
    body = rows(4_000)
    told = head(200, f"content-type: {CSV}", f"content-length: {len(body)}")
    pim = await upstream(hangs(told + body[: len(body) // 2]), sending(body, cut=9_999))
    erp = await upstream()
    manifests = (
        connector(pim.url, name="pim"),
        connector(erp.url, maxConnections=16),
        polls(
            {"csv": {}},
            poll={
                "every": "1s",
                "changeDetection": {},
                "watermark": {"value": "{% $number(sku) %}", "initial": "0"},
            },
            call={"query": {"since": "{% $watermark %}"}},
            message={"key": "{% sku %}"},
            delivery={"concurrency": 16},
        ),
    )
    it = await carry(*manifests)
    early = await it.until(lambda kept: len(kept) >= 1_000)

    await it.stop()
    await it.start(*manifests)
    kept = await it.until_settled(4_000, within=120)
    async with asyncio.timeout(60):
        while len(pim.arrivals) < 4:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)

    assert len(early) < 4_000
    assert [each.key for each in kept].count("1") == 1
    assert len(await it.messages()) == 4_000
    assert [arrival.query["since"] for arrival in pim.arrivals[:3]] == [["0"], ["0"], ["4000"]]


async def test_one_that_breaks_off_again_and_again_as_another_fails_the_run(
    carry: Carry, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    body = rows(1_500)
    told = head(200, f"content-type: {CSV}", f"content-length: {len(body)}")
    other = rows(1_600, first=7)
    again = head(200, f"content-type: {CSV}", f"content-length: {len(other)}")
    pim = await upstream(says(told + body[:-5]), says(again + other[:-5]))
    await reading(carry, pim, await upstream(), {"csv": {}}, steps="- filter: '{% false %}'")

    reason, _ = await until_failed(logged)

    assert reason == "DocumentChanged"


async def test_a_session_is_not_judged_by_a_document(carry: Carry, upstream: Start) -> None:
    """What judges answers reads them whole; here it would take each one for a sign that the session
    has ended, and the document would come twice."""

    def choose(arrival: Arrival) -> Behave:
        return answer({"token": "t"}) if arrival.path == "/login" else sending(rows(9), cut=7)

    session = {
        "login": {"path": "/login"},
        "token": "{% token %}",
        "headers": {"authorization": "Bearer {% $token %}"},
        "expiredWhen": "{% $not($exists(ok)) %}",
    }
    pim = await upstream(choose)
    it = await reading(
        carry, pim, await upstream(), {"csv": {}}, http={"auth": {"session": session}}
    )

    kept = await it.until_settled(9)

    assert len(kept) == 9
    assert [arrival.path for arrival in pim.arrivals] == ["/login", "/export"]


BOMB = gzip.compress(b"sku\n" + b"x" * 8 * 1024 * 1024 + b"\n")
ROWS_BOMB = gzip.compress(b"sku\n" + b"1\n" * 64 * 1024)
PATH = {"xml": {"element": "catalog/product"}}


@pytest.mark.parametrize(
    ("document", "behave", "reason", "detail", "taken"),
    [
        pytest.param({"csv": {}}, sending(b"a,b\n1,2\n3,4\n5,6,7\n8,9\n", cut=5),
                     "InvalidDocument", "pim answered a document that has 3 cells in line 4, not 2 "
                     "as in its first row (after 2 records); is document.csv.separator right?", 2,
                     id="too many cells"),
        pytest.param({"csv": {}}, sending(b'a\n1\n"2\n', cut=5), "InvalidDocument",
                     "is no CSV in line 3: unexpected end of data (after 1 records)", 1,
                     id="a quote that does not end"),
        pytest.param({"csv": {}}, sending(b"a\n1\n\xff\n"), "InvalidDocument",
                     "is not in the charset utf-8 (after 1 records); answer.charset of the call",
                     1, id="a charset"),
        pytest.param({"csv": {}}, sending(b"a\n1\n", content_type="text/csv; charset=koi8-r"),
                     "InvalidDocument", "is in the charset koi8-r, which is not read", 0,
                     id="an unknown charset"),
        pytest.param({"csv": {}}, answer({"error": "no export"}), "InvalidDocument",
                     "a document that is application/json, and not CSV", 0, id="json"),
        pytest.param({"csv": {}}, answer(body=b"<html/>", content_type="text/html"),
                     "InvalidDocument", "a document that is text/html, and not CSV", 0, id="html"),
        pytest.param(PATH, sending(b"<catalog><product/><product>", content_type=XML),
                     "InvalidDocument", "is no XML: no element found (line 1, column 29) (after 1 "
                     "records)", 1, id="xml that is cut off"),
        pytest.param(PATH, sending(b"sku,qty\n1,2\n", content_type="text/plain"), "InvalidDocument",
                     "is no XML: syntax error (line 1, column 1)", 0, id="csv for xml"),
        pytest.param(PATH, sending(b"<a/>", content_type=XML), "ElementMissing",
                     "has the root element a, not catalog; write the names from the root", 0,
                     id="another root"),
        pytest.param(PATH, sending(b"<catalog><item/></catalog>", content_type=XML),
                     "ElementMissing", "has no element catalog/product; there is item in its place",
                     0, id="another element"),
        pytest.param(PATH, sending(b"<!DOCTYPE a [<!ENTITY b 'c'>]><catalog/>", content_type=XML),
                     "InvalidDocument", "has a document type, which is refused", 0, id="doctype"),
        pytest.param({"jsonLines": {}}, sending(b"1\n{]\n", content_type=""), "InvalidDocument",
                     "is no JSON in line 2", 1, id="no json"),
        pytest.param({"csv": {}, "maxSize": "1Ki"}, answer(body=b"a\n" + b"1\n" * 512,
                     content_type=CSV), "ResponseTooLarge", "pim answered more than 1024 bytes", 0,
                     id="a document that is too large"),
        pytest.param({"csv": {}, "maxSize": "8Ki"}, sending(ROWS_BOMB, cut=999, lines=[
                     "content-encoding: gzip"]), "ResponseTooLarge",
                     "pim answered more than 8192 bytes", 0, id="a bomb of records"),
        pytest.param({"csv": {}}, sending(BOMB, cut=999, lines=["content-encoding: gzip"]),
                     "ResponseTooLarge", "has a record of more than 65536 characters, which begins "
                     "in line 2; maxResponseSize of the Connector", 0, id="a bomb in one record"),
        pytest.param({"csv": {}}, sending(gzip.compress(rows(9))[:-9], cut=999, lines=[
                     "content-encoding: gzip"]), "InvalidAnswer", "the body does not decode: the "
                     "compressed body ends too early", 8, id="a coding that is cut off"),
        pytest.param({"csv": {}}, answer(status=403), "UnexpectedStatus", "pim answered 403", 0,
                     id="another status"),
        pytest.param({"csv": {}}, hangs(head(200, "content-length: 9") + b"a\n1\n"), "Timeout",
                     "pim did not answer in time", 1, id="a document that stalls"),
    ],
)  # fmt: skip
async def test_what_is_no_such_document_fails_the_run_and_what_came_before_is_kept(
    carry: Carry,
    upstream: Start,
    logged: list[dict[str, Any]],
    document: dict[str, Any],
    behave: Behave,
    reason: str,
    detail: str,
    taken: int,
) -> None:
    pim = await upstream(behave)
    it = await reading(
        carry,
        pim,
        await upstream(),
        document,
        steps="- filter: '{% false %}'",
        poll={"timeout": "2s"} if reason == "Timeout" else {},
        http={"maxResponseSize": "64Ki"},
        delivery={
            "maxBacklog": 1_000_000,
            "retry": {"attempts": 2, "backoff": {"initial": "1h", "max": "1h"}},
        }
        if reason != "Timeout"
        else {},
    )

    said = await until_failed(logged)
    kept = (await it.rows("SELECT count(*) AS kept FROM messages"))[0]["kept"]
    last = (await it.status())["routes"][0]["source"]["lastRun"]
    counted = 'isthmus_poll_runs_total{namespace="default",result="failed",route="it"}'

    assert said[0] == reason
    assert detail in said[1]
    assert kept == taken
    assert (last["records"], last["failure"]) == (taken, said[1])
    assert counted in await it.metrics()
    assert await it.rows("SELECT watermark FROM watermarks") == []


async def test_other_work_goes_on_while_a_document_is_read(carry: Carry, upstream: Start) -> None:
    """Work for a piece of a document is bounded, however quickly it comes."""
    body = b"".join(b'{"n": %d}\n' % n for n in range(60_000))
    pim, erp = await upstream(answer(body=body, content_type="text/plain")), await upstream()
    turns = [time.thread_time()]
    at_first = asyncio.create_task(_turning(turns))
    it = await reading(carry, pim, erp, {"jsonLines": {}}, steps="- filter: '{% false %}'",
                       delivery={"maxBacklog": 100_000})  # fmt: skip
    await it.until_settled(1_000, within=60)
    at_first.cancel()

    # In CPU of this thread; of 60,000 records at once it would be more than a second.
    assert max(second - first for first, second in pairwise(turns)) < 0.5


async def _turning(turns: list[float]) -> None:
    while True:
        await asyncio.sleep(0)
        turns.append(time.thread_time())


async def test_a_connection_is_used_again_after_a_document(carry: Carry, upstream: Start) -> None:
    pim = await upstream(sending(rows(3_000), cut=50_000))
    it = await reading(
        carry,
        pim,
        await upstream(),
        {"csv": {}},
        poll={"every": "1s", "changeDetection": {}},
        message={"key": "{% sku %}"},
        steps="- filter: '{% false %}'",
    )
    async with asyncio.timeout(60):
        while len(pim.arrivals) < 3:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)

    assert len(await it.messages()) == 3_000
    assert pim.connections == 1
