"""Templates: parsing, each place where they stand, and errors located in the whole string."""

from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.expressions import bodies, engine, jlens_engine, templates, trees

DOCUMENT = (
    b'{"a":1,"f":1.5,"t":true,"n":null,"s":"x y/\\u00e9","o":{"k":[1]},"l":[1,"b c",null],"z":0}'
)
BODIES = [
    pytest.param(lambda: bodies.TextBody(DOCUMENT), id="text"),
    pytest.param(lambda: bodies.ValueBody(bodies.TextBody(DOCUMENT).value), id="value"),
]


def template(text: str) -> templates.CompiledTemplate:
    return templates.parse(text).compile(jlens_engine.ENGINE)


@pytest.fixture(params=BODIES)
def body(request: pytest.FixtureRequest) -> bodies.Body:
    make: Callable[[], bodies.Body] = request.param
    return make()


# Parsing


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        pytest.param("no template", [], id="text alone"),
        pytest.param("{% a %}", [" a "], id="an expression alone"),
        pytest.param("x{%a%}y{%b%}", ["a", "b"], id="two in text"),
        pytest.param("{% '%}' %}", [" '%}' "], id="the end mark in single quotes"),
        pytest.param('{% "\\"%}" %}', [' "\\"%}" '], id="in double quotes with an escape"),
        pytest.param("{% `%}` %}", [" `%}` "], id="in a quoted name"),
        pytest.param("{% /* %} */ a %}", [" /* %} */ a "], id="in a comment"),
        pytest.param("{% $match(a, /{%}/) %}", [" $match(a, /{%}/) "], id="in a pattern"),
        pytest.param("{% a / b %} / {% c %}", [" a / b ", " c "], id="a division is no pattern"),
        pytest.param("{% a.{'p': %} %}", [" a.{'p': %} "], id="a parent step before a brace"),
        pytest.param("{% a % 2 %}", [" a % 2 "], id="a remainder"),
        pytest.param('{% {"a": {"b": 1}} %}', [' {"a": {"b": 1}} '], id="nested objects"),
        pytest.param("%} {a} {{b}} %", [], id="other marks are text"),
        pytest.param("{% a { %}", [" a { "], id="an open brace is left to the engine"),
    ],
)
def test_parse_finds_the_expressions(text: str, expressions: list[str]) -> None:
    assert expressions == [hole.source for hole in templates.parse(text).holes]


@given(st.text("{%}ab'\"/*` \\", max_size=30))
def test_parse_loses_no_text(text: str) -> None:
    try:
        parsed = templates.parse(text)
    except engine.SyntaxFault:
        return

    whole = "".join(
        part if isinstance(part, str) else "{%" + part.source + "%}" for part in parsed.parts
    )
    assert whole == text


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        pytest.param("ab {% a", "TemplateUnclosed", 1, 4, id="unclosed"),
        pytest.param("a\n {%  %}", "TemplateEmpty", 2, 2, id="empty"),
        pytest.param("a\n{% 1 + %}", "S0207", 2, 8, id="broken inside"),
        pytest.param("a {% 'b %}", "S0101", 1, 6, id="an open string"),
    ],
)
def test_syntax_faults_stand_in_the_whole_string(
    text: str, code: str, line: int, column: int
) -> None:
    with pytest.raises(engine.SyntaxFault) as caught:
        template(text)

    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)


def test_evaluation_faults_stand_in_the_whole_string(body: bodies.Body) -> None:
    with pytest.raises(engine.EvaluationFault) as caught:
        template("first\nsecond {% a + s %}").text(body)

    assert (caught.value.line, caught.value.column) == (2, 13)
    assert caught.value.source == "first\nsecond {% a + s %}"


# Places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "plain", id="text"),
        pytest.param(" {% a %}\n", 1, id="a typed value, blanks around it"),
        pytest.param("{% o %}", {"k": [1]}, id="an object"),
        pytest.param("{% nope %}", None, id="undefined"),
        pytest.param("{% n %}", None, id="null"),
        pytest.param("{% $v %}", "V", id="a variable without the body"),
        pytest.param("n{% a %}", "n1", id="text with a value in it"),
    ],
)
def test_value(body: bodies.Body, text: str, expected: object) -> None:
    assert expected == template(text).value(body, {"v": "V"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{% a %}|{% f %}", "1|1.5", id="numbers"),
        pytest.param("<{% t %}>", "<true>", id="booleans"),
        pytest.param("<{% n %}{% nope %}>", "<>", id="nothing"),
        pytest.param("<{% s %}>", "<x y/é>", id="text as it is"),
        pytest.param("<{% o %}{% l %}>", '<{"k":[1]}[1,"b c",null]>', id="compact JSON"),
        pytest.param('{% "{%" %}', "{%", id="the mark itself"),
    ],
)
def test_text(body: bodies.Body, text: str, expected: str) -> None:
    assert expected == template(text).text(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{% o %}", b'{"k":[1]}', id="a value"),
        pytest.param("{% nope %}", None, id="undefined"),
        pytest.param("{% n %}", None, id="null is nothing, too"),
        pytest.param('<{% s %}"', '"<x y/é\\""'.encode(), id="text"),
        pytest.param("plain", b'"plain"', id="constant text"),
    ],
)
def test_json(body: bodies.Body, text: str, expected: bytes | None) -> None:
    assert expected == template(text).json(body)


def test_json_of_text_builds_no_value() -> None:
    class Unread:
        raw = DOCUMENT
        large: frozenset[str] = frozenset()

        @property
        def value(self) -> NoReturn:
            raise AssertionError("decoded")

    assert template("{% o %}").json(Unread()) == b'{"k":[1]}'
    assert template("{% $v %}").value(Unread(), {"v": 1}) == 1


def test_large_integers_leave_as_they_came() -> None:
    body = bodies.TextBody(b'{"id":9007199254740993}')
    assert template("{% {'id': id} %}").json(body) == b'{"id":9007199254740993}'
    assert template("/x/{% id %}").path(body) == "/x/9007199254740993"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/orders/{% a %}/lines", "/orders/1/lines", id="a number"),
        pytest.param("/p/{% s %}", "/p/x%20y%2F%C3%A9", id="all but unreserved is encoded"),
        pytest.param("/p/a{% nope %}b", "/p/ab", id="nothing inside a segment"),
        pytest.param("/p/{% '.' %}{% '.' %}x", "/p/..x", id="dots in a name"),
        pytest.param("/p//x", "/p//x", id="what the author wrote stays"),
        pytest.param("/p?x={% nope %}&y={% s %}", "/p?x=&y=x%20y%2F%C3%A9", id="a query after it"),
        pytest.param("/p/{% '?a=b#c' %}", "/p/%3Fa%3Db%23c", id="no value begins a query"),
        pytest.param("/plain", "/plain", id="text alone"),
    ],
)
def test_path(body: bodies.Body, text: str, expected: str) -> None:
    assert expected == template(text).path(body)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        pytest.param("/p/{% nope %}/x", 6, "gives nothing", id="an empty segment"),
        pytest.param("/p/{% '' %}?x=1", 6, "gives nothing", id="an empty last segment"),
        pytest.param("/p/{% '..' %}/x", 6, "a segment '..'", id="climbing"),
        pytest.param("/p/{% '.' %}", 6, "a segment '.'", id="staying"),
        pytest.param("/p/.{% '.' %}", 7, "a segment '..'", id="climbing in two parts"),
        pytest.param("/../{% a %}", 7, "a segment '..'", id="climbing by the author"),
    ],
)
def test_path_refuses(body: bodies.Body, text: str, column: int, message: str) -> None:
    with pytest.raises(engine.EvaluationFault, match=message) as caught:
        template(text).path(body)

    assert caught.value.column == column


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_never_leaves_its_segment(value: str) -> None:
    try:
        path = template("/a/{% $v %}/b").path(bodies.ValueBody({}), {"v": value})
    except engine.EvaluationFault:
        assert value in ("", ".", "..")
        return

    assert path.count("/") == 3
    assert path.isascii()
    assert not set(path) & set("?# \r\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{% l %}", ["1", "b%20c"], id="an array gives several, without null"),
        pytest.param("{% nope %}", [], id="nothing gives none"),
        pytest.param("{% s %}", ["x%20y%2F%C3%A9"], id="text is encoded"),
        pytest.param("a b{% a %}", ["a%20b1"], id="text around is encoded, too"),
        pytest.param("{% t %}", ["true"], id="booleans"),
        pytest.param("a&b", ["a%26b"], id="constant text"),
    ],
)
def test_query(body: bodies.Body, text: str, expected: list[str]) -> None:
    assert expected == template(text).query(body)


def test_header(body: bodies.Body) -> None:
    assert template("id-{% a %}-é").header(body) == "id-1-é"


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "€"])
def test_header_refuses(bad: str) -> None:
    with pytest.raises(engine.EvaluationFault, match=f"U\\+{ord(bad):04X}"):
        template("x{% $v %}").header(bodies.ValueBody({}), {"v": f"a{bad}b"})


# Trees


def tree(value: object) -> trees.CompiledTree:
    return trees.CompiledTree(value, jlens_engine.ENGINE)


def test_a_tree_is_filled_in_depth(body: bodies.Body) -> None:
    found = tree({"a": [{"b": "{% a %}"}, "x{% t %}"], "c": {"d": 1}, "n": "{% nope %}"})

    assert found.value(body) == {"a": [{"b": 1}, "xtrue"], "c": {"d": 1}, "n": None}
    assert found.json(body) == b'{"a":[{"b":1},"xtrue"],"c":{"d":1},"n":null}'


def test_a_tree_without_templates_costs_nothing(body: bodies.Body) -> None:
    constant = {"a": [1, {"b": "text"}]}

    assert tree(constant).value(body) is constant
    assert tree(constant).json(body) == b'{"a":[1,{"b":"text"}]}'


def test_constant_branches_are_shared(body: bodies.Body) -> None:
    branch = {"k": [1, 2]}
    assert tree({"c": branch, "v": "{% a %}"}).value(body)["c"] is branch


def test_a_tree_of_one_template_stays_text() -> None:
    assert tree("{% o %}").json(bodies.TextBody(DOCUMENT)) == b'{"k":[1]}'


@pytest.mark.parametrize(
    "text", [pytest.param("{% a + %}", id="syntax"), pytest.param("{% a + s %}", id="evaluation")]
)
def test_a_fault_in_a_tree_says_where(body: bodies.Body, text: str) -> None:
    with pytest.raises(engine.ExpressionError) as caught:
        tree({"a": [{"b c": text}]}).value(body)

    assert caught.value.path == "a[0].b c"


def test_reads_of_a_tree_are_those_of_its_templates() -> None:
    reads = tree({"a": ["{% x.y %}"], "b": "{% $v %}{% z %}"}).reads()
    assert len(reads) == 3


def test_now_reaches_every_template(body: bodies.Body) -> None:
    assert tree(["{% $now() %}"]).value(body, now=0, seed=1) == ["1970-01-01T00:00:00.000Z"]
