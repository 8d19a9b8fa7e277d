"""XML, CSV, JSON in strings and digests: there and back, what is refused, and what bounds them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.expressions import engine, functions, jlens_engine
from isthmus_api.expressions.functions import csv_text, texts, xml_text
from isthmus_api.records import xml_elements

LIBRARY = functions.library({})


def evaluated(source: str, value: Any = None) -> Any:
    return jlens_engine.ENGINE.compile(source, LIBRARY).evaluate(value)


@pytest.mark.parametrize(
    "call",
    ["$parseXml(x)", "$toXml(x)", "$parseCsv(x)", "$toCsv(x)", "$parseJson(x)", "$hash(x)"],
)
@pytest.mark.parametrize("value", [{}, {"x": None}], ids=["undefined", "null"])
def test_undefined_gives_undefined(call: str, value: Any) -> None:
    assert evaluated(f"$exists({call})", value) is False


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param("$parseXml('<a>')", "argument text is no XML: no element found (line 1, "
                     "column 4)", id="an element that does not end"),
        pytest.param("$parseXml('')", "argument text is no XML", id="no XML at all"),
        pytest.param("$parseXml('<a/><b/>')", "junk after document element", id="two roots"),
        pytest.param("$parseXml(1)", "argument text must be a string, not a number", id="number"),
        pytest.param("$toXml({'a': 1, 'b': 2})", "one key, the root element", id="two roots out"),
        pytest.param("$toXml({'a': [1, 2]})", "array as its root", id="an array as root"),
        pytest.param("$toXml({'1a': 2})", "no name in XML: '1a'", id="a digit begins no name"),
        pytest.param("$toXml({'a><b': 2})", "no name in XML: 'a><b'", id="a name with marks"),
        pytest.param("$toXml({'a': {'@x y': 2}})", "no name in XML: 'x y'", id="of an attribute"),
        pytest.param("$toXml({'a': {'@x': [1, 2]}})", "has an array at @x; it must be text",
                     id="an array as attribute"),
        pytest.param("$toXml({'a': {'#text': {'b': 1}}})", "has an object at #text", id="no text"),
        pytest.param("$toXml({'a': {'b': [[1, 2], [3]]}})", "array in an array at 'b'",
                     id="arrays in arrays"),
        pytest.param(r'$toXml({"a": "\u0001"})', "character at #text that XML cannot hold",
                     id="a control character"),
        pytest.param("$parseCsv('a,b\n1\n')", "1 cells in line 2, not 2", id="a short row"),
        pytest.param("$parseCsv('a,b\n1,2,3\n')", "3 cells in line 2, not 2", id="a long row"),
        pytest.param("$parseCsv('a,a\n1,2')", "names a column twice", id="one name twice"),
        pytest.param("$parseCsv('a\n\"x')", "no CSV in line 2", id="a quote that does not end"),
        pytest.param("$parseCsv('a', {'sep': ';'})", "there is no option 'sep'; there are: header, "
                     "separator", id="an unknown option"),
        pytest.param("$parseCsv('a', {'separator': ';;'})", "option separator must be one "
                     "character", id="two characters"),
        pytest.param("$parseCsv('a', {'header': 'no'})", "option header must be true or false, not "
                     "a string", id="no flag"),
        pytest.param("$parseCsv('a', ';')", "argument options must be an object", id="no object"),
        pytest.param("$toCsv([1, 2])", "must hold objects only, or arrays only", id="no rows"),
        pytest.param("$toCsv([{'a': {'b': 1}}])", "has an object as a cell", id="no cell"),
        pytest.param("$toCsv([{'a': 1}], {'columns': [1]})", "option columns must hold strings",
                     id="numbers as columns"),
        pytest.param("$parseJson('{')", "argument text is no JSON", id="half of JSON"),
        pytest.param("$hash('a', 'crc')", "must be one of sha256, sha512, sha1, md5, not 'crc'",
                     id="an unknown algorithm"),
        pytest.param("$hash('a', 'md5', 'b')", "must be hex or base64, not 'b'", id="a form"),
        pytest.param("$hash({'a': 1})", "argument text must be a string, not an object", id="text"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(call: str, message: str) -> None:
    with pytest.raises(engine.EvaluationFault, match=re.escape(message)):
        evaluated(call)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<!DOCTYPE a><a/>", id="a document type"),
        pytest.param('<!DOCTYPE a SYSTEM "http://x.example/a.dtd"><a/>', id="elsewhere"),
        pytest.param('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', id="an entity"),
        pytest.param('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', id="file"),
        pytest.param("<a>&b;</a>", id="an entity that nobody declared"),
    ],
)
def test_entities_and_document_types_are_refused(text: str) -> None:
    with pytest.raises(functions.FunctionError, match=r"document type|undefined entity"):
        xml_text.parse_xml(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a>" * 101 + "</a>" * 101, "nests deeper than 100 elements"),
        (f"<a>{'<b/>' * xml_elements.MAX_NODES}</a>", "more than 200000 elements and attributes"),
        ("x" * (xml_text.MAX_TEXT + 1), "more than 16777216 characters"),
    ],
    ids=["depth", "elements", "characters"],
)
def test_what_bounds_xml(text: str, message: str) -> None:
    with pytest.raises(functions.FunctionError, match=message):
        xml_text.parse_xml(text)


def test_what_bounds_xml_that_is_written() -> None:
    deep: Any = "x"
    for _ in range(101):
        deep = {"a": deep}
    with pytest.raises(functions.FunctionError, match="nests deeper"):
        xml_text.to_xml(deep)
    with pytest.raises(functions.FunctionError, match="more than 200000 elements"):
        xml_text.to_xml({"a": {"b": ["x"] * 300_000}})


def test_what_bounds_csv() -> None:
    with pytest.raises(functions.FunctionError, match="more than 500000 cells"):
        csv_text.parse_csv("a,b\n" + "1,2\n" * 250_000)
    with pytest.raises(functions.FunctionError, match="more than 8388608 characters"):
        csv_text.parse_csv("x" * (csv_text.MAX_TEXT + 1))
    with pytest.raises(functions.FunctionError, match="more than 500000 cells"):
        csv_text.to_csv([["x"] * 1000] * 501)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<a/>", {"a": ""}),
        ("<a> x\n</a>", {"a": "x"}),
        ('<a x="1"/>', {"a": {"@x": "1"}}),
        ('<a x="1">y</a>', {"a": {"@x": "1", "#text": "y"}}),
        ("<a>x<b>y</b>z</a>", {"a": {"b": "y", "#text": "xz"}}),
        ("<a><b/><c/><b>1</b></a>", {"a": {"b": ["", "1"], "c": ""}}),
        ("<a><![CDATA[<b>&]]></a>", {"a": "<b>&"}),
        ("<a>&lt;&amp;&#228;</a>", {"a": "<&ä"}),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>ä</a>', {"a": "ä"}),
        ("\ufeff<a>1</a>", {"a": "1"}),
        ('<s:a xmlns:s="urn:x"><s:b/></s:a>', {"s:a": {"@xmlns:s": "urn:x", "s:b": ""}}),
        ("<!-- c --><a><?p?>1<!-- d --></a>", {"a": "1"}),
    ],
)
def test_xml_as_a_value(text: str, value: Any) -> None:
    assert xml_text.parse_xml(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": None}, "<a/>"),
        ({"a": ""}, "<a/>"),
        ({"a": {"@x": None, "b": True}}, "<a><b>true</b></a>"),
        ({"a": {"b": []}}, "<a/>"),
        ({"a": {"b": [1, 2.5, 3.0]}}, "<a><b>1</b><b>2.5</b><b>3</b></a>"),
        ({"a": {"@x": '<"&\n'}}, '<a x="&lt;&quot;&amp;&#10;"/>'),
        ({"ä": 1}, "<ä>1</ä>"),
    ],
)
def test_a_value_as_xml(value: Any, text: str) -> None:
    assert xml_text.to_xml(value) == text


NAMES = st.sampled_from(["a", "b", "c:d", "ä"])
TEXTS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff")
)
LEAVES = TEXTS.map(str.strip)
ELEMENTS = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(
        NAMES, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=12,
)


@given(NAMES, ELEMENTS)
def test_xml_comes_back_as_it_went(name: str, element: Any) -> None:
    written = xml_text.to_xml({name: element})

    assert xml_text.parse_xml(written) == {name: element}


CELLS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\ufeff"), max_size=8
)


@given(
    st.lists(CELLS.filter(bool), min_size=1, max_size=3, unique=True).flatmap(
        lambda names: st.tuples(
            st.just(names),
            st.lists(st.fixed_dictionaries(dict.fromkeys(names, CELLS)), max_size=4),
        )
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_csv_comes_back_as_it_went(
    table: tuple[list[str], list[dict[str, str]]], separator: str
) -> None:
    names, rows = table
    written = csv_text.to_csv(rows, {"columns": names, "separator": separator})

    assert csv_text.parse_csv(written, {"separator": separator}) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
        ("a,b\n\n1,2\n\n", [{"a": "1", "b": "2"}]),
        ("\ufeffa\n1", [{"a": "1"}]),
        ('a\n"x\ny ""z"""', [{"a": 'x\ny "z"'}]),
        ("", []),
    ],
)
def test_csv_as_it_is_met(text: str, rows: Any) -> None:
    assert csv_text.parse_csv(text) == rows


def test_a_large_integer_in_json_stays_exact() -> None:
    assert texts.parse_json('{"id": 9007199254740993}') == {"id": "9007199254740993"}


@pytest.mark.parametrize("call", ["$parseXml(x)", "$parseCsv(x)", "$parseJson(x)", "$toXml(x)"])
def test_values_of_a_message_stay_out_of_the_error(call: str) -> None:
    with pytest.raises(engine.EvaluationFault) as caught:
        evaluated(call, {"x": '"4111-1111'})

    assert "4111" not in str(caught.value)
