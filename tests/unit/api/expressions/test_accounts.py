"""Accounts: what each part of an expression gave, as the engine that runs has recorded it."""

from typing import Any

import pytest

from isthmus_api.expressions import accounts, engine, functions, jlens_accounts, jlens_engine
from isthmus_api.expressions.accounts import Part

ORDER = {
    "kind": "B2B",
    "items": [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}, {"sku": "C", "qty": 4}],
}


def account(source: str, value: Any = ORDER, **variables: Any) -> accounts.Account:
    compiled = jlens_engine.ENGINE.compile(source, functions.library({}))
    return compiled.account(value, variables or None)


def told(source: str, value: Any = ORDER, **variables: Any) -> dict[str, list[Any]]:
    """The values of each part, by its text."""
    return {
        source[slice(*part.span)]: [
            each.error or ("nothing" if each.is_nothing else each.shown) for each in part.values
        ]
        for part in account(source, value, **variables).parts
    }


CASES: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "an object has the parts of its values": (
        '{"k": kind, "n": 1}',
        {'{"k": kind, "n": 1}': [{"k": "B2B", "n": 1}], "kind": ["B2B"]},
    ),
    "a path is one part, however many steps it has": ("$$.kind", {"$$.kind": ["B2B"]}),
    "a part of a function has a value for each call": (
        "$map(items, function($i) { $i.qty * 2 })",
        {
            "$map(items, function($i) { $i.qty * 2 })": [[4, 2, 8]],
            "items": [ORDER["items"]],
            "$i.qty * 2": [4, 2, 8],
            "$i.qty": [2, 1, 4],
        },
    ),
    "a branch that was not taken has no value": (
        'kind = "B2B" ? "business" : $lowercase(kind)',
        {
            'kind = "B2B" ? "business" : $lowercase(kind)': ["business"],
            'kind = "B2B"': [True],
            "kind": ["B2B"],
            "$lowercase(kind)": [],
        },
    ),
    "what follows on nothing has no value": (
        "lines.{'sku': sku}",
        {"lines.{'sku': sku}": ["nothing"], "{'sku': sku}": []},
    ),
    "null is not nothing": ("note", {"note": [None]}),
    "a failing part tells why, and those around it, too": (
        "[kind + 1]",
        {
            "[kind + 1]": ['The left side of the "+" operator must evaluate to a number'],
            "kind + 1": ['The left side of the "+" operator must evaluate to a number'],
            "kind": ["B2B"],
        },
    ),
    "a function of ours": ('$moneyAdd("1.10", "2")', {'$moneyAdd("1.10", "2")': ["3.10"]}),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_what_parts_gave(source: str, expected: dict[str, list[Any]]) -> None:
    assert told(source, {**ORDER, "note": None}) == expected


def test_parts_stand_in_the_order_of_the_source_outer_ones_first() -> None:
    source = "[items.qty] ~> $sum"
    texts = [source[slice(*part.span)] for part in account(source).parts]

    assert texts == [source, "[items.qty]", "items.qty"]


def test_a_predicate_tells_how_many_items_it_let_through() -> None:
    source = "items[qty > 1].sku"

    found = {source[slice(*part.span)]: part for part in account(source).parts}

    predicate = found["qty > 1"]
    assert (predicate.times, predicate.tested, predicate.passed) == (3, 3, 2)


def test_of_many_values_the_first_are_kept_and_all_are_counted() -> None:
    found = account("$map([1..50], function($n) { $n + 1 })", None)

    part: Part = next(each for each in found.parts if each.times == 50)
    assert [each.shown for each in part.values] == [2, 3, 4]


def test_the_failing_value_is_kept_wherever_it_comes() -> None:
    found = told("$map(items, function($i) { 8 / $i.n })", {"items": [{"n": 1}] * 9 + [{"n": "x"}]})

    assert found["8 / $i.n"][:2] == [8, 8]
    assert "must evaluate to a number" in found["8 / $i.n"][-1]


def test_a_record_that_is_not_whole_says_so_and_calls_nothing_unreached() -> None:
    patient = jlens_engine.JlensEngine(engine.Guards(timeout=60))
    source = 'kind = "x" ? a : $map([1..10000], function($n) { $n + $n })'

    found = patient.compile(source).account(ORDER)

    assert not found.is_complete
    assert all(part.times for part in found.parts)


def test_variables_and_the_clock_are_those_that_are_given() -> None:
    compiled = jlens_engine.ENGINE.compile("$millis() + $n")

    found = compiled.account({}, {"n": 1}, now=1000)

    assert found.parts[0].values[0].shown == 1001


def test_the_guards_hold() -> None:
    found = jlens_engine.JlensEngine(engine.Guards(max_steps=100)).compile(
        "$sum($map([1..1000], function($n) { $n }))"
    )

    assert "steps" in str(found.account({}).parts[0].values[0].error)


def test_a_variable_path_has_an_account_too() -> None:
    assert told("$request.path", request={"path": "/a"}) == {"$request.path": ["/a"]}


def test_large_values_are_shortened() -> None:
    found = account("items", {"items": list(range(100))})

    shown = found.parts[0].values[0].shown
    assert len(shown) == jlens_accounts.LIMITS["max_items"] + 1
    assert shown[-1] == "… 95 more"
