"""The reader of syntax: everything that the engine accepts, and where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.expressions import builtins, engine, jlens_engine, syntax, tokens
from isthmus_api.expressions.syntax import Shape

ACCEPTED = """
a.b.c
a[0][1]
a[b=1].c[-1]
a.`b c`.'d e'."f"
$$.a.$.b
*.a.**.b.%.c
/* words */ 1 /* more */
-a--1
a/b/c
$match(a,/[/]/)
/a\\/b/i
$replace(a, /x+/, function($m){ $m.match & '!' })
$split(a, /(a/b|[/])/)
a?b:c?d:e
a ?: b ?? c
and or in
and.or
a and b or c in [1,2]
[1..3, 5, a..b]
[a..b].c
{"a": 1, 'b': {"c": [d, {}]}}
a.{'b': c}[0]
a{b: $sum(c), d: e}
$x.y{a:b}.c
a^(>b, <c, d)
a@$b#$i[1].c[$b.x = $i]
(1; 2;)
($a := $b := 1; $a)
()
function($x, $y)<n-n?:n>{ $x + $y }(1, 2)
function($x)<a<n>(sn)?:b>{ $x }
λ($x){ $x }(1)
$f(?, 1)(2)
a ~> $f ~> $g(1)
$ ~> |a.b|{'x': 1}, ['y']|
| a | {} |
a.(b; c).d
a[].b[]
a.[1, 2]
'\\u00e9' & "\\"" & '\\\\'
$é + é
true and false or null
a != b and c <= d or e >= f
1.5e-3 * 2E+4
a.b.function
in in in
""".strip().splitlines()


@pytest.mark.parametrize("source", ACCEPTED)
def test_everything_the_engine_accepts_is_read(source: str) -> None:
    jlens_engine.ENGINE.compile(source)
    root = syntax.parse(source)

    assert (root.start, root.end) == (source.index(source[root.start]), len(source.rstrip()) - (
        len(" /* more */") if source.endswith("*/") else 0
    ))  # fmt: skip


WORDS = st.sampled_from(
    [
        *("a", "b", "$x", "$", "$$", "1", "'s'", "/r/", "and", "in", "*", "%", "**", "`q`", "<"),
        *(".", "[", "]", "(", ")", "{", "}", ",", ";", ":", "?", ":=", "+", "-", "/", "=", "~>"),
        *("?:", "??", "..", "@$v", "#$i", "^(", "|", "function($p){", "&", " "),
    ]
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_nothing_the_engine_accepts_is_unreadable(source: str) -> None:
    try:
        jlens_engine.ENGINE.compile(source)
    except engine.ExpressionError:
        return

    syntax.parse(source)


@pytest.mark.parametrize(
    ("source", "shape", "text"),
    [
        pytest.param("x & a.b[1]", Shape.BINARY, "x & a.b[1]", id="an operator spans its sides"),
        pytest.param("x & a.b[1]", Shape.FILTER, "b[1]", id="a filter binds to its step"),
        pytest.param("'😀' & fn", Shape.NAME, "fn", id="places count code points"),
        pytest.param("1 + $f( a )", Shape.CALL, "$f( a )", id="a call with its brackets"),
        pytest.param("[ ( 1 ) ]", Shape.BLOCK, "( 1 )", id="a block with its brackets"),
        pytest.param("{'k': -v}", Shape.NEGATE, "-v", id="a sign with its operand"),
    ],
)
def test_nodes_know_their_place(source: str, shape: Shape, text: str) -> None:
    pending, found = [syntax.parse(source)], []
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        found.extend([node.source(source)] if node.shape is shape else [])

    assert text in found


@pytest.mark.parametrize("source", ["a +", "(", "'x", "a b", "]", "(" * 5000, "|a|", "function("])
def test_what_is_no_expression_is_unreadable(source: str) -> None:
    with pytest.raises(syntax.Unreadable):
        syntax.parse(source)


@given(st.text("ab$'\"`/*{}()[]%.,:;? \\\n", max_size=40))
def test_the_scanner_never_fails_and_always_ends(source: str) -> None:
    found = list(tokens.scan(source))

    assert found[-1].kind in (tokens.Kind.END, tokens.Kind.BROKEN)
    assert all(token.text == source[token.start : token.end] for token in found)


@pytest.mark.parametrize("name", sorted(builtins.NAMES))
def test_every_built_in_name_is_a_function_of_the_engine(name: str) -> None:
    assert jlens_engine.ENGINE.compile(f"$type(${name})").evaluate({}) == "function"
