"""Documents cut into records: as their functions read them at once, wherever the pieces end."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api import json_text, records
from isthmus_api.expressions import functions
from isthmus_api.expressions.functions import csv_text, xml_text

CELLS = st.text(st.sampled_from("ab\"',;\r\n \té€😀\ufeff\x85\u2028"), max_size=6)
CUTS = st.lists(st.integers(1, 7), min_size=1, max_size=8)
"""How long pieces are, in turn."""


def pieces(whole: Any, cuts: Sequence[int]) -> Iterator[Any]:
    at, turn = 0, 0
    while at < len(whole):
        yield whole[at : at + cuts[turn % len(cuts)]]
        at, turn = at + cuts[turn % len(cuts)], turn + 1


def cut(cutter: Any, whole: Any, cuts: Sequence[int]) -> list[Any]:
    found = [record for piece in pieces(whole, cuts) for record in cutter.feed(piece)]
    return [*found, *cutter.end()]


def outcome(read: Callable[[], Any]) -> Any:
    """What is read, or what is said against it."""
    try:
        return read()
    except (functions.FunctionError, records.Unreadable) as error:
        return str(error).removeprefix("argument text ")


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8), CUTS, st.booleans())
def test_rows_are_those_of_parse_csv(rows: list[list[str]], cuts: list[int], header: bool) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    text = out.getvalue()

    at_once = outcome(lambda: csv_text.parse_csv(text, {"header": header}))
    piecewise = outcome(lambda: cut(records.CsvRows(header=header), text, cuts))

    assert piecewise == at_once


@given(st.text(st.sampled_from('ab",\r\n\ufeff'), max_size=40), CUTS)
def test_any_text_is_read_as_parse_csv_reads_it_or_refused_as_it_does(
    text: str, cuts: list[int]
) -> None:
    at_once = outcome(lambda: csv_text.parse_csv(text))
    piecewise = outcome(lambda: cut(records.CsvRows(), text, cuts))

    assert piecewise == at_once


NAMES = st.sampled_from(["a", "b", "n:c"])
TEXTS = st.text(st.sampled_from("xy <&>\"'\n\té€😀"), max_size=6)
LEAVES = st.one_of(TEXTS, st.dictionaries(st.sampled_from(["@x", "@y"]), TEXTS, max_size=2))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(
        st.one_of(NAMES, st.sampled_from(["@x", "#text"])),
        st.one_of(inner, st.lists(inner, min_size=1, max_size=3)),
        max_size=3,
    ).map(lambda found: {k: v if k[0] not in "@#" else "t" for k, v in found.items()}),
    max_leaves=8,
)


@given(
    st.lists(VALUES, max_size=5),
    st.lists(VALUES, max_size=2),
    CUTS,
    st.sampled_from(["utf-8", "utf-16", "iso-8859-1"]),
)
def test_elements_are_those_of_parse_xml(
    products: list[Any], others: list[Any], cuts: list[int], encoding: str
) -> None:
    document = {"shop": {"other": others, "all": {"product": products, "product2": others}}}
    text = xml_text.to_xml(document) or ""
    declared = f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'
    written = declared.encode(encoding, "xmlcharrefreplace")

    read = xml_text.parse_xml(text)
    assert read is not None
    there = read["shop"]["all"] if isinstance(read["shop"], dict) else {}
    at_once = there.get("product", []) if isinstance(there, dict) else []
    if len(products) == 1:
        at_once = [at_once]
    cutter = records.XmlElements(("shop", "all", "product"), required=False)
    piecewise = cut(cutter, written, cuts)

    assert piecewise == at_once


@given(st.lists(st.one_of(st.integers(), st.none(), st.dictionaries(CELLS, CELLS))), CUTS)
def test_lines_are_those_of_their_json(values: list[Any], cuts: list[int]) -> None:
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    text = "\r\n\n".join(lines)

    piecewise = cut(records.JsonLines(), text, cuts)

    assert piecewise == [json_text.decode(line.encode()) for line in lines]


CATALOG = ("catalog", "product")


@pytest.mark.parametrize(
    ("cutter", "document", "message"),
    [
        pytest.param(records.CsvRows(), "a,b\n1,2\n1,2,3\n", "has 3 cells in line 3, not 2 as in "
                     "its first row", id="too many cells"),
        pytest.param(records.CsvRows(), 'a,b\n"1\n2",3\n1\n', "has 1 cells in line 4",
                     id="lines in a cell count"),
        pytest.param(records.CsvRows(), 'a,b\n1,2\n1,"2', "is no CSV in line 3: unexpected end",
                     id="a quote that does not end"),
        pytest.param(records.CsvRows(limit=20), "a\n" + 'b"' * 30, "is no CSV|more than 20 char",
                     id="a row that is too long"),
        pytest.param(records.CsvRows(limit=20), 'a\n"b' + "\n" * 30, "has a record of more than 20 "
                     "characters, which begins in line 2", id="a cell of too many lines"),
        pytest.param(records.JsonLines(), '1\n\n{"a": }\n', "is no JSON in line 3", id="no JSON"),
        pytest.param(records.JsonLines(limit=20), "[" * 30, "more than 20 characters, which begins "
                     "in line 1", id="a line that is too long"),
        pytest.param(records.XmlElements(CATALOG), b"<catalog><product>", "is no XML: no element "
                     "found (line 1, column 19)", id="XML that ends too early"),
        pytest.param(records.XmlElements(CATALOG), b"sku,qty", "is no XML: syntax error (line 1",
                     id="CSV for XML"),
        pytest.param(records.XmlElements(CATALOG), b"<html><body/></html>", "has the root element "
                     "html, not catalog", id="another root"),
        pytest.param(records.XmlElements(CATALOG), b"<catalog>\n<item/>\n<x/></catalog>",
                     "has no element catalog/product; there is item in its place",
                     id="no such element"),
        pytest.param(records.XmlElements(("a", "b", "c")), b"<a><x/><z/></a>",
                     "has no element a/b; there is x in its place", id="nothing leads to it"),
        pytest.param(records.XmlElements(("a", "b", "c")), b"<a><x/><b><z/></b></a>",
                     "has no element a/b/c; there is z in its place", id="the deepest one"),
        pytest.param(records.XmlElements(CATALOG),
                     b"<!DOCTYPE catalog [<!ENTITY a 'b'>]><catalog/>", "has a document "
                     "type, which is refused", id="a document type"),
        pytest.param(records.XmlElements(CATALOG), b"<catalog><product>&a;</product></catalog>",
                     "is no XML: undefined entity", id="an entity"),
        pytest.param(records.XmlElements(CATALOG, limit=20),
                     b"<catalog><product>" + b"x" * 40 + b"</product></catalog>",
                     "has a record of more than 20 bytes", id="an element that is too large"),
        pytest.param(records.XmlElements(CATALOG, limit=20), b"<catalog><product a='" + b"x" * 40,
                     "has a record of more than 20 bytes", id="a tag that is too large"),
        pytest.param(records.XmlElements(CATALOG, limit=20), b"<catalog><!-- " + b"x" * 40,
                     "has a record of more than 20 bytes", id="a comment that is too large"),
        pytest.param(records.XmlElements(CATALOG), b"<catalog>" + b"<product>" * 101,
                     "nests deeper than 100 elements in a product (line 1)", id="depth"),
        pytest.param(records.XmlElements(CATALOG),
                     b"<catalog>\n<product>" + b"<b/>" * 200_000, "has more than 200000 elements "
                     "and attributes in a product (line 2)", id="elements of one record"),
    ],
)  # fmt: skip
def test_what_is_no_such_document_is_told_with_its_line(
    cutter: Any, document: Any, message: str
) -> None:
    with pytest.raises(records.Unreadable) as found:
        cut(cutter, document, [7])

    assert any(part in str(found.value) for part in message.split("|"))


@pytest.mark.parametrize(
    ("cutter", "document", "found"),
    [
        (records.CsvRows(), "sku\nA\nB\nC,1\nD\n", [{"sku": "A"}, {"sku": "B"}]),
        (records.JsonLines(), "1\n2\n{\n3\n", [json_text.Decoded(1), json_text.Decoded(2)]),
        (records.XmlElements(("a", "b")), b"<a><b>1</b><b>2</b><b><c></b></a>", ["1", "2"]),
    ],
    ids=["csv", "json", "xml"],
)
def test_what_is_whole_before_a_mistake_is_given(
    cutter: Any, document: Any, found: list[Any]
) -> None:
    given: list[Any] = []

    with pytest.raises(records.Unreadable):
        given.extend(cutter.feed(document))

    assert given == found


@pytest.mark.parametrize(
    "document",
    [b"<catalog/>", b"<catalog>\n</catalog>", b'<?xml version="1.0"?><catalog at="1"></catalog>'],
)
def test_nothing_in_its_place_is_no_records(document: bytes) -> None:
    assert cut(records.XmlElements(CATALOG), document, [5]) == []


def test_other_elements_in_its_place_may_be_wanted() -> None:
    document = b"<catalog><made at='1'/></catalog>"

    assert cut(records.XmlElements(CATALOG, required=False), document, [5]) == []


def test_what_lies_beside_the_records_takes_no_memory() -> None:
    cutter = records.XmlElements(CATALOG, limit=64)
    document = b"<catalog><log>" + b"<line a='1'>text</line>\n  " * 1000 + b"</log>"

    found = cut(cutter, document + b"<product>A</product></catalog>", [13])

    assert found == ["A"]


def test_a_record_of_many_pieces_costs_its_length_and_not_its_square() -> None:
    rows = 0

    class Counting(records.CsvRows):
        def _rows(self, block: str, *, ends: bool) -> Iterator[list[str]]:
            nonlocal rows
            rows += len(block)
            return super()._rows(block, ends=ends)

    text = 'a\n"' + "x\n" * 20_000 + '"\n'
    assert len(cut(Counting(), text, [50])) == 1
    assert rows < 4 * len(text)
