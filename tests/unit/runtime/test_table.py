"""Which Route takes a method and a path."""

import asyncio
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests_text import plans, route

from isthmus_runtime.route import Route
from isthmus_runtime.table import Match, NoRoute, Table


def table(*served: tuple[str, str]) -> Table:
    """A table of Routes with these methods and paths."""
    documents = [
        route("- filter: '{% true %}'", name=f"r{n}", method=method, path=path)
        for n, (method, path) in enumerate(served)
    ]

    async def made() -> Table:  # a Route belongs to the event loop that it is made on
        return Table(Route(plan, {}) for plan in plans(*documents))

    return asyncio.run(made())


def found(match: Match | NoRoute) -> tuple[str, dict[str, str]] | None:
    return (match.route.path, match.params) if isinstance(match, Match) else None


TABLE = table(
    ("GET", "/"),
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("GET", "/orders/{id}"),
    ("GET", "/orders/special"),
    ("GET", "/orders/{id}/lines/{line}"),
    ("GET", "/orders/special/notes"),
    ("PUT", "/{any}/{thing}"),
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param("GET", "/", ("/", {}), id="the root"),
        pytest.param("GET", "/orders", ("/orders", {}), id="a literal path"),
        pytest.param("GET", "/orders/7", ("/orders/{id}", {"id": "7"}), id="a variable"),
        pytest.param("GET", "/orders/special", ("/orders/special", {}), id="literals win"),
        pytest.param(
            "GET",
            "/orders/special/lines/2",
            ("/orders/{id}/lines/{line}", {"id": "special", "line": "2"}),
            id="a literal that leads nowhere gives way to a variable",
        ),
        pytest.param("GET", "/ord%65rs", ("/orders", {}), id="an encoded letter is that letter"),
        pytest.param("GET", "/orders/a%2Fb", ("/orders/{id}", {"id": "a/b"}), id="a slash inside"),
        pytest.param("GET", "/orders/a%252F", ("/orders/{id}", {"id": "a%2F"}), id="decoded once"),
        pytest.param("GET", "/orders/..", ("/orders/{id}", {"id": ".."}), id="dots are a value"),
        pytest.param("HEAD", "/orders/7", ("/orders/{id}", {"id": "7"}), id="HEAD goes to GET"),
        pytest.param("GET", "/orders/", None, id="a variable takes no empty segment"),
        pytest.param("GET", "//orders", None, id="an empty segment is one"),
        pytest.param("GET", "/orders/7/lines", None, id="half a path"),
        pytest.param("GET", "/orders/%C3", None, id="no UTF-8"),
        pytest.param("OPTIONS", "*", None, id="an asterisk"),
    ],
)
def test_a_path_finds_its_route(
    method: str, path: str, expected: tuple[str, dict[str, str]] | None
) -> None:
    assert found(TABLE.find(method, path)) == expected


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/orders", ("GET", "HEAD", "POST")),
        ("/orders/special", ("GET", "HEAD")),
        ("/a/b", ("PUT",)),
        ("/a/b/c", ()),
    ],
)
def test_a_path_says_which_methods_it_takes(path: str, allowed: tuple[str, ...]) -> None:
    assert TABLE.find("DELETE", path) == NoRoute(allowed)


LITERAL = st.from_regex(r"[A-Za-z0-9._~-]{1,8}", fullmatch=True)
VALUE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(
    segments=st.lists(st.tuples(st.booleans(), LITERAL, VALUE), min_size=1, max_size=6),
)
def test_what_a_path_expands_to_matches_it_and_gives_the_values_back(
    segments: list[tuple[bool, str, str]],
) -> None:
    template, path, values = "", "", {}
    for number, (is_variable, literal, value) in enumerate(segments):
        name = f"v{number}"
        template += f"/{{{name}}}" if is_variable else f"/{literal}"
        path += "/" + (quote(value, safe="") if is_variable else literal)
        if is_variable:
            values[name] = value

    assert found(table(("GET", template)).find("GET", path)) == (template, values)


@given(path=st.text(st.characters(max_codepoint=255)))
def test_no_path_makes_it_fail(path: str) -> None:
    assert isinstance(TABLE.find("GET", path), Match | NoRoute)
