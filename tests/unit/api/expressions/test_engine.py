"""The engine that runs: values, places of errors, functions, reads, and guards that hold."""

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

import pytest

from isthmus_api import expressions, json_text
from isthmus_api.expressions import engine, jlens_engine

compiled = jlens_engine.ENGINE.compile


def function(
    implementation: Callable[..., object], signature: str = "<x?:x>"
) -> Mapping[str, engine.Function]:
    return {"ours": engine.Function("ours", implementation, signature, "$ours(a?)\n\nTest.")}


def failure(
    source: str,
    value: object = None,
    functions: Mapping[str, engine.Function] = engine.NO_FUNCTIONS,
) -> engine.ExpressionError:
    with pytest.raises(engine.ExpressionError) as caught:
        compiled(source, functions).evaluate(value)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        pytest.param("a.b", {"a": {"b": 1}}, 1, id="a path gives the value"),
        pytest.param("a.c", {"a": {"b": 1}}, None, id="undefined gives none"),
        pytest.param("a", {"a": None}, None, id="null gives none"),
        pytest.param("$v.x", {}, 7, id="variables are bound"),
        pytest.param("[a]", {}, [], id="undefined leaves no trace in an array"),
    ],
)
def test_evaluate(source: str, value: object, expected: object) -> None:
    assert expected == compiled(source).evaluate(value, {"v": {"x": 7}})


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        pytest.param("a", b'{"a":{"b":"\xc3\xa9"}}', b'{"b":"\xc3\xa9"}', id="text in, text out"),
        pytest.param("b", b'{"a":1}', None, id="undefined gives none"),
        pytest.param("a", b'{"a":null}', b"null", id="null stays null"),
        pytest.param("$count($)", b"[" * 200 + b"]" * 200, b"1", id="text may nest beyond 128"),
    ],
)
def test_evaluate_json(source: str, text: bytes, expected: bytes | None) -> None:
    assert expected == compiled(source).evaluate_json(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a":1,\n"b":}', id="broken text"),
        pytest.param(b'{"a":"\n\xff"}', id="text that is not UTF-8"),
        pytest.param(b"[" * 100_000, id="a nesting bomb"),
    ],
)
def test_evaluate_json_refuses(text: bytes) -> None:
    with pytest.raises(json_text.InvalidJson):
        compiled("a").evaluate_json(text)


def test_now_and_seed_make_a_replay_equal() -> None:
    expression = compiled("[$now(), $random()]")

    first = expression.evaluate({}, now=1_700_000_000_000, seed=4)
    assert first == expression.evaluate({}, now=1_700_000_000_000, seed=4)
    assert first[0] == "2023-11-14T22:13:20.000Z"


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        pytest.param("1 +\n  ", "S0207", 2, 3, id="an expression that just ends"),
        pytest.param("{'a':\n 'b}", "S0101", 2, 2, id="a string that does not end"),
        pytest.param("'😀' & ( }", "S0211", 1, 9, id="columns count code points"),
        pytest.param("", "S0207", 1, 1, id="nothing at all"),
    ],
)
def test_syntax_faults_have_a_place(source: str, code: str, line: int, column: int) -> None:
    with pytest.raises(engine.SyntaxFault) as caught:
        compiled(source)

    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        pytest.param("1 +\n1 * 'x'", "T2002", 2, 3, id="the operator that failed"),
        pytest.param("(1;\n $nosuch(1))", "T1006", 2, 2, id="the call of no function"),
        pytest.param("a & \n $error('no')", "D3137", 2, 2, id="an error of the author"),
    ],
)
def test_evaluation_faults_have_a_place(source: str, code: str, line: int, column: int) -> None:
    error = failure(source)

    assert isinstance(error, engine.EvaluationFault)
    assert (error.code, error.line, error.column) == (code, line, column)


def test_an_error_prints_place_code_and_hint() -> None:
    expected = (
        'The right side of the "+" operator must evaluate to a number (line 1, column 3) [T2002]; '
        "convert it with $number(...), money with $money functions"
    )
    assert expected == str(failure("1 + 'x'"))


def test_an_error_moves_into_a_larger_text() -> None:
    moved = failure("1 + 'x'").within("ab\ncd 1 + 'x'", 6).at("body.a")

    assert (moved.line, moved.column, moved.path) == (2, 6, "body.a")


# Functions


def test_a_function_gets_none_for_undefined_and_null() -> None:
    seen: list[object] = []
    compiled("[$ours(a), $ours(b)]", function(seen.append)).evaluate({"a": None})
    assert seen == [None, None]


def test_none_of_a_function_is_undefined() -> None:
    assert compiled("{'k': $ours(1)}", function(lambda _: None)).evaluate_json(b"{}") == b"{}"


@pytest.mark.parametrize(
    "raised",
    [
        pytest.param(ValueError("bad thing"), id="a ValueError, which jlens uses for bad input"),
        pytest.param(RuntimeError("bad thing"), id="any other error"),
    ],
)
def test_what_a_function_raises_is_a_fault_at_its_call(raised: Exception) -> None:
    def fail(_: object) -> NoReturn:
        raise raised

    expression = compiled("1 +\n $ours(a)", function(fail))
    for run in (lambda: expression.evaluate({}), lambda: expression.evaluate_json(b"{}")):
        with pytest.raises(engine.EvaluationFault, match=r"\$ours: bad thing") as caught:
            run()
        assert (caught.value.line, caught.value.column) == (2, 2)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("$map([1], $ours)", id="as a value"),
        pytest.param("1 ~> $ours", id="at the end of a chain"),
        pytest.param("$ours(?)(1)", id="applied in part"),
        pytest.param("($f := function($x) { $ours($x) }; $f(1))", id="inside another function"),
        pytest.param("$eval('$ours(1)')", id="in text that is evaluated"),
        pytest.param("($e := $eval; $e('$ours(1)'))", id="in text that another name evaluates"),
    ],
)
def test_a_function_is_known_wherever_it_is_named(source: str) -> None:
    assert compiled(source, function(lambda n: n + 1)).evaluate({}) == 2


def test_a_wrong_call_recalls_the_right_one() -> None:
    assert failure("$ours(1, 2)", functions=function(lambda a: a)).hint == "call it as $ours(a?)"


def test_what_has_no_json_form_is_a_fault() -> None:
    assert "$ours" in failure("$ours(1)", functions=function(lambda _: object())).message


def test_an_invalid_signature_is_found_when_compiling() -> None:
    with pytest.raises(engine.SyntaxFault, match=r"\$ours has an invalid signature"):
        compiled("$ours(1)", function(len, "<n<n>:n>"))


def test_a_binding_without_json_form_is_a_fault() -> None:
    with pytest.raises(engine.EvaluationFault, match="binding v"):
        compiled("$v").evaluate({}, {"v": object()})


# Reads


def test_reads_tell_fields_and_variables_and_no_functions_of_ours() -> None:
    reads = compiled("$ours(a.b, $v.x) & $w", function(lambda *a: "", "<xx:s>")).reads()

    whole = engine.Fields(whole=True)
    assert reads.input == engine.Fields(fields={"a": engine.Fields(fields={"b": whole})})
    assert reads.variables == {"v": engine.Fields(fields={"x": whole}), "w": whole}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("$v & 'x'", None, id="no input is read"),
        pytest.param("$", engine.Fields(whole=True), id="all input is read"),
    ],
)
def test_reads_of_input(source: str, expected: engine.Fields | None) -> None:
    assert expected == compiled(source).reads().input


def test_reads_of_eval_are_unknown() -> None:
    assert compiled("$eval(a)").reads().every_variable


# Guards

RUNAWAYS = [
    pytest.param("($f := function($x){$f($x + 1)}; $f(0))", "U1006", id="an endless tail call"),
    pytest.param("($f := function($x){1 + $f($x)}; $f(0))", "D1011", id="an endless recursion"),
    pytest.param("[1..9000000]", "U1001", id="a range blow-up"),
    pytest.param("[1..90000000000]", "D2014", id="a range beyond all bounds"),
    pytest.param(
        "($d := function($s){$d($s & $s)}; $d('aaaaaaaa'))", "U1001", id="string doubling"
    ),
    pytest.param(
        "($d := function($a){$d($append($a, $a))}; $d([1]))", "U1001", id="array doubling"
    ),
    pytest.param("$pad('a', 1000000000)", "D2016", id="padding to a gigabyte"),
    pytest.param("$match($join([1..40].('a')) & '!', /(a+)+$/)", "D1012", id="a pattern explodes"),
    pytest.param("($a := [1..9999]; $count($a.($x := $; $a.($x + $))))", "U1006", id="a product"),
    pytest.param("[1..999999].('0123456789012345')", "U1001", id="a huge result"),
]


@pytest.mark.parametrize(("source", "code"), RUNAWAYS)
def test_a_guard_stops(source: str, code: str) -> None:
    guards = replace(engine.GUARDS, max_steps=5_000_000, timeout=1.0)
    with pytest.raises(engine.GuardExceeded) as caught:
        jlens_engine.JlensEngine(guards).compile(source).evaluate_json(b"{}")

    # On a machine under load the clock may run out before the steps do.
    assert caught.value.code in (code, "D1012")


def test_steps_stop_the_same_input_at_the_same_place() -> None:
    few = jlens_engine.JlensEngine(replace(engine.GUARDS, max_steps=1000))
    expression = few.compile("$sum([1..n].($ * 2))")

    assert expression.evaluate({"n": 100}) == 10_100
    with pytest.raises(engine.GuardExceeded):
        expression.evaluate({"n": 1000})


def test_an_expression_nested_beyond_reason_is_a_guard_error() -> None:
    with pytest.raises(engine.GuardExceeded):
        compiled("(" * 100_000 + "1" + ")" * 100_000)


ORDER_MAPPING = """{
  "lines": [lines.{
    "sku": sku, "net": $round(quantity * price * (1 - discount / 100), 2),
    "tax": $round(quantity * price * 0.21, 2), "text": title & " / " & size,
    "carrier": $$.shipments[id = %.shipment].carrier
  }],
  "taxes": lines{tax: $sum(quantity)},
  "total": $sum(lines.(quantity * price))
}"""


def test_an_order_of_two_thousand_lines_passes_the_guards() -> None:
    line = {"sku": "s", "quantity": 2, "price": 9.99, "discount": 5, "title": "t", "size": "M"}
    lines = [{**line, "tax": f"t{n % 3}", "shipment": n % 3} for n in range(2000)]
    order = {"lines": lines, "shipments": [{"id": n, "carrier": "c"} for n in range(3)]}

    assert len(compiled(ORDER_MAPPING).evaluate(order)["lines"]) == 2000


def test_one_expression_serves_many_threads() -> None:
    expression = compiled("$sum([1..n])")
    results: dict[int, object] = {}

    def work(n: int) -> None:
        results[n] = expression.evaluate({"n": n})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {n: n * (n + 1) // 2 for n in range(1, 9)}


def test_the_public_face_is_what_it_says() -> None:
    assert all(hasattr(expressions, name) for name in expressions.__all__)


def test_the_second_engine_is_not_imported_at_run_time() -> None:
    assert not [
        name
        for name, module in sys.modules.items()
        if name.startswith("isthmus_api.expressions")
        and not name.endswith("jsonata2py_engine")
        and hasattr(module, "jsonata2py")
    ]
