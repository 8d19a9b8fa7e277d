"""Mappings that call Mappings: what they see, what they cost, and what stops them."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from isthmus_api.expressions import calls, composition, engine, watch
from isthmus_api.mapping import JsonSchema


@dataclass(frozen=True)
class Written:
    expression: str
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    input: JsonSchema | None = None
    output: JsonSchema | None = None


def compiled(main: str, **others: str | Written) -> engine.Expression:
    known = {
        name: each if isinstance(each, Written) else Written(each) for name, each in others.items()
    }
    return composition.compile(Written(main), known)


def evaluated(
    main: str, value: Any = None, variables: dict[str, Any] | None = None, **others: str | Written
) -> Any:
    return compiled(main, **others).evaluate(value, variables)


def test_a_mapping_runs_another_one_on_its_input() -> None:
    found = evaluated("[items.$mapping('line', $)]", {"items": [{"a": 1}]}, line="{'b': a}")

    assert found == [{"b": 1}]


def test_the_document_of_the_called_one_is_its_input() -> None:
    assert evaluated("$mapping('m', a)", {"a": {"b": 1}, "b": 2}, m="$$.b") == 1


def test_json_text_gives_json_text() -> None:
    found = compiled("[items.$mapping('line', $)]", line="{'b': a}").evaluate_json(
        b'{"items": [{"a": 1}, {"a": 2}]}'
    )

    assert found == b'[{"b":1},{"b":2}]'


def test_each_mapping_has_its_own_tables() -> None:
    other = Written("$table('t', 'k')", {"t": {"k": "other's"}})

    assert evaluated("$mapping('m', 1)", m=other) == "other's"


@pytest.mark.parametrize(
    ("main", "expected"),
    [
        pytest.param("$mapping('m', 1)", None, id="those of the caller are not seen"),
        pytest.param("$mapping('m', 1, {'v': $v})", 7, id="those that are handed over are"),
        pytest.param("$mapping('m', 1, {'w': $v})", None, id="by their new name"),
    ],
)
def test_variables(main: str, expected: Any) -> None:
    assert evaluated(main, variables={"v": 7}, m="$v") == expected


def test_a_mapping_may_be_handed_to_a_function() -> None:
    found = evaluated("$map(a, $mapping('m', ?))", {"a": [1, 2]}, m="$ + 1")

    assert found == [2, 3]


def test_clock_and_seed_reach_the_called_one() -> None:
    expression = compiled("$mapping('m', 1)", m="$millis()")

    assert expression.evaluate(None, now=86_400_000) == 86_400_000


def test_a_mapping_by_itself_is_not_wrapped() -> None:
    assert not isinstance(compiled("a", other="b"), composition.Composed)


def test_an_error_tells_through_which_mappings_it_came() -> None:
    with pytest.raises(engine.EvaluationFault) as caught:
        evaluated("$mapping('a', 1)", a="$mapping('b', 1)", b="$moneyAdd('x', 1)")

    text = caught.value.message
    assert text.index("Mapping 'a'") < text.index("Mapping 'b'") < text.index("argument a is a")
    assert caught.value.offset == 0


def test_calls_are_counted_over_the_whole() -> None:
    with pytest.raises(engine.GuardExceeded) as caught:
        evaluated(
            "$mapping('many', 1)",
            many="$count([1..400].$mapping('most', $))",
            most="$count([1..400].$mapping('one', $))",
            one="1",
        )

    assert caught.value.code in ("U1006", "D1012")


def test_the_time_is_that_of_the_whole() -> None:
    """Each call alone would end in time."""
    endless = "($f := function($n){ $n > 400000 ? 1 : $f($n + 1) }; $f(0))"
    with pytest.raises(engine.GuardExceeded):
        evaluated("$count([1..1000].$mapping('slow', $))", slow=endless)


def test_every_evaluation_has_a_budget_of_its_own() -> None:
    expression = compiled("$count([1..40000].$mapping('one', $))", one="1")

    assert [expression.evaluate(None) for _ in range(3)] == [40_000] * 3


def test_threads_do_not_share_a_budget() -> None:
    expression, found = compiled("$count([1..2000].$mapping('one', $))", one="1"), []
    threads = [
        threading.Thread(target=lambda: found.append(expression.evaluate(None))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [2000] * 4


def test_a_guard_inside_is_a_guard_outside() -> None:
    with pytest.raises(engine.GuardExceeded):
        evaluated("$mapping('deep', 1)", deep="($f := function($n){ 1 + $f($n + 1) }; $f(0))")


def chain(length: int) -> dict[str, str]:
    deep = "($f := function($n){{ $n = 0 ? {} : 0 + $f($n - 1) }}; $f(40))"
    called = {f"m{n}": deep.format(f"$mapping('m{n + 1}', 1)") for n in range(1, length)}
    return {**called, f"m{length}": "1"}


def test_the_longest_chain_runs_on_the_stack_of_a_thread() -> None:
    found: list[Any] = []
    expression = compiled("$mapping('m1', 1)", **chain(calls.MAX_DEPTH))
    thread = threading.Thread(target=lambda: found.append(expression.evaluate(None)))
    thread.start()
    thread.join()

    assert found == [1]


def test_a_longer_chain_is_refused() -> None:
    with pytest.raises(engine.SyntaxFault, match="more than 16 Mappings"):
        compiled("$mapping('m1', 1)", **chain(calls.MAX_DEPTH + 1))


def test_a_circle_ends_in_an_error_even_where_nobody_checked() -> None:
    with pytest.raises(engine.SyntaxFault):
        compiled("$mapping('a', 1)", a="$mapping('b', 1)", b="$mapping('a', 1)")


NUMBER = {"type": "number"}


def held(expression: str, side: str, policy: str | None) -> Written:
    schema = JsonSchema.model_validate({"schema": NUMBER, "onMismatch": policy})
    if side == "input":
        return Written(expression, input=schema)
    return Written(expression, output=schema)


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_called_one_is_held_to_its_schema_however_far_below(side: str) -> None:
    with pytest.raises(engine.SchemaMisfit) as caught:
        evaluated("$mapping('a', 'x')", a="$mapping('b', $)", b=held("$", side, "reject"))

    error = caught.value
    assert (error.mapping, error.side) == ("b", side)
    assert error.misfits == [{"path": "$", "rule": "type"}]
    assert "in the Mapping 'a'" in error.message
    assert f"{side}.schema" in error.message


def test_a_result_that_is_nothing_is_held_as_null() -> None:
    with pytest.raises(engine.SchemaMisfit):
        evaluated("$mapping('a', 1)", a=held("nothing", "output", "reject"))


def test_what_is_not_there_calls_nothing_and_fits() -> None:
    assert evaluated("$mapping('a', nothing)", {}, a=held("$", "input", "reject")) is None


def test_the_outermost_is_not_held_by_itself() -> None:
    main = held("$mapping('a', 1)", "input", "reject")

    assert composition.compile(main, {"a": Written("$")}).evaluate("x") == 1


def test_warnings_are_those_of_one_evaluation_with_their_number() -> None:
    watched = watch.Watch()
    others = {"a": held("$", "input", "warn"), "b": held("'x'", "output", "warn")}
    main = Written("($map(all, $mapping('a', ?)); $mapping('b', 1))")
    expression = composition.compile(main, others, watched=watched)

    found = []
    for value in (["x", 1, "y"], [1]):
        with watched.over(frozenset) as warned:
            expression.evaluate({"all": value})
        found.append({key: each.times for key, each in warned.items()})

    assert found == [{("a", "input"): 2, ("b", "output"): 1}, {("b", "output"): 1}]
    assert str(warned["b", "output"]) == (
        "Mapping 'b': its result does not fit output.schema at $ (type)"
    )


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param({"a": Written("$")}, False, id="no schema"),
        pytest.param({"a": held("$", "input", None)}, False, id="a schema that describes"),
        pytest.param({"b": held("$", "input", "warn")}, False, id="a Mapping that is not called"),
        pytest.param({"a": held("$", "output", "warn")}, True, id="called"),
        pytest.param(
            {"a": Written("$mapping('b', $)"), "b": held("$", "output", "reject")},
            True,
            id="called by one that is called",
        ),
    ],
)
def test_whether_something_is_held(others: dict[str, Written], expected: bool) -> None:
    assert composition.are_held(Written("$mapping('a', $)"), others) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b", ()),
        ("$mapping('b', x) & $mapping(\"a\", y)", ("a", "b")),
        ("'$mapping(\"a\", x)'", ()),
        ("/* $mapping('a', x) */ 1", ()),
        ("x.{'k': [$map(y, $mapping('a', ?))]}", ("a",)),
        ("$mapping(name, x)", ()),
    ],
)
def test_names_of_called_mappings(source: str, expected: tuple[str, ...]) -> None:
    assert calls.mappings(source) == expected


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("$mapping('a', x)", 0),
        ("$map(y, $mapping('a', ?))", 0),
        ("$mapping(name, x)", 1),
        ("$map(y, $mapping)", 1),
        ("'a' ~> $mapping(x)", 1),
        ("($f := $mapping; $f('a', x))", 1),
    ],
)
def test_where_the_name_is_not_literal(source: str, number: int) -> None:
    assert len(list(calls.astray(source))) == number
