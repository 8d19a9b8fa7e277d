"""A system whose records come page by page, in every manner that a poll can follow."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from upstreams import Arrival, Behave, answer

Records = list[Any]
Shows = Callable[[Records, Arrival, int], Behave]
"""Answers with the page of some records that an arrival asks for, each of so many."""


def _window(records: Records, start: int, size: int) -> tuple[Records, int | None]:
    """A page, and where the next one begins, if there is one."""
    end = start + size
    return records[start:end], end if end < len(records) else None


def _query(arrival: Arrival, name: str, otherwise: str) -> str:
    return arrival.query.get(name, [otherwise])[0]


def _by_page(records: Records, arrival: Arrival, size: int) -> Behave:
    found, _ = _window(records, (int(_query(arrival, "page", "1")) - 1) * size, size)
    return answer({"items": found, "total": len(records)})


def _by_offset(records: Records, arrival: Arrival, size: int) -> Behave:
    found, _ = _window(records, int(_query(arrival, "offset", "0")), size)
    return answer({"items": found})


def _by_keyset(records: Records, arrival: Arrival, size: int) -> Behave:
    since = int(_query(arrival, "since_id", "-1"))
    found, _ = _window([each for each in records if each["n"] > since], 0, size)
    return answer({"items": found})


def _by_cursor(read: Callable[[Arrival], str | None]) -> Shows:
    def show(records: Records, arrival: Arrival, size: int) -> Behave:
        found, following = _window(records, int(read(arrival) or "0"), size)
        return answer({"items": found, "next": following and str(following)})

    return show


def _by_connection(records: Records, arrival: Arrival, size: int) -> Behave:
    after = json.loads(arrival.body)["variables"]["after"]
    found, following = _window(records, int(after or "0"), size)
    end = str(following or len(records))
    info = {"hasNextPage": following is not None, "endCursor": end}
    nodes = [{"node": each} for each in found]
    return answer({"data": {"orders": {"edges": nodes, "pageInfo": info}}})


def _by_link(is_in_header: bool, made: Callable[[Arrival, int], str]) -> Shows:
    def show(records: Records, arrival: Arrival, size: int) -> Behave:
        found, following = _window(records, int(_query(arrival, "from", "0")), size)
        link = None if following is None else made(arrival, following)
        if not is_in_header:
            return answer({"items": found, "links": {"next": link}})
        first = '</records>; rel="first"; title="all, from the start"'
        fields = f'link: {first}, <{link}>; rel="next"' if link else f"link: {first}"
        return answer({"items": found}, headers=(fields,))

    return show


def _relative(_: Arrival, start: int) -> str:
    return f"?from={start}"


def _absolute(arrival: Arrival, start: int) -> str:
    return f"http://{arrival.header('host')}/records?from={start}"


@dataclass(frozen=True)
class Manner:
    """What a poll says of a manner, and the system that has it."""

    pagination: dict[str, Any]
    shows: Shows
    asks: int
    """How often it is asked for 25 records in pages of ten."""
    call: dict[str, Any] = field(default_factory=dict)
    records: str = "{% items %}"


_NEXT = {"cursor": {"value": "{% next %}"}}
_POST = {"method": "POST", "idempotent": True}
_QUERY = "query ($after: String) { orders(first: 10, after: $after) { edges { node { n } } } }"
MANNERS = {
    "page": Manner({"page": {}}, _by_page, asks=4),
    "page of a known size": Manner({"page": {"size": 10}}, _by_page, asks=3),
    "offset": Manner({"offset": {}}, _by_offset, asks=4),
    "offset of a known size": Manner({"offset": {"size": 10}}, _by_offset, asks=3),
    "keyset": Manner({"keyset": {"param": "since_id", "id": "{% n %}"}}, _by_keyset, asks=4),
    "keyset of a known size": Manner(
        {"keyset": {"param": "since_id", "id": "{% n %}", "size": 10}}, _by_keyset, asks=3
    ),
    "cursor in the query": Manner(
        _NEXT, _by_cursor(lambda arrival: _query(arrival, "cursor", "0")), asks=3
    ),
    "cursor in the body": Manner(
        _NEXT,
        _by_cursor(lambda arrival: json.loads(arrival.body)["after"]),
        asks=3,
        call={**_POST, "body": {"after": "{% $cursor %}"}},
    ),
    "cursor in a header": Manner(
        _NEXT,
        _by_cursor(lambda arrival: arrival.header("x-after")),
        asks=3,
        call={"headers": {"X-After": "{% $cursor %}"}},
    ),
    "connection": Manner(
        {"connection": {"pageInfo": "{% data.orders.pageInfo %}"}},
        _by_connection,
        asks=3,
        call={**_POST, "body": {"query": _QUERY, "variables": {"after": "{% $cursor %}"}}},
        records="{% data.orders.edges.node %}",
    ),
    "relative link in the header": Manner({"linkHeader": {}}, _by_link(True, _relative), asks=3),
    "absolute link in the header": Manner({"linkHeader": {}}, _by_link(True, _absolute), asks=3),
    "relative link in the body": Manner(
        {"bodyLink": {"url": "{% links.next %}"}}, _by_link(False, _relative), asks=3
    ),
    "absolute link in the body": Manner(
        {"bodyLink": {"url": "{% links.next %}"}}, _by_link(False, _absolute), asks=3
    ),
}


class Shelf:
    """The system: it has `count` records, in pages of `size`.

    `instead` is what it does at the first arrivals of a number, counted from one: it is asked, and
    answers the page when it is given nothing.
    """

    def __init__(self, manner: Manner, count: int = 25, *, size: int = 10) -> None:
        self.records: Records = [
            {"n": n, "updated": f"2026-01-01T00:{n:04}Z"} for n in range(count)
        ]
        self.asks = 0
        self.instead: dict[int, Callable[[Behave], Behave]] = {}
        self._manner = manner
        self._size = size

    def __call__(self, arrival: Arrival) -> Behave:
        self.asks += 1
        page = self._manner.shows(self.records, arrival, self._size)
        instead = self.instead.get(self.asks)
        return instead(page) if instead else page


def polling(manner: Manner, **spec: Any) -> dict[str, Any]:
    """A source that reads a shelf, once an hour."""
    return {
        "poll": {
            "every": "1h",
            "call": {"connector": "shelf", "path": "/records", **manner.call},
            "records": manner.records,
            "pagination": manner.pagination,
            **spec,
        }
    }
