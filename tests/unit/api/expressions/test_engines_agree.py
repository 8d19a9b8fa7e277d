"""Two engines, one answer: a table of expressions over generated documents."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus_api import json_text
from isthmus_api.expressions import engine, jlens_engine, jsonata2py_engine
from isthmus_api.expressions.functions import reference

LIBRARY = reference.example_library(jlens_engine.ENGINE)

EXPRESSIONS = """
order
order.id & '/' & order.customer.name
lines.sku
lines[0].sku
lines[-1]
lines[quantity > 1].sku
[lines.{"sku": sku, "n": quantity}]
{"lines": [lines.sku], "first": lines[0].sku}
lines{kind: $sum(quantity)}
lines{kind: [sku]}
lines^(quantity).sku
lines^(>quantity, sku).sku
lines#$i.{"i": $i, "sku": sku}
lines@$l.tags[$ = $l.kind]
[lines.tags]
[$distinct(lines.tags)]
$count(lines)
$sum(lines.quantity)
$max(lines.quantity)
$min(lines.quantity)
$average(lines.quantity)
$map(lines, function($l, $i){ $l.sku & $i })
$filter(lines, function($l){ $l.quantity > 2 })
$reduce(lines.quantity, function($a, $b){ $a + $b }, 0)
$sort(lines.sku)
$reverse(lines.sku)
$append(lines.sku, 'x')
$zip(lines.sku, lines.quantity)
$join(lines.sku, '-')
$keys(order)
$lookup(order, 'id')
$spread(order)
$merge(lines.{sku: quantity})
$each(order, function($v, $k){ $k })
$sift(order, function($v, $k){ $k = 'id' })
$exists(order.nope)
$string(order)
$string(order.id)
$boolean(lines)
$not(lines)
$type(lines)
$uppercase(order.customer.name)
$length(order.customer.name)
$substring(order.customer.name, 1, 2)
$substringBefore(order.customer.name, 'a')
$contains(order.customer.name, 'a')
$split(order.customer.name, 'a')
$replace(order.customer.name, /[aeiou]/, '*')
$match(order.customer.name, /a+/).match
$pad(order.customer.name, 5, '#')
$trim(order.customer.name)
$encodeUrlComponent(order.customer.name)
$base64encode(order.id)
$formatNumber($count(lines) * 1234.5, '#,##0.00')
$floor($count(lines) / 2)
$round($count(lines) / 4, 1)
$power($count(lines), 2)
order.customer.vip ? 'yes' : 'no'
order.customer.vip and lines
order.nope ?: 'none'
order.nope ?? 'none'
order.id in lines.sku
[1..$count(lines)]
($n := $count(lines); $n * $n)
($f := function($x){ $x < 2 ? 1 : $x * $f($x - 1) }; $f($count(lines)))
order ~> |customer|{"seen": true}, ["vip"]|
**.name
order.*
lines.(quantity * 2)
$fromMillis($count(lines) * 86400000, '[Y0001]-[M01]-[D01]')
$toMillis('2026-03-14T09:26:53Z')
$moneySum(lines.amount)
lines.$moneyMultiply(amount, quantity)
$table('vat', order.customer.country, 'none')
$v.x & $v.y
""".strip().splitlines()

TEXT = st.text("abcde é-", max_size=6)
LINE = st.fixed_dictionaries(
    {
        "sku": st.text("abc", min_size=1, max_size=4),
        "quantity": st.integers(0, 9),
        "amount": st.decimals(0, 999, places=2).map(str),
        "kind": st.sampled_from(["piece", "pair"]),
        "tags": st.lists(st.sampled_from(["piece", "pair", "x"]), min_size=1, max_size=3),
    }
)
DOCUMENT = st.fixed_dictionaries(
    {
        "order": st.fixed_dictionaries(
            {
                "id": st.text("0123456789", min_size=1, max_size=6),
                "customer": st.fixed_dictionaries(
                    {"name": TEXT, "vip": st.booleans()},
                    optional={"country": st.sampled_from(["NL", "BE", "XX"])},
                ),
            }
        )
    },
    optional={"lines": st.lists(LINE, max_size=4)},
)


def answer(compiler: engine.Engine, source: str, document: object) -> object:
    """The value, or that there was an error: codes and words of errors may differ."""
    text = json_text.encode(document)
    expression = compiler.compile(source, LIBRARY)
    try:
        result = expression.evaluate_json(text, {"v": {"x": 1, "y": "é"}})
    except engine.ExpressionError:
        return "an error"
    return None if result is None else json_text.decode(result).value


@pytest.mark.parametrize("source", EXPRESSIONS)
@settings(max_examples=15, deadline=None)
@given(document=DOCUMENT)
def test_both_engines_give_the_same(source: str, document: object) -> None:
    assert answer(jsonata2py_engine.ENGINE, source, document) == answer(
        jlens_engine.ENGINE, source, document
    )


@pytest.mark.parametrize("source", ["1 +", "(", "'x", "a.(b", "1 := 2"])
@pytest.mark.parametrize("compiler", [jlens_engine.ENGINE, jsonata2py_engine.ENGINE])
def test_both_engines_refuse(compiler: engine.Engine, source: str) -> None:
    with pytest.raises(engine.SyntaxFault):
        compiler.compile(source)


@pytest.mark.parametrize(
    ("source", "document", "expected"),
    [
        pytest.param("lines.tags", {"lines": [{"tags": []}]}, [], id="the only empty list stays"),
        pytest.param("lines.tags", {"lines": [{"tags": [1]}]}, [1], id="the only list stays one"),
        pytest.param("$distinct(a.b)", {"a": [{"b": 1}, {"b": 1}]}, 1, id="distinct collapses"),
    ],
)
def test_where_they_differ_ours_does_what_the_reference_does(
    source: str, document: object, expected: object
) -> None:
    assert answer(jlens_engine.ENGINE, source, document) == expected
    assert answer(jsonata2py_engine.ENGINE, source, document) != expected
