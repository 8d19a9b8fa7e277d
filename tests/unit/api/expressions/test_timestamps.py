"""Timestamps that are read without the engine: nobody can tell, but by the clock."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone

import jlens
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isthmus_api.expressions import engine, jlens_engine, timestamps


def engines_own(source: str) -> engine.Expression:
    """The expression as the engine alone evaluates it."""
    compiled = jlens.Expression(source)
    return jlens_engine.JlensExpression(compiled, compiled, asdict(engine.GUARDS), {})


def outcome(run: Callable[[], object]) -> object:
    """What comes out: a result, or everything that an error tells."""
    try:
        return run()
    except engine.ExpressionError as error:
        return type(error), error.code, error.message, error.offset, error.hint


def assert_same(source: str, document: object) -> None:
    ours, theirs = jlens_engine.ENGINE.compile(source), engines_own(source)
    text = json.dumps(document).encode()
    for _ in range(2):  # the second time it knows what it met
        assert outcome(lambda: ours.evaluate(document)) == outcome(
            lambda: theirs.evaluate(document)
        )
        assert outcome(lambda: ours.evaluate_json(text)) == outcome(
            lambda: theirs.evaluate_json(text)
        )


def digits(most: int, width: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(lambda n: f"{n:0{width}}")


DATES = st.tuples(digits(9999, 4), digits(13, 2), digits(32, 2)).map("-".join)
CLOCKS = st.tuples(digits(25, 2), digits(60, 2), digits(61, 2)).map(":".join)
FRACTIONS = st.just("") | st.text("0123456789", max_size=10).map(".".__add__)
OFFSETS = st.sampled_from(["", "Z", "z", "+02:00", "-0330", "+00:00", "-00:00", "+05"]) | st.tuples(
    st.sampled_from("+-"), digits(30, 2), st.sampled_from([":", ""]), digits(61, 2)
).map("".join)
TIMES = st.tuples(DATES, st.sampled_from("TTTt "), CLOCKS, FRACTIONS, OFFSETS).map("".join)
PARTS = st.tuples(st.from_regex(r"[0-9]{4}(-[0-9]{2})?", fullmatch=True), OFFSETS).map("".join)
TEXTS = TIMES | DATES | st.tuples(DATES, OFFSETS).map("".join) | PARTS | st.text(max_size=12)


@given(TEXTS)
@example("1969-12-31T23:59:59.9999Z")
@example("2026-02-30")
@example("2026-01-02T24:00:00Z")
@example("2026-01-02T03:04:05.123456789Z")
@example("2026-01-02T03:04:05Z\n")
@example("2026-01-02T03:04:05+00:60")
@example("٢٠٢٦-٠١-٠٢")
def test_any_text_gives_what_the_engine_gives(text: str) -> None:
    assert_same("$toMillis(at)", {"at": text})


@given(st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, st.lists, max_leaves=3))
def test_any_value_gives_what_the_engine_gives(value: object) -> None:
    assert_same("$toMillis(at)", {"at": value})


@given(
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
)
def test_the_times_of_documents_are_read_by_us(moment: datetime, minutes: int, spec: str) -> None:
    if moment.tzinfo:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = moment.isoformat(timespec=spec)

    assert timestamps.to_millis(text) == engines_own("$toMillis($)").evaluate(text)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("at.$toMillis()", id="on the context"),
        pytest.param("$toMillis()", id="on a context that is no text"),
        pytest.param("at ~> $toMillis()", id="in a chain"),
        pytest.param("at ~> $toMillis", id="at the end of a chain"),
        pytest.param("($read := $toMillis; 1 + $read(at))", id="by another name"),
        pytest.param("$toMillis(?)(at)", id="applied in part"),
        pytest.param("$toMillis(?)(missing)", id="applied in part on nothing"),
        pytest.param("$toMillis(at, ? /* */)('[Y]')", id="applied in part with a picture"),
        pytest.param("$toMillis(at, '[Y0001]')", id="with a picture"),
        pytest.param("$toMillis(missing, '[Y0001]')", id="with a picture on nothing"),
        pytest.param("$toMillis(missing)", id="on nothing"),
        pytest.param("$toMillis(nil)", id="on null"),
        pytest.param("$toMillis(at, 5)", id="with a picture that is none"),
        pytest.param("$toMillis(at, '[Y0001]', 5)", id="with too many arguments"),
        pytest.param("$eval('$toMillis(at)')", id="in text that is evaluated"),
        pytest.param("[list.$toMillis($)]", id="for each of a list"),
        pytest.param("$map(list, function($t) { $toMillis($t) })", id="in a function for map"),
        pytest.param("$map(list, $toMillis)", id="as a function for map"),
        pytest.param("$filter(list, function($t) { $toMillis($t) > 0 })", id="in filter"),
        pytest.param("$single(list, function($t) { $toMillis($t) > 0 })", id="in single"),
        pytest.param(
            "$reduce(list, function($a, $t) { $a + $toMillis($t) }, 0)",
            id="in reduce",
        ),
        pytest.param(
            "$sort(list, function($a, $b) { $toMillis($a) > $toMillis($b) })", id="in sort"
        ),
        pytest.param("list^(>$toMillis($))", id="in an order-by"),
        pytest.param("list[$toMillis($) > 0]", id="in a predicate"),
        pytest.param("$each($, function($v) { $toMillis(at) })", id="in each"),
        pytest.param("$sift($, function($v) { $toMillis(at) > 0 })", id="in sift"),
        pytest.param(
            "$replace('x', /x/, function($m) { $string($toMillis(at)) })", id="in replace"
        ),
        pytest.param("$ ~> |$|{'at': $toMillis(at)}|", id="in a transform"),
        pytest.param("list{$: $toMillis($)}", id="in a group-by"),
        pytest.param("($toMillis := function($t) { 1 }; $toMillis(at))", id="by a name taken over"),
        pytest.param("at.$toMillis", id="as a value"),
        pytest.param("$type($toMillis)", id="looked at"),
    ],
)
@pytest.mark.parametrize(
    "at",
    [
        pytest.param("2026-03-14T09:26:53Z", id="a time"),
        pytest.param("2026", id="a year"),
        pytest.param("2026-02-30", id="a day that is none"),
        pytest.param("soon", id="no time"),
        pytest.param(5, id="a number"),
    ],
)
def test_a_call_gives_what_the_engine_gives(source: str, at: object) -> None:
    assert_same(source, {"at": at, "list": ["2026-01-01", at], "nil": None})


@pytest.mark.parametrize("at", ["2026-03-14", "soon"])
def test_a_variable_may_have_the_name(at: str) -> None:
    ours, theirs = (make("$toMillis(at)") for make in (jlens_engine.ENGINE.compile, engines_own))
    for value in (1, None, "x"):
        variables = {"toMillis": value}
        assert outcome(lambda: ours.evaluate({"at": at}, variables)) == outcome(  # noqa: B023
            lambda: theirs.evaluate({"at": at}, variables)  # noqa: B023
        )
