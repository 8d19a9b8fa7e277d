"""The Link header, and where a link leads."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isthmus_runtime.faults import Fault
from isthmus_runtime.sources import links
from isthmus_runtime.sources.links import Link

BASE = "https://shop.example.com/api/v1"
CURRENT = "/products?updated=1&page=9"

HEADERS = {
    "the first of several": '<a>; rel="next", <b>; rel="last"',
    "the second of several": '<b>; rel="prev", <a>; rel="next"',
    "without quotes": "<a>; rel=next",
    "several relations": '<a>; rel="last next"',
    "other parameters": '<a>; title="x, y; rel=z"; rel="next"; type=json',
    "a capital letter": '<a>; Rel="Next"',
    "a comma in the link": '<b,c>; rel=prev, <a>; rel="next"',
    "a quoted pair": r'<a>; title="\"<b>\""; rel="n\ext"',
    "blanks where they may be": '  <a>  ;\trel = "next" ; x',
    "the first rel counts": '<b>; rel="prev"; rel="next", <a>; rel="next"',
    "empty parameters and links": ", ,<b>;;, <a>; ;rel=next;,",
    "a link that another page has": '<b>; rel="next"; anchor="/other", <a>; rel="next"',
    "what comes after it is broken": '<a>; rel="next", b',
}


@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS.keys())
def test_the_link_of_a_relation_is_found(value: str) -> None:
    assert links.related([(b"link", value.encode())], "next") == "a"


def test_the_link_may_be_in_any_of_several_fields() -> None:
    headers = [(b"link", b"broken"), (b"links", b"<b>; rel=next"), (b"link", b"<a>; rel=next")]

    assert links.related(headers, "NEXT") == "a"


@pytest.mark.parametrize(
    "value", ["", "<a>", "<a>; rel=prev", '<a>; title="next"', '<a>; rel="x"; rel=next', " , "]
)
def test_where_no_link_has_the_relation_there_is_none(value: str) -> None:
    assert links.related([(b"link", value.encode())], "next") is None


@pytest.mark.parametrize(
    "value", ["a; rel=next", "<a", '<a>; rel="next', "<b>; rel=prev <a>; rel=next", '<a>; "next"']
)
def test_a_header_that_cannot_be_read_is_no_last_page(value: str) -> None:
    with pytest.raises(Fault, match="RFC 8288") as failed:
        links.related([(b"link", value.encode())], "next")

    assert failed.value.reason == "PaginationUnclear"


def test_a_link_in_utf_8_is_read() -> None:
    assert links.related([(b"link", '<?after=é>; rel="next"'.encode())], "next") == "?after=é"
    assert links.related([(b"link", b"<?after=\xe9>; rel=next")], "next") == "?after=é"


names = st.text("abcdefghijklmnopqrstuvwxyz-*", min_size=1, max_size=8)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
targets = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters=">"))
relations = st.lists(names, max_size=3)
others = st.dictionaries(names.filter(lambda name: name not in ("rel", "anchor")), texts)


@given(st.lists(st.tuples(targets, relations, others)), st.data())
def test_what_is_written_is_read(
    written: list[tuple[str, list[str], dict[str, str]]], data: st.DataObject
) -> None:
    """Whatever titles hold, and in whatever order the parameters come."""
    blank = st.sampled_from(["", " ", "\t "])
    parts = []
    for target, relation, more in written:
        parameters = [("rel", " ".join(relation)), *more.items()]
        text = f"<{target}>"
        for name, value in data.draw(st.permutations(parameters)):
            quoted = value.replace("\\", r"\\").replace('"', r"\"")
            text += f'{data.draw(blank)};{data.draw(blank)}{name}={data.draw(blank)}"{quoted}"'
        parts.append(text)

    read = list(links.parse(", ".join(parts)))

    assert read == [Link(target, frozenset(relation)) for target, relation, _ in written]


@given(st.text(st.characters(codec="utf-8")))
@example("<>; rel=next")
def test_any_text_is_read_or_refused(value: str) -> None:
    with suppress(Fault):
        links.related([(b"link", value.encode())], "next")


LEADING = {
    "absolute": "https://shop.example.com/api/v1/products?page=2",
    "below the host": "/api/v1/products?page=2",
    "relative": "products?page=2",
    "only a query": "?page=2",
    "without a scheme": "//shop.example.com/api/v1/products?page=2",
    "with the port of the scheme": "https://shop.example.com:443/api/v1/products?page=2",
    "with the other scheme, as behind a proxy": "http://shop.example.com/api/v1/products?page=2",
    "in capital letters": "HTTPS://Shop.Example.COM/api/v1/products?page=2",
    "with a fragment": "https://shop.example.com/api/v1/products?page=2#top",
    "with a user, who is not taken": "https://a:b@shop.example.com/api/v1/products?page=2",
}


@pytest.mark.parametrize("link", LEADING.values(), ids=LEADING.keys())
def test_links_lead_to_their_target(link: str) -> None:
    assert links.below(BASE, CURRENT, link) == "/products?page=2"


def test_a_port_of_the_connector_is_that_of_its_links() -> None:
    base = "http://10.0.0.1:8080"

    assert links.below(base, "/a", "http://10.0.0.1:8080/b") == "/b"
    assert links.below(base, "/a", "http://10.0.0.1/b") == "/b"  # a proxy's own
    assert links.below(base, "/a", "http://10.0.0.1:8080?b") == "/?b"


def test_a_link_cannot_write_a_request() -> None:
    written = links.below(BASE, CURRENT, "/api/v1/a b\x7f?c=d e&f=é%20\r\nX: y")

    assert written == "/a%20b%7F?c=d%20e&f=%C3%A9%20X:%20y"


LEAVING = {
    "another host": "https://evil.example.com/api/v1/products",
    "a host that begins like ours": "https://shop.example.com.evil.example/api/v1/products",
    "our host as a user": "https://shop.example.com@evil.example/api/v1/products",
    "another port": "https://shop.example.com:8443/api/v1/products",
    "another scheme": "ftp://shop.example.com/api/v1/products",
    "no host": "mailto:shop@example.com",
    "another part of the host": "/admin/products",
    "the name of the base as a beginning": "/api/v12/products",
    "upwards": "../../admin",
    "upwards, written otherwise": "/api/v1/%2e%2e/%2E./admin",
}


@pytest.mark.parametrize("link", LEAVING.values(), ids=LEAVING.keys())
def test_links_that_lead_out_of_the_connector_are_refused(link: str) -> None:
    with pytest.raises(Fault, match="leads out of the Connector") as failed:
        links.below(BASE, CURRENT, link)

    assert failed.value.reason == "PaginationLeaves"


@pytest.mark.parametrize("link", ["http://[", "https://shop.example.com:x/api/v1/a"])
def test_a_link_that_is_no_address_is_told(link: str) -> None:
    with pytest.raises(Fault) as failed:
        links.below(BASE, CURRENT, link)

    assert failed.value.reason == "PaginationUnclear"


@given(st.text(st.characters(codec="utf-8")))
def test_any_link_leads_below_the_base_or_nowhere(link: str) -> None:
    with suppress(Fault):
        target = links.below(BASE, CURRENT, link)

        assert target.startswith("/")
        assert target.isascii()
        assert not set(target) & set(" \r\n\t")
