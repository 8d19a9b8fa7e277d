"""Durations and sizes: what they are worth, and what is none."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from isthmus_api.quantities import Duration, Size

DURATIONS = TypeAdapter(Duration)
SIZES = TypeAdapter(Size)
UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("300ms", 0.3, id="milliseconds are exact"),
        pytest.param("5s", 5.0, id="seconds"),
        pytest.param("10m", 600.0, id="minutes are no milliseconds"),
        pytest.param("2h", 7200.0, id="hours"),
        pytest.param("1h30m", 5400.0, id="units add up"),
        pytest.param("1m1ms", 60.001, id="minutes beside milliseconds"),
        pytest.param("1.5s", 1.5, id="a fraction"),
        pytest.param("0s", 0.0, id="nothing"),
        pytest.param("30m1h", 5400.0, id="in any order"),
    ],
)
def test_a_duration_is_worth_its_seconds(text: str, seconds: float) -> None:
    assert DURATIONS.validate_python(text).seconds == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("512", 512, id="bytes have no unit"),
        pytest.param("0", 0, id="nothing"),
        pytest.param("1k", 1000, id="k is a thousand"),
        pytest.param("1Ki", 1024, id="Ki is two to the tenth"),
        pytest.param("3M", 3_000_000, id="M is a million"),
        pytest.param("256Mi", 256 * 1024**2, id="Mi is two to the twentieth"),
        pytest.param("2G", 2_000_000_000, id="G is a thousand million"),
        pytest.param("1Gi", 1024**3, id="Gi is two to the thirtieth"),
    ],
)
def test_a_size_is_worth_its_bytes(text: str, size: int) -> None:
    assert SIZES.validate_python(text).bytes == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 s",
        " 5s",
        "5s ",
        "5s\n",
        "-5s",
        "+5s",
        "5S",
        "5d",
        ".5s",
        "5.s",
        "1,5s",
        "5us",
        "1e3s",
        "5s5",
        "٥s",
        "5s" * 17,
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValidationError):
        DURATIONS.validate_python(text)


@pytest.mark.parametrize(
    "text",
    ["", "Ki", "1 Ki", "1Ki\n", "-1", "+1", "1.5Mi", "1K", "1ki", "1Ti", "1m", "1B", "٥", "1" * 33],
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValidationError):
        SIZES.validate_python(text)


@pytest.mark.parametrize("value", [5, 5.0, True, None, ["5s"], b"5s"])
def test_only_a_string_is_a_quantity(value: object) -> None:
    with pytest.raises(ValidationError):
        DURATIONS.validate_python(value)
    with pytest.raises(ValidationError):
        SIZES.validate_python(value)


@pytest.mark.parametrize("quantity", [Duration, Size])
def test_a_refusal_says_what_to_write(quantity: type[Duration | Size]) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        quantity.parse("soon")

    context = refused.value.context or {}
    assert refused.value.message() == f"'soon' is not {quantity.wanted}"
    assert context["hint"].startswith("write it like ")


PARTS = st.lists(st.tuples(st.integers(0, 9999), st.sampled_from(sorted(UNITS))), min_size=1)


@given(PARTS.filter(lambda parts: len(parts) <= 5))
def test_a_duration_adds_up_its_parts_and_keeps_its_text(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in parts)

    read = DURATIONS.validate_python(text)

    assert read == text
    assert DURATIONS.dump_json(read) == f'"{text}"'.encode()
    assert read.seconds == float(sum(number * UNITS[unit] for number, unit in parts))


@given(st.text(max_size=40) | st.from_regex(r"[0-9.]+(ms|s|m|h|Ki|Mi)?", fullmatch=True))
def test_any_text_is_a_quantity_with_a_value_or_refused(text: str) -> None:
    with contextlib.suppress(ValidationError):
        assert DURATIONS.validate_python(text).seconds >= 0
    with contextlib.suppress(ValidationError):
        assert SIZES.validate_python(text).bytes >= 0
