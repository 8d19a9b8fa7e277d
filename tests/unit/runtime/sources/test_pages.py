"""How one page leads to the next."""

import pytest

from isthmus_api import pagination as language
from isthmus_runtime.faults import Fault
from isthmus_runtime.sources import pages, raw
from isthmus_runtime.sources.pages import Page, Place

BASE = "https://shop.example.com/api/v1"
TARGET = "/products?updated=1&page=9"


def page(
    count: int = 100, *, digest: str | None = None, mark: str | None = None, **more: str
) -> Page:
    headers = [(name.encode(), value.encode()) for name, value in more.items()]
    return Page(TARGET, headers, count, (digest or f"{count} {mark}").encode(), mark)


def pager(**spec: object) -> pages.Pager:
    return pages.pager(language.Pagination.model_validate(spec), BASE)


def run(it: pages.Pager, *found: Page) -> list[str]:
    """The targets of the first page and of those after each of `found`."""
    places = [it.first(), *(it.after(one) for one in found)]
    return [place.of(TARGET) if place else "end" for place in places]


def test_without_pagination_there_is_one_page() -> None:
    assert run(pages.pager(None, BASE), page()) == [TARGET, "end"]


def test_numbers_count_up_until_a_page_is_empty() -> None:
    it = pager(page={"param": "page", "start": 0})

    assert run(it, page(3, digest="a"), page(100, digest="b"), page(0)) == [
        "/products?updated=1&page=0",
        "/products?updated=1&page=1",
        "/products?updated=1&page=2",
        "end",
    ]


def test_a_page_that_is_not_full_is_the_last_where_the_size_is_known() -> None:
    assert run(pager(page={"size": 100}), page(100), page(99))[-1] == "end"
    assert run(pager(offset={"size": 100}), page(100), page(99))[-1] == "end"


def test_offsets_count_records_or_full_pages() -> None:
    by_records = run(pager(offset={"param": "skip"}), page(100), page(7))
    by_pages = run(pager(offset={"param": "skip", "size": 50}), page(50), page(70))

    assert [target.split("skip=")[1] for target in by_records] == ["0", "100", "107"]
    assert [target.split("skip=")[1] for target in by_pages] == ["0", "50", "100"]


def test_cursors_are_followed_until_none_is_given() -> None:
    it = pager(cursor={"param": "after", "value": "{% next %}"})

    assert run(it, page(mark="a b&c"), page(mark="d"), page(mark="")) == [
        TARGET,
        f"{TARGET}&after=a%20b%26c",
        f"{TARGET}&after=d",
        "end",
    ]


def test_links_are_followed_in_the_header_and_in_the_body() -> None:
    link = "https://shop.example.com/api/v1/products?page=2"
    in_body = pager(bodyLink={"url": "{% next %}"})
    in_header = pager(linkHeader={})

    assert run(in_body, page(mark=link), page()) == [TARGET, "/products?page=2", "end"]
    assert run(in_header, page(link=f'<{link}>; rel="next"'), page(link="<a>; rel=prev")) == [
        TARGET,
        "/products?page=2",
        "end",
    ]


LOOPS = {
    "a page number that is ignored": (
        {"page": {}},
        [page(digest="same"), page(digest="same")],
    ),
    "an offset that starts over": (
        {"offset": {}},
        [page(digest="a"), page(digest="b"), page(digest="a")],
    ),
    "a cursor that stays": (
        {"cursor": {"value": "{% next %}"}},
        [page(mark="a"), page(mark="a")],
    ),
    "a link to where we were": (
        {"bodyLink": {"url": "{% next %}"}},
        [page(mark="?page=2"), page(mark="?page=3"), page(mark="?page=2")],
    ),
}


@pytest.mark.parametrize(("spec", "found"), LOOPS.values(), ids=LOOPS.keys())
def test_pages_that_would_never_end_are_found_out(
    spec: dict[str, object], found: list[Page]
) -> None:
    with pytest.raises(Fault) as failed:
        run(pager(**spec), *found)

    assert failed.value.reason == "PaginationLoop"


RAW = {
    "items": "items",
    "data.items": "data.items",
    "items[status = 'paid']": "items",
    "data.items[status = 'paid'][0]": "data.items",
    "items[a].{'id': id}": "items",
    "$.items[a]": "$.items",
    "[items[a]]": "items",
    "(items[a])": "items",
    "items[a]^(b)": "items",
    "$filter(data.items, function($i){ $i.a })": "data.items",
    "$map(items[a = 1], function($i){ $i })": "items",
    "items.{'id': id}": "items",
    "$": "$",
    "a & b": None,
    "$count(items) > 0 ? items : []": None,
}


@pytest.mark.parametrize(("expression", "path"), RAW.items(), ids=RAW.keys())
def test_pages_are_counted_by_the_list_they_came_with(expression: str, path: str | None) -> None:
    assert raw.of(expression) == path


def test_a_place_sets_its_parameters_and_leaves_others() -> None:
    assert Place((("page", "2"),)).of("/a") == "/a?page=2"
    assert Place((("page", "2"),)).of("/a?page=1&x=%20&page=7") == "/a?x=%20&page=2"
    assert Place().of("/a?b") == "/a?b"
    assert Place(target="/c").of("/a?b") == "/c"
