"""How one page leads to the next."""

from collections.abc import Callable
from itertools import chain, cycle, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.plan import source_sites
from isthmus_api.poll import PollSource
from isthmus_runtime.faults import Fault
from isthmus_runtime.sources import pages, raw
from isthmus_runtime.sources.pages import Page, Place

BASE = "https://shop.example.com/api/v1"
TARGET = "/products?updated=1&page=9"


def page(
    count: int = 100,
    *,
    digest: str | None = None,
    mark: str | None = None,
    more: bool | None = None,
    total: int | None = None,
    **headers: str,
) -> Page:
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Page(
        TARGET,
        given,
        count,
        (f"{count} {mark}" if digest is None else digest).encode(),
        mark,
        more,
        total,
    )


def walk(*, call: dict[str, Any] | None = None, **spec: Any) -> pages.Walk:
    poll = {"every": "1s", "call": {"connector": "pim", **(call or {})}, "pagination": spec}
    source = PollSource.model_validate(poll)
    return pages.walk(source.pagination, BASE, param=source_sites.page_parameter(source))


def places(it: pages.Walk, *found: Page) -> list[Place]:
    """The first place, and those after each of `found` that has one."""
    all_of_them = [it.first()]
    for one in found:
        following = it.after(one)
        if following is None:
            break
        all_of_them.append(following)
    return all_of_them


def run(it: pages.Walk, *found: Page) -> list[str]:
    """The targets of the first page and of those after each of `found`."""
    targets = [place.of(TARGET) for place in places(it, *found)]
    return targets + ["end"] * (len(targets) <= len(found))


def test_without_pagination_there_is_one_page() -> None:
    assert run(pages.walk(None, BASE, param=None), page()) == [TARGET, "end"]


def test_numbers_count_up_until_a_page_is_empty() -> None:
    it = walk(page={"param": "page", "start": 0})

    assert run(it, page(3, digest="a"), page(100, digest="b"), page(0)) == [
        "/products?updated=1&page=0",
        "/products?updated=1&page=1",
        "/products?updated=1&page=2",
        "end",
    ]


def test_a_page_that_is_not_full_is_the_last_where_the_size_is_known() -> None:
    assert run(walk(page={"size": 100}), page(100), page(99))[-1] == "end"
    assert run(walk(offset={"size": 100}), page(100), page(99))[-1] == "end"


def test_offsets_count_records_or_full_pages() -> None:
    by_records = run(walk(offset={"param": "skip"}), page(100), page(7))
    by_pages = run(walk(offset={"param": "skip", "size": 50}), page(50), page(70))

    assert [target.split("skip=")[1] for target in by_records] == ["0", "100", "107"]
    assert [target.split("skip=")[1] for target in by_pages] == ["0", "50", "100"]


def test_cursors_are_followed_until_none_is_given() -> None:
    it = walk(cursor={"param": "after", "value": "{% next %}"})

    assert run(it, page(mark="a b&c"), page(mark="d"), page(mark="")) == [
        TARGET,
        f"{TARGET}&after=a%20b%26c",
        f"{TARGET}&after=d",
        "end",
    ]


def test_links_are_followed_in_the_header_and_in_the_body() -> None:
    link = "https://shop.example.com/api/v1/products?page=2"
    in_body = walk(bodyLink={"url": "{% next %}"})
    in_header = walk(linkHeader={})

    assert run(in_body, page(mark=link), page()) == [TARGET, "/products?page=2", "end"]
    assert run(in_header, page(link=f'<{link}>; rel="next"'), page(link="<a>; rel=prev")) == [
        TARGET,
        "/products?page=2",
        "end",
    ]


def test_a_cursor_that_the_call_writes_is_in_no_query() -> None:
    call = {"method": "POST", "body": {"after": "{% $cursor %}"}}
    it = walk(call=call, cursor={"value": "{% next %}"})

    assert places(it, page(mark="a"), page()) == [Place(), Place(cursor="a")]


def test_a_connection_goes_by_the_cursor_that_the_call_writes() -> None:
    it = walk(connection={"pageInfo": "{% pageInfo %}"})

    assert places(it, page(mark="a"), page()) == [Place(), Place(cursor="a")]


def test_what_comes_after_the_last_id_is_read_until_nothing_does() -> None:
    keyset = {"param": "since_id", "size": 100}
    by_emptiness = walk(keyset={"param": "since_id"})
    by_size = walk(keyset=keyset)

    assert run(by_emptiness, page(100, mark="7"), page(1, mark="9"), page(0)) == [
        TARGET,
        f"{TARGET}&since_id=7",
        f"{TARGET}&since_id=9",
        "end",
    ]
    assert run(by_size, page(100, mark="7"), page(99, mark="9"))[-1] == "end"


MORE = {
    "numbers": ({"page": {"size": 10}}, [page(3, more=True), page(0, more=True), page(more=False)]),
    "offsets": ({"offset": {"size": 10}}, [page(0, more=True), page(3, more=False)]),
    "cursors": (
        {"cursor": {"value": "{% next %}"}},
        [page(0, mark="a", more=True), page(mark="b", more=False)],
    ),
    "ids": (
        {"keyset": {"param": "p", "size": 10}},
        [page(3, mark="a", more=True), page(mark="b", more=False)],
    ),
}


@pytest.mark.parametrize(("spec", "found"), MORE.values(), ids=MORE.keys())
def test_what_a_page_says_of_more_decides(spec: dict[str, Any], found: list[Page]) -> None:
    """Whatever records it has, and whether or not it leads on."""
    targets = run(walk(more="{% more %}", **spec), *found)

    assert (len(targets), targets[-1]) == (len(found) + 1, "end")


@pytest.mark.parametrize(
    "spec", [{"cursor": {"value": "{% next %}"}}, {"keyset": {"param": "since_id"}}]
)
def test_more_that_is_nowhere_is_no_end(spec: dict[str, Any]) -> None:
    with pytest.raises(Fault) as failed:
        run(walk(more="{% more %}", **spec), page(more=True))

    assert failed.value.reason == "PaginationUnclear"


def test_a_page_with_records_and_no_id_is_no_end() -> None:
    with pytest.raises(Fault, match="no record of this one gives an id"):
        run(walk(keyset={"param": "since_id"}), page(100))


def test_a_total_that_shrinks_fails_and_one_that_grows_does_not() -> None:
    it = walk(page={}, total="{% total %}")
    read = [page(digest="a", total=300), page(digest="b", total=301)]

    assert len(run(it, *read)) == 3
    with pytest.raises(Fault, match="from 301 to 299 at page 3") as failed:
        it.after(page(digest="c", total=299))
    assert failed.value.reason == "PaginationMoved"


LOOPS = {
    "a page number that is ignored": (
        {"page": {}},
        [page(digest="same"), page(digest="same")],
        "page 2 has the records of page 1 again",
    ),
    "an offset that starts over": (
        {"offset": {}},
        [page(digest="a"), page(digest="b"), page(digest="a")],
        "page 3 has the records of page 1 again",
    ),
    "an offset that stays": (
        {"offset": {}, "more": "{% more %}"},
        [page(3, more=True), page(0, more=True)],
        "page 2 gives the number that led to page 2 again",
    ),
    "a cursor that stays": (
        {"cursor": {"value": "{% next %}"}},
        [page(mark="a", digest="1"), page(mark="a", digest="2")],
        "page 2 gives the cursor that led to page 2 again",
    ),
    "a cursor that is new on the same page": (
        {"cursor": {"value": "{% next %}"}},
        [page(mark="a", digest="1"), page(mark="b", digest="1")],
        "page 2 has the records of page 1 again",
    ),
    "a connection that starts over": (
        {"connection": {"pageInfo": "{% pageInfo %}"}},
        [page(mark="a"), page(mark="b"), page(mark="c"), page(mark="b", digest="new")],
        "page 4 gives the cursor that led to page 3 again",
    ),
    "an id that stays": (
        {"keyset": {"param": "since_id"}},
        [page(mark="7", digest="1"), page(mark="7", digest="2")],
        "page 2 gives the id that led to page 2 again",
    ),
    "a link to where we were": (
        {"bodyLink": {"url": "{% next %}"}},
        [page(mark="?page=2"), page(mark="?page=3"), page(mark="?page=2", digest="new")],
        "page 3 gives the link that led to page 2 again",
    ),
    "a link in the header to the page itself": (
        {"linkHeader": {}},
        [page(link="<>; rel=next"), page(link="<>; rel=next")],
        "page 2 has the records of page 1 again",
    ),
}


@pytest.mark.parametrize(("spec", "found", "says"), LOOPS.values(), ids=LOOPS.keys())
def test_pages_that_would_never_end_are_found_out(
    spec: dict[str, Any], found: list[Page], says: str
) -> None:
    with pytest.raises(Fault) as failed:
        run(walk(**spec), *found)

    assert (failed.value.reason, failed.value.detail) == ("PaginationLoop", says)


WAYS: dict[str, tuple[dict[str, Any], Callable[[int], Page]]] = {
    "cursor": (
        {"cursor": {"value": "{% next %}"}},
        lambda n: page(mark=f"c{n}", digest="", more=None),
    ),
    "keyset": ({"keyset": {"param": "since"}}, lambda n: page(mark=str(n), digest="")),
    "bodyLink": ({"bodyLink": {"url": "{% n %}"}}, lambda n: page(mark=f"?n={n}", digest="")),
    "linkHeader": ({"linkHeader": {}}, lambda n: page(link=f'<?n={n}>; rel="next"', digest="")),
    "page": ({"page": {}}, lambda n: page(digest=f"records {n}")),
    "offset": ({"offset": {}}, lambda n: page(digest=f"records {n}")),
}


@pytest.mark.parametrize(("spec", "made"), WAYS.values(), ids=WAYS.keys())
@given(st.lists(st.integers(0, 10_000), unique=True), st.lists(st.integers(), min_size=1))
def test_whatever_repeats_at_last_ends_where_it_does(
    spec: dict[str, Any], made: Callable[[int], Page], before: list[int], circle: list[int]
) -> None:
    """A way to a circle of pages, of any lengths: the first that comes again ends the run."""
    unique = list(dict.fromkeys(-1 - abs(each) for each in circle))
    it = walk(**spec)
    found = chain(before, cycle(unique))
    read = map(made, islice(found, len(before) + len(unique) + 1))

    with pytest.raises(Fault) as failed:
        run(it, *read)

    assert failed.value.reason == "PaginationLoop"


@given(st.lists(st.text(min_size=1), unique=True))
def test_cursors_that_differ_are_no_loop(cursors: list[str]) -> None:
    it = walk(cursor={"value": "{% next %}"})
    found = [page(mark=cursor, digest=f"{n}") for n, cursor in enumerate(cursors)]

    assert len(places(it, *found)) == len(cursors) + 1


def test_a_last_page_may_have_the_records_of_another() -> None:
    it = walk(page={}, more="{% more %}")

    assert run(it, page(digest="a", more=True), page(digest="a", more=False))[-1] == "end"


def test_pages_of_nulls_are_no_loop() -> None:
    it = walk(page={})

    assert len(places(it, *[Page(TARGET, [], 2) for _ in range(3)])) == 4


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
