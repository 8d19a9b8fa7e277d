"""A poll reads all pages in whatever manner they come, and no run goes on for ever."""

import asyncio
import json
from typing import Any

import pytest
from carriers import Carry
from manifests_text import connector, delivering
from served import Start
from shelves import MANNERS, Manner, Shelf, polling
from upstreams import Arrival, Behave, Choose, Upstream, Wire, answer

Logged = list[dict[str, Any]]
EACH = pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS.keys())
SEND = "- call: {connector: erp, method: POST, path: /in}"
QUICK = {"retry": {"attempts": 3, "backoff": {"initial": "10ms", "max": "20ms"}}}
PAGE, CURSOR = MANNERS["page"], MANNERS["cursor in the query"]
WATERMARK = {"value": "{% updated %}"}
ONCE = {"message": {"key": "{% n %}"}, "changeDetection": {}}


def reads(manner: Manner, source: Upstream, erp: Upstream, **spec: Any) -> tuple[str, ...]:
    """The manifests of a Route that reads a shelf; `http` is of its Connector."""
    http, message = spec.pop("http", {}), spec.pop("message", None)
    more = {"message": message} if message else {}
    return (
        connector(source.url, name="shelf", **http),
        connector(erp.url),
        delivering(polling(manner, **spec), SEND, delivery=QUICK, **more),
    )


def numbers(arrivals: list[Arrival]) -> list[int]:
    return [json.loads(arrival.body)["n"] for arrival in arrivals]


async def until_runs(logged: list[dict[str, Any]], *hows: str) -> list[dict[str, Any]]:
    """Wait until so many runs have ended, each as said; what the log tells of them."""
    async with asyncio.timeout(60):
        while len(ended := _ended(logged)) < len(hows):  # noqa: ASYNC110 - a line has no event
            await asyncio.sleep(0.01)
    assert [_how(line) for line in ended[: len(hows)]] == list(hows)
    return ended


def _ended(logged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in logged if line["event"].startswith("a run of a poll ")]


def _how(line: dict[str, Any]) -> str:
    """The reason of its failure, or that it is done."""
    return str(line.get("reason", "done"))


@EACH
async def test_all_pages_are_read(
    manner: Manner, carry: Carry, upstream: Start, logged: Logged
) -> None:
    shelf = Shelf(manner)
    source, erp = await upstream(shelf), await upstream()

    it = await carry(*reads(manner, source, erp))
    (run,) = await until_runs(logged, "done")
    await it.until_settled(25)

    assert sorted(numbers(erp.arrivals)) == list(range(25))
    assert (run["records"], run["pages"], shelf.asks) == (25, manner.asks, manner.asks)


@EACH
async def test_pages_are_counted_as_they_come(
    manner: Manner, carry: Carry, upstream: Start, logged: Logged
) -> None:
    """Three pages of a hundred, of which 99 in 100 are left out, are still three pages."""
    few = manner.records.replace(" %}", "[n % 100 = 50] %}")
    pagination = json.loads(json.dumps(manner.pagination).replace('"size": 10', '"size": 100'))
    shelf = Shelf(manner, 300, size=100)
    source, erp = await upstream(shelf), await upstream()

    it = await carry(*reads(manner, source, erp, records=few, pagination=pagination))
    (run,) = await until_runs(logged, "done")
    await it.until_settled(3)

    assert sorted(numbers(erp.arrivals)) == [50, 150, 250]
    assert (run["records"], run["pages"] >= 3) == (3, True)


async def test_records_are_delivered_while_pages_come_in(carry: Carry, upstream: Start) -> None:
    gate = asyncio.Event()
    shelf = Shelf(PAGE)
    shelf.instead[2] = lambda page: _when(gate, page)
    source, erp = await upstream(shelf), await upstream()

    it = await carry(*reads(PAGE, source, erp))
    await it.until_settled(10)
    delivered = numbers(erp.arrivals)
    gate.set()
    await it.until_settled(25)

    assert sorted(delivered) == list(range(10))


def _when(gate: asyncio.Event, page: Behave) -> Behave:
    async def behave(wire: Wire) -> bool:
        await gate.wait()
        return await page(wire)

    return behave


# Loops

_REPEATS: dict[str, tuple[Manner, Choose]] = {
    "a cursor": (CURSOR, lambda _: answer({"items": [{"n": 1}], "next": "1"})),
    "a cursor in the body": (
        MANNERS["cursor in the body"],
        lambda _: answer({"items": [{"n": 1}], "next": "1"}),
    ),
    "an end cursor": (
        MANNERS["connection"],
        lambda _: answer(
            {
                "data": {
                    "orders": {
                        "edges": [{"node": {"n": 1}}],
                        "pageInfo": {"hasNextPage": True, "endCursor": "1"},
                    }
                }
            }
        ),
    ),
    "a link": (
        MANNERS["relative link in the header"],
        lambda _: answer({"items": [{"n": 1}]}, headers=("link: <?from=1>; rel=next",)),
    ),
    "a page": (PAGE, lambda _: answer({"items": [{"n": 1}]})),
    "an id": (MANNERS["keyset"], lambda _: answer({"items": [{"n": 1}]})),
}


@pytest.mark.parametrize(("manner", "same"), _REPEATS.values(), ids=_REPEATS.keys())
async def test_what_repeats_fails_the_run_and_moves_no_watermark(
    manner: Manner, same: Choose, carry: Carry, upstream: Start, logged: Logged
) -> None:
    source, erp = await upstream(same), await upstream()

    it = await carry(*reads(manner, source, erp, watermark=WATERMARK))
    (run, *_) = await until_runs(logged, "PaginationLoop")

    assert run["detail"] == "page 2 has the records of page 1 again"
    assert await it.rows("SELECT watermark FROM watermarks") == []


async def test_a_cursor_of_an_earlier_page_is_told_with_both_pages(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    """What the page that gives it holds is delivered: no other run may come to it."""
    turns = {"0": ("a", 0), "a": ("b", 1), "b": ("a", 2)}

    def circle(arrival: Arrival) -> Behave:
        following, n = turns[arrival.query.get("cursor", ["0"])[0]]
        return answer({"items": [{"n": n}], "next": following})

    source, erp = await upstream(circle), await upstream()

    it = await carry(*reads(CURSOR, source, erp, **ONCE))
    (run, *_) = await until_runs(logged, "PaginationLoop")
    await it.until_settled(3)

    assert run["detail"] == "page 3 gives the cursor that led to page 2 again"
    assert sorted(set(numbers(erp.arrivals))) == [0, 1, 2]


async def test_pages_that_are_always_new_end_at_the_most_that_are_allowed(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    def endless(arrival: Arrival) -> Behave:
        n = int(arrival.query.get("cursor", ["0"])[0]) + 1
        return answer({"items": [], "next": str(n)})

    source, erp = await upstream(endless), await upstream()

    await carry(*reads(CURSOR, source, erp, pagination={**CURSOR.pagination, "maxPages": 7}))
    (run, *_) = await until_runs(logged, "TooManyPages")

    assert run["detail"] == "there are more than 7 pages (maxPages)"
    assert [each.target for each in source.arrivals if each.target == "/records?cursor=7"] == []


# Links that lead away

TOKEN = {"bearer": {"token": {"secretKeyRef": {"name": "shelf", "key": "token"}}}}


@pytest.mark.parametrize("where", ["linkHeader", "bodyLink"])
async def test_a_link_to_another_origin_is_refused_and_nobody_there_gets_the_credentials(
    where: str, carry: Carry, upstream: Start, logged: Logged
) -> None:
    other = await upstream(answer({"items": [{"n": 2}]}))
    link = f"{other.url}/records?page=2"
    first = answer({"items": [{"n": 1}], "next": link}, headers=(f"link: <{link}>; rel=next",))
    source, erp = await upstream(first), await upstream()
    manner = Manner(
        {where: {} if where == "linkHeader" else {"url": "{% next %}"}}, PAGE.shows, asks=1
    )

    manifests = reads(manner, source, erp, watermark=WATERMARK, http={"auth": TOKEN})
    it = await carry(*manifests, secrets_in={"shelf/token": "canary"})
    (run, *_) = await until_runs(logged, "PaginationLeaves")

    assert "another host or port" in run["detail"]
    assert other.arrivals == []
    assert {each.target for each in source.arrivals} == {"/records"}
    assert "canary" not in str(logged)
    assert await it.rows("SELECT watermark FROM watermarks") == []


async def test_a_link_header_that_cannot_be_read_is_no_last_page(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    broken = answer({"items": [{"n": 1}]}, headers=("link: </records?from=10; rel=next",))
    source, erp = await upstream(broken), await upstream()

    await carry(*reads(MANNERS["relative link in the header"], source, erp))

    await until_runs(logged, "PaginationUnclear")


# What goes wrong in the middle


async def test_a_token_that_expires_between_pages_is_replaced(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    tokens = [f"t{n}" for n in range(1, 9)]
    given: list[str] = []

    def issue(_: Arrival) -> Behave:
        given.append(tokens.pop(0))
        return answer({"access_token": given[-1], "token_type": "Bearer", "expires_in": 3600})

    shelf = Shelf(PAGE)

    def guarded(arrival: Arrival) -> Behave:
        """The first token is good for one page."""
        token = (arrival.header("authorization") or "").removeprefix("Bearer ")
        is_good = token == given[-1] and not (token == "t1" and shelf.asks)
        return shelf(arrival) if is_good else answer(status=401)

    issuer, source, erp = await upstream(issue), await upstream(guarded), await upstream()
    ref = {"secretKeyRef": {"name": "shelf", "key": "token"}}
    oauth2 = {"tokenUrl": f"{issuer.url}/token", "clientId": ref, "clientSecret": ref}

    manifests = reads(PAGE, source, erp, http={"auth": {"oauth2": oauth2}})
    it = await carry(*manifests, secrets_in={"shelf/token": "canary"})
    await until_runs(logged, "done")
    await it.until_settled(25)

    assert sorted(numbers(erp.arrivals)) == list(range(25))
    assert given == ["t1", "t2"]


async def test_a_system_that_asks_for_a_pause_in_the_middle_gets_it(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    shelf = Shelf(PAGE)
    shelf.instead[2] = lambda _: answer(status=429, headers=("retry-after: 1",))
    source, erp = await upstream(shelf), await upstream()

    it = await carry(*reads(PAGE, source, erp))
    await until_runs(logged, "done")
    await it.until_settled(25)
    asked = [arrival.query["page"][0] for arrival in source.arrivals]
    (again,) = [line for line in logged if line["event"] == "a page is asked for again"]

    assert asked == ["1", "2", "2", "3", "4"]
    assert again["waitSeconds"] >= 1
    assert sorted(numbers(erp.arrivals)) == list(range(25))


BROKEN = {
    "a system that is not there": (PAGE, answer(status=404), "UnexpectedStatus"),
    "errors beside the data": (
        MANNERS["connection"],
        answer({"data": None, "errors": [{"message": "throttled"}]}),
        "GraphqlErrors",
    ),
    "an answer without the connection": (
        MANNERS["connection"],
        answer({"data": {"orders": None}}),
        "PaginationUnclear",
    ),
}


@pytest.mark.parametrize(("manner", "instead", "reason"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_run_that_breaks_in_the_middle_loses_nothing(
    manner: Manner,
    instead: Behave,
    reason: str,
    carry: Carry,
    upstream: Start,
    logged: Logged,
) -> None:
    shelf = Shelf(manner)
    shelf.records.reverse()  # the newest come first, so that a watermark would pass over the rest
    shelf.instead[2] = lambda _: instead
    source, erp = await upstream(shelf), await upstream()
    query = {} if manner is PAGE else manner.call
    call = {"connector": "shelf", "path": "/records", **query}
    call["query"] = {"since": "{% $watermark %}"}

    it = await carry(*reads(manner, source, erp, call=call, watermark=WATERMARK, **ONCE))
    await until_runs(logged, reason, "done")
    await it.until_settled(25)

    assert sorted(numbers(erp.arrivals)) == list(range(25))
    assert not any("since" in arrival.query for arrival in source.arrivals)


async def test_a_page_that_a_graphql_server_puts_off_is_asked_for_again(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    manner = MANNERS["connection"]
    shelf = Shelf(manner)
    put_off = {"message": "later", "extensions": {"code": "THROTTLED"}}
    shelf.instead[2] = lambda _: answer({"data": None, "errors": [put_off]})
    source, erp = await upstream(shelf), await upstream()
    failing = "{% errors ? {'retry': 'THROTTLED' in errors.extensions.code} %}"

    it = await carry(*reads(manner, source, erp, http={"answer": {"failWhen": failing}}))
    await until_runs(logged, "done")
    await it.until_settled(25)

    after = [json.loads(arrival.body)["variables"]["after"] for arrival in source.arrivals]
    assert after == [None, "10", "10", "20"]


async def test_an_empty_page_in_the_middle_is_no_end_where_a_page_says_that_there_is_more(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    pages: dict[str, list[int]] = {"1": [1, 2], "2": [], "3": [3]}

    def show(arrival: Arrival) -> Behave:
        page = arrival.query["page"][0]
        items = [{"n": n} for n in pages[page]]
        return answer({"items": items, "meta": {"page": int(page), "pages": 3}})

    source, erp = await upstream(show), await upstream()
    pagination = {"page": {}, "more": "{% meta.page < meta.pages %}"}

    it = await carry(*reads(PAGE, source, erp, pagination=pagination))
    await until_runs(logged, "done")
    await it.until_settled(3)

    assert sorted(numbers(erp.arrivals)) == [1, 2, 3]
    assert len(source.arrivals) == 3


async def test_empty_pages_of_cursors_are_followed(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    source = await upstream(
        answer({"items": [{"n": 1}], "next": "a"}),
        answer({"items": [], "next": "b"}),
        answer({"items": None, "next": "c"}),
        answer({"items": [{"n": 2}], "next": None}),
    )
    erp = await upstream()

    it = await carry(*reads(CURSOR, source, erp))
    await until_runs(logged, "done")
    await it.until_settled(2)

    assert sorted(numbers(erp.arrivals)) == [1, 2]


async def test_null_records_are_seen_and_end_no_run(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    shelf = Shelf(PAGE, 6, size=2)
    shelf.records[2:4] = [None, None]
    source, erp = await upstream(shelf), await upstream()

    it = await carry(*reads(PAGE, source, erp, watermark=WATERMARK, message={"key": "{% n %}"}))
    await until_runs(logged, "done")
    kept = await it.until_settled(6)

    assert sorted(numbers(erp.arrivals)) == [0, 1, 4, 5]
    assert [each.reason for each in kept if each.state == "rejected"] == ["KeyMissing"] * 2


async def test_records_that_move_while_pages_come_in_are_read_by_the_next_run(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    """Five records go after the first page, so five others come to where the first page was."""
    shelf = Shelf(PAGE)

    def then_some_go(page: Behave) -> Behave:
        del shelf.records[:5]
        return page

    shelf.instead[1] = then_some_go
    source, erp = await upstream(shelf), await upstream()
    pagination = {"page": {}, "total": "{% total %}"}

    it = await carry(*reads(PAGE, source, erp, pagination=pagination, watermark=WATERMARK, **ONCE))
    (failed, *_) = await until_runs(logged, "PaginationMoved", "done")
    await it.until_settled(25)

    assert "from 25 to 20 at page 2" in failed["detail"]
    assert sorted(numbers(erp.arrivals)) == list(range(25))


async def test_ids_in_no_order_fail_the_run(carry: Carry, upstream: Start, logged: Logged) -> None:
    source = await upstream(answer({"items": [{"n": 3}, {"n": 9}, {"n": 5}]}))
    erp = await upstream()

    await carry(*reads(MANNERS["keyset"], source, erp))

    await until_runs(logged, "PaginationUnordered")


async def test_the_first_page_begins_behind_the_id_that_the_call_gives(
    carry: Carry, upstream: Start, logged: Logged
) -> None:
    """So a watermark of ids goes where the ids of pages go."""
    shelf = Shelf(MANNERS["keyset"])
    source, erp = await upstream(shelf), await upstream()
    call = {"connector": "shelf", "path": "/records", "query": {"since_id": "{% $watermark %}"}}
    watermark = {"value": "{% n %}", "initial": "4"}

    it = await carry(
        *reads(MANNERS["keyset"], source, erp, call=call, watermark=watermark, every="1s")
    )
    await it.until_settled(20)
    shelf.records.append({"n": 25})
    await it.until_settled(21)

    asked = [arrival.query["since_id"] for arrival in source.arrivals]
    assert asked[:4] == [["4"], ["14"], ["24"], ["24"]]
    assert sorted(numbers(erp.arrivals)) == list(range(5, 26))
