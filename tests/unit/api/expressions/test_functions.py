"""Our functions: every example of the reference, every refusal, and money against `decimal`."""

import decimal
import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.expressions import engine, functions, jlens_engine
from isthmus_api.expressions.functions import money, reference

LIBRARY = reference.example_library(jlens_engine.ENGINE)
REFERENCE = pathlib.Path(__file__).parents[4] / "docs/reference/functions.md"
EXAMPLES = [
    pytest.param(example, id=example.expression)
    for function in LIBRARY.values()
    for example in reference.examples(function.doc)
]


def evaluated(source: str, value: object = None) -> object:
    return jlens_engine.ENGINE.compile(source, LIBRARY).evaluate(value)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_reference_tells_the_truth(example: reference.Example) -> None:
    assert json.loads(example.result) == evaluated(example.expression)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_function_is_documented(name: str) -> None:
    assert LIBRARY[name].usage.startswith(f"${name}(")
    assert reference.examples(LIBRARY[name].doc)


def test_the_reference_page_is_generated() -> None:
    assert REFERENCE.read_text() == reference.reference_markdown()


@pytest.mark.parametrize(
    "call",
    [
        *(
            "$table('vat', x)",
            "$mapping('net-line', x)",
            "$moneyAdd(x, 1)",
            "$moneyAdd(1, x)",
            "$moneySubtract(x, 1)",
        ),
        *("$moneyMultiply(x, 2)", "$moneyMultiply(2, x)", "$moneyDivide(x, 2, 2)"),
        *("$moneyRound(x, 2)", "$moneySum(x)", "$dateFormat(x, '[Y]')", "$dateParse(x, '[Y]')"),
    ],
)
@pytest.mark.parametrize("value", [{}, {"x": None}], ids=["undefined", "null"])
def test_undefined_gives_undefined(call: str, value: object) -> None:
    assert evaluated(f"$exists({call})", value) is False


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param("$table('vta', 'NL')", "there is no table 'vta'; this Mapping has: ports, vat",
                     id="an unknown table lists the known ones"),
        pytest.param("$table('vat', [1])", "key must be a string or a number, not an array",
                     id="a list is no key"),
        pytest.param("$table(1, 'NL')", "argument name must be a string, not a number",
                     id="a number names no table"),
        pytest.param("$mapping('net', {})", "there is no Mapping 'net' here; this expression may "
                     "call: net-line", id="an unknown Mapping lists the known ones"),
        pytest.param("$mapping('net-line', {}, 1)", "argument variables must be an object, not a "
                     "number", id="variables are an object"),
        pytest.param("$moneyAdd('ten', 1)", "argument a is a string that is no decimal number",
                     id="words are no amount"),
        pytest.param("$moneyAdd(1, true)", "argument b must be a decimal string or a number, not a "
                     "boolean", id="true is no amount"),
        pytest.param("$moneyAdd('1_000', 1)", "argument a is a string", id="underscores"),
        pytest.param("$moneyAdd('NaN', 1)", "argument a is a string", id="NaN is no amount"),
        pytest.param("$moneyAdd('1e99', 1)", "more than 60 digits", id="exponent bombs"),
        pytest.param("$moneyDivide(1, '0.00', 2)", "argument divisor must not be zero", id="zero"),
        pytest.param("$moneyRound(1, 2, 'bankers')", "argument mode must be one of halfUp",
                     id="modes are named"),
        pytest.param("$moneyRound(1, 1.5)", "must be a whole number", id="half a decimal"),
        pytest.param("$moneyRound(1, -1)", "must be from 0 to 60", id="a negative scale"),
        pytest.param("$moneySum([1, {}])", "argument amounts[1] must be", id="which of the sum"),
        pytest.param("$dateFormat('soon', '[Y]')", "is a string that is not ISO 8601", id="soon"),
        pytest.param("$dateFormat(0, '[Y', 'UTC')", "argument picture: ", id="a broken picture"),
        pytest.param("$dateFormat(0, '[Y]', 'Europe/Amsterdm')", "did you mean 'Europe/Amsterdam'?",
                     id="a zone with a slip"),
        pytest.param("$dateFormat(0, '[Y]', '../../etc/passwd')", "there is no time zone",
                     id="a zone is no file"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(call: str, message: str) -> None:
    with pytest.raises(engine.EvaluationFault) as caught:
        evaluated(call)

    assert message in caught.value.message


def test_values_of_a_message_stay_out_of_the_error() -> None:
    with pytest.raises(engine.EvaluationFault) as caught:
        evaluated("$moneyAdd(card, 1)", {"card": "4111-1111"})

    assert "4111" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("halfUp", ["3", "-3", "2"]),
        ("halfEven", ["2", "-2", "2"]),
        ("halfDown", ["2", "-2", "2"]),
        ("up", ["3", "-3", "2"]),
        ("down", ["2", "-2", "1"]),
        ("ceiling", ["3", "-2", "2"]),
        ("floor", ["2", "-3", "1"]),
    ],
)
def test_rounding_modes(mode: str, expected: list[str]) -> None:
    assert expected == evaluated(f"['2.5', '-2.5', '1.6'].$moneyRound($, 0, '{mode}')")


def amount(text: str | None) -> decimal.Decimal:
    assert text is not None
    return decimal.Decimal(text)


AMOUNTS = st.decimals(-(10**12), 10**12, places=4).map(str)


@given(AMOUNTS, AMOUNTS)
def test_sums_and_products_are_exact(a: str, b: str) -> None:
    x, y = decimal.Decimal(a), decimal.Decimal(b)
    with decimal.localcontext(prec=100):
        assert amount(money.money_add(a, b)) == x + y
        assert amount(money.money_subtract(a, b)) == x - y
        assert amount(money.money_multiply(a, b)) == x * y


@given(AMOUNTS, AMOUNTS.filter(lambda text: decimal.Decimal(text) != 0))
def test_a_quotient_is_rounded_once(a: str, b: str) -> None:
    scaled = amount(money.money_divide(a, b, 2)) * 200
    exact = decimal.Decimal(a) * 200 / decimal.Decimal(b)

    assert abs(scaled - exact) <= 1 + decimal.Decimal("1e-9")


@given(st.floats(-1e15, 1e15).filter(lambda number: number == 0 or abs(number) > 1e-30))
def test_a_number_is_read_by_its_shortest_form(number: float) -> None:
    assert amount(money.money_add(number, 0)) == decimal.Decimal(repr(number))


def test_there_is_no_minus_zero() -> None:
    assert evaluated("$moneyRound('-0.004', 2)") == "0.00"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("$dateFormat('2026-03-29T00:59:59Z', '[H01]:[m01] [Z]', 'Europe/Amsterdam')",
                     "01:59 +01:00", id="the last second of winter"),
        pytest.param("$dateFormat('2026-03-29T01:00:00Z', '[H01]:[m01] [Z]', 'Europe/Amsterdam')",
                     "03:00 +02:00", id="the first second of summer"),
        pytest.param("$dateFormat('2026-01-01T00:00:00+05:30', '[H01]:[m01]', '-03:30')",
                     "15:00", id="offsets on both sides"),
        pytest.param("$dateFormat(0, '[Y]-[M]-[D] [H01]:[m01] [Z]', '-03:30')",
                     "1969-12-31 20:30 -03:30", id="half an hour west of Greenwich"),
        pytest.param("$dateFormat('2026-07-01T12:00:00Z', '[H01]:[m01]', 'America/St_Johns')",
                     "09:30", id="the clock of Newfoundland"),
        pytest.param("$dateFormat('2026-01-01T10:00:00', '[H01]', 'UTC')", "10", id="no offset"),
        pytest.param("$dateParse('25.10.2026 02:30', '[D01].[M01].[Y0001] [H01]:[m01]', "
                     "'Europe/Amsterdam')", "2026-10-25T00:30:00.000Z", id="the hour shown twice"),
        pytest.param("$dateParse('2026-01-01 10:00 +02:00', '[Y0001]-[M01]-[D01] [H01]:[m01] [Z]', "
                     "'Asia/Tokyo')", "2026-01-01T08:00:00.000Z", id="an offset in the text wins"),
        pytest.param("$dateParse('x', '[Y0001]')", None, id="text that does not fit"),
    ],
)  # fmt: skip
def test_dates(source: str, expected: str | None) -> None:
    assert expected == evaluated(source)


def test_zero_is_a_value_and_default_serves_only_missing_keys() -> None:
    table = functions.library({"t": {"k": 0}})["table"].callable
    assert [table("t", "k", 1), table("t", "x", 1), table("t", "x")] == [0, 1, None]


def test_the_names_are_those_of_the_library() -> None:
    assert functions.names() == set(LIBRARY)
