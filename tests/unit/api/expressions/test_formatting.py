"""Formatting: what an expression looks like afterwards, and that it means the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.api.expressions.test_syntax import ACCEPTED, WORDS

from isthmus_api.expressions import engine, formatting, jlens_engine, syntax, templates, tokens

ROOT = Path(__file__).parents[4]


def case(before: str, after: str) -> tuple[str, str]:
    """Texts as they stand here, without the line feeds at their ends."""
    return before.strip("\n"), after.strip("\n")


LAYOUTS = {
    "operators have spaces around them": case("a+b*-c=d?e:f", "a + b * -c = d ? e : f"),
    "entries have one behind the comma": case("{'a':[1,2,b ]}", "{'a': [1, 2, b]}"),
    "what fits is on one line": case(
        """
[items.
  { "sku": sku }
]
""",
        '[items.{"sku": sku}]',
    ),
    "braces that were opened stay open": case(
        """
{ "a": {
"b": 1, "c": 2} }
""",
        """
{
  "a": {
    "b": 1,
    "c": 2
  }
}
""",
    ),
    "an empty line between entries stays, more than one do not": case(
        """
(
  $a := 1;


  $b := 2; $a + $b
)
""",
        """
(
  $a := 1;

  $b := 2;
  $a + $b
)
""",
    ),
    "brackets stand right at those of their last entry": case(
        """
{"lines": [items.{"sku": sku, "name": name, "quantity": quantity, "price": $lookup($prices, sku)}]}
""",
        """
{
  "lines": [items.{
    "sku": sku,
    "name": name,
    "quantity": quantity,
    "price": $lookup($prices, sku)
  }]
}
""",
    ),
    "a function does, too": case(
        """
$map(items, function($item, $i) { {"line": $i + 1, "sku": $item.sku, "q": $item.quantity} })
""",
        """
$map(items, function($item, $i) {
  {"line": $i + 1, "sku": $item.sku, "q": $item.quantity}
})
""",
    ),
    "a block is the body of a function": case(
        "$map(a, function($v) {\n(\n$x := $v; $x)})",
        """
$map(a, function($v) {(
  $x := $v;
  $x
)})
""",
    ),
    "lines begin with operators": case(
        """
$exists(customer.address) and status in ["paid", "refunded"] and (total > 100 or kind = "B2B")
""",
        """
$exists(customer.address)
  and status in ["paid", "refunded"]
  and (total > 100 or kind = "B2B")
""",
    ),
    "a choice has a line for each case": case(
        """
kind = "B2B" ? $mapping("business", $) : kind = "B2C" ? $mapping("private", $) : $mapping("any", $)
""",
        """
kind = "B2B" ? $mapping("business", $)
  : kind = "B2C" ? $mapping("private", $)
  : $mapping("any", $)
""",
    ),
    "comments stay where they are": case(
        """
/* head */
{
    /* the number */
  "a":b, /* behind */
  "c": d /* value */, "e": [ /* first */ f],
  /* tail */
}
/* end */
""".replace("f],", "f]"),
        """
/* head */
{
  /* the number */
  "a": b, /* behind */
  "c": d /* value */,
  "e": [/* first */ f]
  /* tail */
}
/* end */
""",
    ),
    "a comment before what is hugged has a line of its own": case(
        """
$toCsv(
/* c */
rows[qty != "0"
], {"columns": [ "sku" ]})
""",
        """
$toCsv(
  /* c */
  rows[qty != "0"],
  {"columns": ["sku"]}
)
""",
    ),
    "sort, group, transform, bindings": case(
        "$~>|items^( >qty,sku)|{'x':1},['y']|~>$f@$v . { $v:$ }",
        "$ ~> |items^(>qty, sku)|{'x': 1}, ['y']| ~> $f@$v.{$v: $}",
    ),
    "a signature": case("function($x,$y)<n-n?:n>{$x}", "function($x, $y)<n-n?:n> { $x }"),
}


@pytest.mark.parametrize(("before", "after"), LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(before: str, after: str) -> None:
    assert formatting.formatted(before) == after


def test_the_lines_of_a_comment_stay_but_for_blanks_at_their_ends() -> None:
    assert formatting.formatted("/* a  \n    b */   c") == "/* a\n    b */ c"


@pytest.mark.parametrize("text", ["(a /* b */", "a b", "", "'a"])
def test_what_cannot_be_read_is_left_as_it_is(text: str) -> None:
    with pytest.raises(formatting.Unformattable, match="it cannot be read"):
        formatting.formatted(text)


def test_what_nests_too_deeply_is_left_as_it_is() -> None:
    with pytest.raises(formatting.Unformattable):
        formatting.formatted("[" * 400 + "]" * 400)


def test_a_single_line_holds_what_has_no_need_of_more() -> None:
    long = "[" + ", ".join(["aaaaaaaaaa"] * 20) + "]"

    assert formatting.formatted(long, width=10_000) == long


def expressions() -> Iterator[str]:
    """Every expression of the examples, the guides, the bench and the tests' data."""
    folders = ("examples", "docs", "bench", "tests", "charts")
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix == ".md":
                for text in re.findall(r"```yaml\n(.*?)```", file.read_text(), re.DOTALL):
                    yield from within(text)
            if file.suffix in (".yaml", ".json"):
                yield from within(file.read_text())


def within(text: str) -> Iterator[str]:
    try:
        ahead: list[Any] = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return
    while ahead:
        match ahead.pop():
            case dict() as found:
                written = found.get("expression")
                if isinstance(written, str) and "{%" not in written:
                    yield written
                ahead += found.values()
            case list() as found:
                ahead += found
            case str() as found if "{%" in found:
                try:
                    yield from (hole.source for hole in templates.parse(found).holes)
                except engine.SyntaxFault:
                    continue


def is_accepted(source: str) -> bool:
    try:
        jlens_engine.ENGINE.compile(source)
    except engine.ExpressionError:
        return False
    return True


WRITTEN = sorted({each for each in (*ACCEPTED, *expressions()) if is_accepted(each)})

Tree = tuple[Any, ...]


def tree(source: str) -> Tree:
    """What an expression is made of, without places."""
    return _plain(syntax.parse(source))


def _plain(node: syntax.Node) -> Tree:
    inner = (*node.parameters, *node.children)
    return (node.shape, node.text, len(node.parameters), *map(_plain, inner))


def comments(source: str) -> list[str]:
    """The comments, in order."""
    at, found = 0, []
    for token in tokens.scan(source):
        found += re.findall(r"/\*.*?\*/", source[at : token.start], re.DOTALL)
        at = token.end
    return found


VALUE = {
    "a": {"b": [{"c": 1, "qty": 2}, {"c": 2}], "d": "x"},
    "items": [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}],
}


def outcome(source: str) -> Any:
    """What the engine makes of it, or the code of its error."""
    try:
        return jlens_engine.ENGINE.compile(source).evaluate(VALUE, {"x": 1, "f": 2}, now=0, seed=0)
    except engine.ExpressionError as error:
        return error.code


def test_what_the_guide_shows_is_laid_out() -> None:
    page = (ROOT / "docs/how-to/work-on-a-mapping.md").read_text()
    shown = next(within(page.partition("```yaml\n")[2].partition("```")[0])).strip()

    assert formatting.formatted(shown) == shown


def test_there_is_something_to_format() -> None:
    assert len(WRITTEN) > 120


@pytest.mark.parametrize("source", WRITTEN)
def test_it_means_the_same_and_formatting_again_changes_nothing(source: str) -> None:
    after = formatting.formatted(source)

    assert tree(after) == tree(source)
    assert comments(after) == comments(source)
    assert outcome(after) == outcome(source)
    assert formatting.formatted(after) == after


SPACES = st.sampled_from([" ", "  ", "\n", "\n\n", "\n  \n ", "\t"])
COMMENTS = st.sampled_from(
    [" /* a */ ", "/* b */\n", "\n/* c */\n", "\n\n  /* d\n  e */ ", " /* a */ /* b */\n/* c */ "]
)


def respaced(gaps: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions with other white space between their tokens."""
    plain = [each for each in WRITTEN if ")<" not in each and len(each) < 600]

    @st.composite
    def build(draw: st.DrawFn) -> str:
        source = draw(st.sampled_from(plain))
        texts = [token.text for token in tokens.scan(source)]
        return "".join(f"{text}{draw(gaps)}" for text in texts)

    return build()


@given(respaced(SPACES))
def test_however_it_is_spaced_it_is_formatted(source: str) -> None:
    after = formatting.formatted(source)

    assert tree(after) == tree(source)
    assert formatting.formatted(after) == after


@given(respaced(st.one_of(SPACES, SPACES, SPACES, COMMENTS)))
def test_comments_are_kept_wherever_they_stand(source: str) -> None:
    after = formatting.formatted(source)

    assert comments(after) == comments(source)
    assert tree(after) == tree(source)
    assert formatting.formatted(after) == after


@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_whatever_the_engine_accepts_is_formatted(source: str) -> None:
    if is_accepted(source):
        after = formatting.formatted(source)

        assert tree(after) == tree(source)
        assert outcome(after) == outcome(source)
