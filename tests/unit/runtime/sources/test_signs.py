"""What the body of a page says of the next one."""

from typing import Any

import orjson
import pytest

from isthmus_api.pagination import Pagination
from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.sources.pages import Page
from isthmus_runtime.sources.signs import Signs
from isthmus_runtime.steps.bound import Binder

CONNECTION = {"connection": {"pageInfo": "{% data.orders.pageInfo %}"}}
KEYSET = {"keyset": {"param": "since_id", "id": "{% id %}"}}


def page(spec: dict[str, Any], body: Any, records: tuple[Any, ...] = ()) -> Page:
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    signs = Signs(Pagination.model_validate(spec), Binder())
    x = Exchange(Body(text), variables={}, deadline=float("inf"), trace=tracing.of([]))
    return signs.page("/a", [], records, x)


def connection(has_next: Any, end: Any = None, **more: Any) -> dict[str, Any]:
    info = {"hasNextPage": has_next, "endCursor": end}
    return {"data": {"orders": {"pageInfo": info}}, **more}


def by_id(*ids: Any) -> str | None:
    return page(KEYSET, {}, tuple({"id": each} for each in ids)).mark


def test_a_connection_goes_on_at_its_end_cursor() -> None:
    assert page(CONNECTION, connection(True, "YQ==")).mark == "YQ=="
    assert page(CONNECTION, connection(True, "YQ==", errors=[])).mark == "YQ=="
    assert page(CONNECTION, connection(False, "YQ==")).mark is None


NOT_WHOLE = {
    "no data": ({"data": None}, "PaginationUnclear"),
    "no body": (b"", "PaginationUnclear"),
    "hasNextPage that is a text": (connection("true", "a"), "PaginationUnclear"),
    "hasNextPage that is left out": (connection(None, "a"), "PaginationUnclear"),
    "another page without a cursor": (connection(True), "PaginationUnclear"),
    "another page with an empty cursor": (connection(True, ""), "PaginationUnclear"),
    "errors beside the data": (
        connection(False, errors=[{"message": "denied"}]),
        "GraphqlErrors",
    ),
}


@pytest.mark.parametrize(("body", "reason"), NOT_WHOLE.values(), ids=NOT_WHOLE.keys())
def test_a_connection_that_is_not_whole_is_no_last_page(body: Any, reason: str) -> None:
    with pytest.raises(Fault) as failed:
        page(CONNECTION, body)

    assert failed.value.reason == reason
    assert "denied" not in failed.value.outward


@pytest.mark.parametrize(
    ("given", "mark"), [("a", "a"), (7, "7"), (0, "0"), (None, None), (False, None), ("", "")]
)
def test_a_cursor_is_a_text_or_none(given: Any, mark: str | None) -> None:
    assert page({"cursor": {"value": "{% next %}"}}, {"next": given}).mark == mark


def test_the_last_id_there_is_leads_on() -> None:
    assert by_id(1, 5, 9) == "9"
    assert by_id(9, 5, 1) == "1"
    assert by_id(1, 5, None) == "5"
    assert by_id("b", "a", "c", "b") == "b"
    assert by_id() is None
    assert by_id(None, None) is None


def test_an_id_keeps_all_of_its_digits() -> None:
    body = b'[{"id": 1234567890123456788}, {"id": 1234567890123456789}]'
    records = ({"id": "1234567890123456788"}, {"id": "1234567890123456789"})

    assert page(KEYSET, body, records).mark == "1234567890123456789"


def test_a_null_record_has_no_id() -> None:
    assert page(KEYSET, {}, ({"id": 1}, None)).mark == "1"


def test_ids_in_no_order_are_refused() -> None:
    with pytest.raises(Fault, match="neither rise nor fall") as failed:
        by_id(1, 9, 5)

    assert failed.value.reason == "PaginationUnordered"


def test_more_and_total_are_what_they_say() -> None:
    both = {"page": {}, "more": "{% more %}", "total": "{% total %}"}
    read = page(both, {"more": True, "total": 7})

    assert (read.more, read.total) == (True, 7)
    assert page({"page": {}}, {"more": True, "total": 7}).more is None


@pytest.mark.parametrize("name", ["more", "total"])
@pytest.mark.parametrize("given", [None, "true", [], "7"])
def test_more_and_total_that_say_nothing_are_told(name: str, given: Any) -> None:
    with pytest.raises(Fault, match=name) as failed:
        page({"page": {}, name: f"{{% {name} %}}"}, {name: given})

    assert failed.value.reason == "PaginationUnclear"


def test_records_are_told_apart_unless_all_are_null() -> None:
    same, again = (page({"page": {}}, {}, ({"a": 1},)).digest for _ in range(2))

    assert same == again
    assert same != page({"page": {}}, {}, ({"a": 1}, None)).digest
    assert page({"page": {}}, {}, (None, None)).digest == b""
    assert page({"page": {}}, {}).digest == b""
