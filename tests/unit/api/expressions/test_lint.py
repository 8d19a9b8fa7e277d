"""The linter: every trap is found at its place, with its rewrite, and nothing else is."""

from collections.abc import Set

import pytest

from isthmus_api.expressions import functions, jlens_engine, lint

VARIABLES = frozenset({"request", "message", "prices"})
SCHEMA = {
    "type": "object",
    "properties": {
        "lines": {"$ref": "#/$defs/lines"},
        "customer": {"type": "object", "properties": {"tags": {"type": ["array", "null"]}}},
    },
    "$defs": {
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"codes": {"type": "array"}}},
        }
    },
}


def linted(
    source: str,
    *,
    money_fields: Set[str] = lint.MONEY_WORDS,
    target_schema: lint.Schema | None = None,
) -> list[lint.Finding]:
    return lint.lint(
        source,
        variables=VARIABLES,
        functions=functions.names(),
        money_fields=money_fields,
        target_schema=target_schema,
    )


def places(source: str, *, money_fields: Set[str] = lint.MONEY_WORDS) -> list[tuple[str, int, int]]:
    found = linted(source, money_fields=money_fields)
    return [(each.code, each.line, each.column) for each in found]


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        pytest.param("{'a':\n 1 + }", "SyntaxS0211", 2, 6, id="syntax"),
        pytest.param("a &\n $nosuch", "UnknownVariable", 2, 2, id="a variable nobody binds"),
        pytest.param("($a := 1; 1) & $a", "UnknownVariable", 1, 16, id="a block hides its names"),
        pytest.param("($a & 1; $a := 1)", "UnknownVariable", 1, 2, id="used before it is bound"),
        pytest.param("[function($p){1}, $p]", "UnknownVariable", 1, 19, id="a lambda hides, too"),
        pytest.param("a@$v.b & $v", "UnknownVariable", 1, 10, id="@ holds in its path only"),
        pytest.param("'é' & $lookpu(a)", "UnknownFunction", 1, 7, id="a slip in a function"),
        pytest.param("a ~> $nosuch()", "UnknownFunction", 1, 6, id="in a chain"),
        pytest.param("1 & sum(a)", "FieldCalled", 1, 5, id="no dollar sign"),
        pytest.param("a.count()", "FieldCalled", 1, 3, id="no dollar sign in a path"),
        pytest.param("{'n': note != null}", "NotNull", 1, 7, id="what is missing is no null"),
        pytest.param("null != a.b", "NotNull", 1, 1, id="null in front"),
        pytest.param("$exists(a) and b != null", "NotNull", 1, 16, id="another one is there"),
        pytest.param("{'n': $count}", "FunctionNotCalled", 1, 7, id="no brackets"),
        pytest.param("($sum := 1; $sum)", "NameShadowed", 1, 2, id="a built-in"),
        pytest.param("(1; $table := 1)", "NameShadowed", 1, 5, id="a function of ours"),
        pytest.param("$map(a, function($i, $request){$i})", "NameShadowed", 1, 22, id="parameter"),
        pytest.param("a@$message.b", "NameShadowed", 1, 3, id="a context variable"),
        pytest.param("a#$prices.b", "NameShadowed", 1, 3, id="an index variable"),
        pytest.param("\n$eval(a)", "EvalRefused", 2, 1, id="$eval"),
        pytest.param("a ~> $map($eval)", "EvalRefused", 1, 11, id="$eval as a value"),
        pytest.param("items.{'a': b}", "ListCollapses", 1, 1, id="a list as the whole result"),
        pytest.param("{'l':\n  items.{'a': b}}", "ListCollapses", 2, 3, id="a list as a member"),
        pytest.param("{'l': a ? items.{'b': c} : []}", "ListCollapses", 1, 11, id="in a branch"),
        pytest.param("(1; items[b].{'a': b})", "ListCollapses", 1, 5, id="at the end of a block"),
        pytest.param("{'l': items.($x := a; {'a': $x})}", "ListCollapses", 1, 7, id="in a block"),
        pytest.param("{'l': items.{'a': b}[]}", "ListCollapses", 1, 7, id="[] fixes one, not none"),
        pytest.param("{'l': items^(a).{'a': b}}", "ListCollapses", 1, 7, id="a sorted list"),
        pytest.param("1 + unit_price", "MoneyArithmetic", 1, 1, id="a sum of money"),
        pytest.param("a & $string(-netAmount * 2)", "MoneyArithmetic", 1, 13, id="in an argument"),
        pytest.param("$sum(lines.(price * qty))", "MoneyArithmetic", 1, 1, id="$sum"),
        pytest.param("lines.$round(total, 2)", "MoneyArithmetic", 1, 7, id="$round"),
        pytest.param(
            "$sum($map(a, function($l){$l.tax * 2}))", "MoneyArithmetic", 1, 27, id="deep"
        ),
        pytest.param("$number(order_id)", "NumberOfId", 1, 1, id="an id as a number"),
        pytest.param("a = 9007199254740993", "NumberTooLarge", 1, 5, id="a literal beyond 2^53"),
        pytest.param("$match(a, /^(a+)+$/)", "RegexUnbounded", 1, 11, id="nested quantifiers"),
        pytest.param("$match(a, /((x|y)*z?)*/)", "RegexUnbounded", 1, 11, id="nested deeper"),
        pytest.param("$match(a, /(a{2,})+/)", "RegexUnbounded", 1, 11, id="nested with a bound"),
        pytest.param("$fromMillis(a, 'x', 'Europe/Paris')", "ZoneName", 1, 21, id="a named zone"),
    ],
)
def test_a_trap_is_found_at_its_place(source: str, code: str, line: int, column: int) -> None:
    assert places(source) == [(code, line, column)]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("$request.a & $$.b & $.c", id="variables that exist"),
        pytest.param("($a := 1; ($b := $a; $b))", id="an outer block is seen"),
        pytest.param("($f := function($n){$n ? $f($n) : 0}; $f(1))", id="a function calls itself"),
        pytest.param("($f := function(){$g()}; $g := function(){1}; $f())", id="a later function"),
        pytest.param("a@$v#$i.b[$v.x = $i].{'c': $v}[0].c", id="@ and # in their path"),
        pytest.param("$map(a, $string)", id="a built-in as a value"),
        pytest.param("a ~> $uppercase ~> $trim", id="a chain of functions"),
        pytest.param("$moneyAdd(a, $table('vat', b))", id="functions of ours"),
        pytest.param("{'l': [items.{'a': b}]}", id="a list in brackets"),
        pytest.param("{'l': items.sku}", id="a list of plain values, without a schema"),
        pytest.param("{'l': items{a: b}}", id="a group is one object"),
        pytest.param("total_count + 1", id="a count is no money"),
        pytest.param("$round(discount_percent / 100, 2)", id="a percentage is no money"),
        pytest.param("$moneyMultiply(price, quantity * 2)", id="money with our functions"),
        pytest.param("price > 10", id="comparing is exact"),
        pytest.param("$number(quantity)", id="a quantity is a number"),
        pytest.param("9007199254740992 & '9007199254740993'", id="2^53 and a string"),
        pytest.param("$match(a, /^(ab)+[-+]?c{1,3}$/)", id="a plain pattern"),
        pytest.param("$match(a, /(a{1,3})+\\(b+\\)+/)", id="bounds, and brackets as text"),
        pytest.param("$fromMillis(a, '[Y]', '+0200')", id="an offset"),
        pytest.param("$exists(a.b) and a.b != null", id="no null, and there"),
        pytest.param("a = null or 'x' != a", id="null, which has to be there"),
    ],
)
def test_what_is_right_is_left_alone(source: str) -> None:
    assert linted(source) == []


@pytest.mark.parametrize(
    ("source", "rewrite"),
    [
        pytest.param("items.{'a': b}", "[items.{'a': b}]", id="brackets"),
        pytest.param("items.{'a': b}[]", "[items.{'a': b}]", id="brackets for []"),
        pytest.param("price * qty + 1", "$moneyAdd($moneyMultiply(price, qty), 1)", id="nested"),
        pytest.param("(net - tax) / 3", "$moneyDivide($moneySubtract(net, tax), 3, 2)", id="/"),
        pytest.param("$sum(lines.(price * qty))", "$moneySum(lines.$moneyMultiply(price, qty))",
                     id="a sum over lines"),
        pytest.param("$round(price * (1 - pct / 100), 2)", "$moneyRound($moneyMultiply(price, "
                     "$moneySubtract(1, $moneyDivide(pct, 100, 10))), 2)", id="inner quotients"),
        pytest.param("$round(price)", "$moneyRound(price, 0)", id="no scale is none"),
        pytest.param("-price * 2", "$moneyMultiply($moneyMultiply(price, -1), 2)", id="a sign"),
        pytest.param("$number(order.id)", "$string(order.id)", id="an id stays text"),
        pytest.param("9007199254740993", '"9007199254740993"', id="a literal becomes text"),
        pytest.param("$fromMillis(a, '[Y]', 'Asia/Tokyo')", "$dateFormat(a, '[Y]', 'Asia/Tokyo')",
                     id="dates"),
        pytest.param("a.b != null", "$exists(a.b) and a.b != null", id="there, and not null"),
        pytest.param("sum(a)", "functions begin with a dollar sign: $sum(…)", id="a dollar sign"),
        pytest.param("$lookpu(a)", "did you mean $lookup?", id="a slip in a function"),
        pytest.param("$mesage.a", "did you mean $message?", id="a slip in a variable"),
    ],
)  # fmt: skip
def test_the_hint_is_what_to_write(source: str, rewrite: str) -> None:
    assert [found.hint for found in linted(source)] == [rewrite]


@pytest.mark.parametrize(
    "source", ["price * qty", "$sum(lines.(price * qty))", "(net - tax) / 3", "items.{'a': b}"]
)
def test_a_rewrite_compiles_and_is_clean(source: str) -> None:
    (found,) = linted(source)

    jlens_engine.ENGINE.compile(found.hint, functions.library({}))
    assert linted(found.hint) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("{'lines': items.{'a': 1}}", [11], id="an object per item"),
        pytest.param("{'lines': items.sku}", [11], id="any path"),
        pytest.param("{'lines': items[a = 1]}", [11], id="a filter"),
        pytest.param("{'lines': $map(items, $f)}", [11], id="$map"),
        pytest.param("{'lines': items}", [], id="a field as it is"),
        pytest.param("{'lines': [items.{'a': 1}]}", [], id="brackets"),
        pytest.param("{'customer': person.{'a': 1}}", [], id="where no array is wanted"),
        pytest.param("{'other': items.{'a': 1}}", [], id="where the schema says nothing"),
        pytest.param("{'customer': {'tags': labels.name}}", [23], id="deeper"),
        pytest.param("{'lines': [items.{'codes': c.d}]}", [28], id="inside the items"),
        pytest.param("($l := items.{'a': 1}; {'lines': $l})", [8], id="through a variable"),
        pytest.param("($l := [items.{'a': 1}]; {'lines': $l})", [], id="a list in a variable"),
        pytest.param("a ? {'lines': b.c} : {'lines': []}", [15], id="in a branch"),
    ],
)
def test_a_schema_says_where_lists_are_wanted(source: str, expected: list[int]) -> None:
    found = linted(f"({source})".replace("$f", "$string"), target_schema=SCHEMA)
    assert [each.column - 1 for each in found if each.code == "ListCollapses"] == expected


def test_severities_tell_what_cannot_work_from_what_may_surprise() -> None:
    found = linted("$nosuch & (price * 2)")
    assert [each.severity for each in found] == ["error", "warning"]


def test_money_words_can_be_chosen() -> None:
    assert places("premium * 2", money_fields={"premium"}) == [("MoneyArithmetic", 1, 1)]
    assert places("price * 2", money_fields={"premium"}) == []


def test_findings_come_in_the_order_of_the_text() -> None:
    columns = [found.column for found in linted("[$b, $a, function($x){$c}, price * 2]")]
    assert columns == sorted(columns)
    assert len(columns) == 4


def test_what_the_reader_cannot_read_is_said() -> None:
    (found,) = linted("(" * 900 + "1" + ")" * 900)
    assert (found.code, found.severity) == ("NotChecked", "warning")
