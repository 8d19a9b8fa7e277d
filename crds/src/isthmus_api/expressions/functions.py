"""The functions that Isthmus adds to JSONata: tables, exact money, dates with named time zones.

They are registered in every expression. All are pure and fast (a look-up takes about 1 us), give
undefined for an undefined or null argument, as JSONata's own do, and refuse any other wrong one by
saying which argument and what it was. Names and signatures are API.

Each docstring is the reference entry of its function: the call, what it does, examples.
`reference_markdown` makes `docs/reference/functions.md` of them, and a test runs every example.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api import time_zones
from isthmus_api.expressions import engine, jlens_engine

Tables = Mapping[str, Mapping[str, Any]]


class FunctionError(Exception):
    """A function refused its arguments; engines turn it into an `EvaluationFault`."""

    code = "D3199"


def library(tables: Tables) -> Mapping[str, engine.Function]:
    """Give all functions, with `$table` bound to these tables."""
    return {**_FIXED, "table": _function(_table_lookup(tables), "table", "<xxx?:x>")}


def names() -> frozenset[str]:
    """Give the names of all functions, without the dollar sign."""
    return frozenset(library({}))


# Tables


def _table_lookup(tables: Tables) -> Callable[..., Any]:
    def table(name: Any, key: Any, default: Any = None) -> Any:
        """$table(name, key, default?)

        Look up `key` in the Mapping's table `name`. A key that is not there gives `default`, or
        undefined. A number as key is looked up by its JSON text. Naming a table that the Mapping
        does not have is an error.

        Examples:
            $table("vat", "NL") => "0.21"
            $table("vat", "XX", "0") => "0"
            $exists($table("vat", "XX")) => false
            $table("ports", 443) => "https"
        """
        if name is None or key is None:
            return default
        try:
            rows = tables[name]
        except (KeyError, TypeError):
            raise FunctionError(_unknown_table(name, tables)) from None
        found = rows.get(key if type(key) is str else _key(key))
        return default if found is None else found

    return table


def _key(key: Any) -> str:
    if isinstance(key, bool) or not isinstance(key, int | float):
        raise FunctionError(f"argument key must be a string or a number, not {_kind(key)}")
    return str(int(key)) if key == int(key) else repr(key)


def _unknown_table(name: Any, tables: Tables) -> str:
    if not isinstance(name, str):
        return f"argument name must be a string, not {_kind(name)}"
    known = ", ".join(sorted(tables)) or "none"
    return f"there is no table {name!r}; this Mapping has: {known}"


# Money

_AMOUNT: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_LARGEST_EXPONENT: Final = 60
_MODES: Final[Mapping[str, str]] = {
    "halfUp": decimal.ROUND_HALF_UP,
    "halfEven": decimal.ROUND_HALF_EVEN,
    "halfDown": decimal.ROUND_HALF_DOWN,
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
    "ceiling": decimal.ROUND_CEILING,
    "floor": decimal.ROUND_FLOOR,
}
_TRAPS: Final = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]

# Sums and products are exact or refused: 300 digits hold any two amounts that `_amount` lets in.
# Threads share these contexts; they only race for flags that nobody reads.
_EXACT: Final = decimal.Context(prec=300, traps=[*_TRAPS, decimal.Inexact])
# ROUND_05UP keeps a later rounding to fewer digits right, so a quotient is not rounded twice.
_QUOTIENT: Final = decimal.Context(prec=300, rounding=decimal.ROUND_05UP, traps=_TRAPS)


def money_add(a: Any, b: Any) -> str | None:
    """$moneyAdd(a, b)

    Add two amounts exactly. Amounts are decimal strings or numbers; a number is read by its
    shortest decimal form. The result is a string with as many decimals as the longer of the two.

    Examples:
        $moneyAdd("0.1", "0.2") => "0.3"
        $moneyAdd("10.00", 5) => "15.00"
        $moneyAdd(0.1, 0.2) => "0.3"
    """
    if a is None or b is None:
        return None
    return _text(_EXACT.add(_amount(a, "a"), _amount(b, "b")))


def money_subtract(a: Any, b: Any) -> str | None:
    """$moneySubtract(a, b)

    Subtract `b` from `a` exactly.

    Examples:
        $moneySubtract("10.00", "0.01") => "9.99"
        $moneySubtract(0.3, 0.1) => "0.2"
    """
    if a is None or b is None:
        return None
    return _text(_EXACT.subtract(_amount(a, "a"), _amount(b, "b")))


def money_multiply(amount: Any, factor: Any, scale: Any = None, mode: Any = None) -> str | None:
    """$moneyMultiply(amount, factor, scale?, mode?)

    Multiply an amount. Without `scale` the product is exact; with it, it is rounded once to that
    many decimals, by `mode` (see `$moneyRound`).

    Examples:
        $moneyMultiply("19.99", 3) => "59.97"
        $moneyMultiply("175.45", "0.21", 2) => "36.84"
        $moneyMultiply("175.50", "0.21", 2, "halfEven") => "36.86"
    """
    if amount is None or factor is None:
        return None
    product = _EXACT.multiply(_amount(amount, "amount"), _amount(factor, "factor"))
    return _text(product if scale is None else _rounded(product, scale, mode))


def money_divide(amount: Any, divisor: Any, scale: Any, mode: Any = None) -> str | None:
    """$moneyDivide(amount, divisor, scale, mode?)

    Divide an amount and round once to `scale` decimals, by `mode` (see `$moneyRound`).

    Examples:
        $moneyDivide("100", 3, 2) => "33.33"
        $moneyDivide("121.00", "1.21", 2) => "100.00"
        $moneyDivide("0.05", 2, 2, "down") => "0.02"
    """
    if amount is None or divisor is None or scale is None:
        return None
    by = _amount(divisor, "divisor")
    if not by:
        raise FunctionError("argument divisor must not be zero")
    return _text(_rounded(_QUOTIENT.divide(_amount(amount, "amount"), by), scale, mode))


def money_round(amount: Any, scale: Any, mode: Any = None) -> str | None:
    """$moneyRound(amount, scale, mode?)

    Round to `scale` decimals. `mode` is one of `halfUp` (the default: a half goes away from zero),
    `halfEven` (what JSONata's `$round` does), `halfDown`, `up`, `down`, `ceiling`, `floor`.

    Examples:
        $moneyRound("2.5", 0) => "3"
        $moneyRound("2.5", 0, "halfEven") => "2"
        $moneyRound("-2.5", 0) => "-3"
        $moneyRound("7", 2) => "7.00"
    """
    if amount is None or scale is None:
        return None
    return _text(_rounded(_amount(amount, "amount"), scale, mode))


def money_sum(amounts: Any) -> str | None:
    """$moneySum(amounts)

    Add all amounts of an array exactly. An empty array gives "0"; a single amount is an array of
    one.

    Examples:
        $moneySum(["0.1", "0.2", "0.30"]) => "0.60"
        $moneySum([]) => "0"
        $moneySum("5.00") => "5.00"
    """
    if amounts is None:
        return None
    total = decimal.Decimal(0)
    for index, amount in enumerate(amounts if isinstance(amounts, list) else [amounts]):
        total = _EXACT.add(total, _amount(amount, f"amounts[{index}]"))
    return _text(total)


def _amount(value: Any, argument: str) -> decimal.Decimal:
    text = value if type(value) is str else _number_text(value, argument)
    if _AMOUNT.fullmatch(text) is None:
        raise FunctionError(f"argument {argument} is a string that is no decimal number")
    amount = decimal.Decimal(text)
    if len(text) > _LARGEST_EXPONENT or abs(amount.adjusted()) > _LARGEST_EXPONENT:
        raise FunctionError(f"argument {argument} has more than {_LARGEST_EXPONENT} digits")
    return amount


def _number_text(value: Any, argument: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FunctionError(
            f"argument {argument} must be a decimal string or a number, not {_kind(value)}"
        )
    return repr(value)


def _rounded(amount: decimal.Decimal, scale: Any, mode: Any) -> decimal.Decimal:
    if isinstance(scale, bool) or not isinstance(scale, int | float):
        raise FunctionError(f"argument scale must be a number, not {_kind(scale)}")
    if scale != int(scale):
        raise FunctionError("argument scale must be a whole number")
    if not 0 <= scale <= _LARGEST_EXPONENT:
        raise FunctionError(f"argument scale must be from 0 to {_LARGEST_EXPONENT}")
    rounding = _MODES["halfUp"] if mode is None else _rounding(mode)
    return amount.quantize(
        decimal.Decimal(1).scaleb(-int(scale)), rounding=rounding, context=_QUOTIENT
    )


def _rounding(mode: Any) -> str:
    try:
        return _MODES[mode]
    except (KeyError, TypeError):
        known = ", ".join(_MODES)
        raise FunctionError(f"argument mode must be one of {known}, not {_shown(mode)}") from None


def _text(amount: decimal.Decimal) -> str:
    # No minus zero: "-0.00" is no amount.
    return format(amount if amount else amount.copy_abs(), "f")


# Dates

_UTC: Final = datetime.UTC
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=_UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_OFFSET: Final = re.compile(r"[+-][0-9]{2}:?[0-9]{2}")
_PICTURE_ZONE: Final = re.compile(r"(?<!\[)\[[Zz]")


def date_format(timestamp: Any, picture: Any, zone: Any = None) -> str | None:
    """$dateFormat(timestamp, picture, zone?)

    Write a point in time as a clock in `zone` shows it, daylight saving included. `timestamp` is
    ISO 8601 (without an offset: UTC) or milliseconds since 1970; `picture` is that of
    `$fromMillis`; `zone` is a name such as `Europe/Amsterdam` or an offset such as `+02:00`, and
    UTC when left out.

    Examples:
        $dateFormat("2026-07-01T10:00:00Z", "[H01]:[m01]", "Europe/Amsterdam") => "12:00"
        $dateFormat("2026-01-01T10:00:00Z", "[H01]:[m01]", "Europe/Amsterdam") => "11:00"
        $dateFormat(0, "[D01].[M01].[Y0001]") => "01.01.1970"
    """
    if timestamp is None or picture is None:
        return None
    moment = _moment(timestamp).astimezone(_UTC if zone is None else _zone(zone))
    value = {
        "millis": (moment - _EPOCH) // _MILLISECOND,
        "picture": _string(picture, "picture"),
        "offset": _offset_text(moment.utcoffset() or datetime.timedelta()),
    }
    return str(_evaluated(_FROM_MILLIS, value))


def date_parse(text: Any, picture: Any, zone: Any = None) -> str | None:
    """$dateParse(text, picture, zone?)

    Read a date that a clock in `zone` showed and give it as ISO 8601 in UTC. `picture` is that of
    `$toMillis`; where it has a `[Z]` or `[z]`, the text itself says the offset and `zone` does not
    matter. Text that does not fit the picture gives undefined. An hour that the clock shows twice
    is the first of the two.

    Examples:
        $dateParse("01.07.2026 12:00", "[D01].[M01].[Y0001] [H01]:[m01]", "Europe/Amsterdam")
            => "2026-07-01T10:00:00.000Z"
        $dateParse("2026-01-01", "[Y0001]-[M01]-[D01]") => "2026-01-01T00:00:00.000Z"
    """
    if text is None or picture is None:
        return None
    shape = _string(picture, "picture")
    millis = _evaluated(_TO_MILLIS, {"text": _string(text, "text"), "picture": shape})
    if millis is None:
        return None
    moment: datetime.datetime = _EPOCH + millis * _MILLISECOND
    if zone is not None and _PICTURE_ZONE.search(shape) is None:
        moment = moment.replace(tzinfo=_zone(zone)).astimezone(_UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _moment(timestamp: Any) -> datetime.datetime:
    if isinstance(timestamp, str):
        return _iso(timestamp)
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        raise FunctionError(
            f"argument timestamp must be ISO 8601 or milliseconds, not {_kind(timestamp)}"
        )
    try:
        return _EPOCH + timestamp * _MILLISECOND
    except OverflowError:
        raise FunctionError("argument timestamp is out of range") from None


def _iso(text: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise FunctionError("argument timestamp is a string that is not ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=_UTC)


@functools.lru_cache(maxsize=64)
def _named_zone(name: str) -> datetime.tzinfo:
    try:
        return time_zones.named(name)
    except time_zones.UnknownTimeZone as unknown:
        hint = f"; did you mean {unknown.near!r}?" if unknown.near else ""
        raise FunctionError(f"there is no time zone {_shown(name)}{hint}") from None


def _zone(zone: Any) -> datetime.tzinfo:
    name = _string(zone, "zone")
    if _OFFSET.fullmatch(name):
        hours, minutes = int(name[:3]), int(name[-2:])
        return datetime.timezone(
            datetime.timedelta(hours=hours, minutes=-minutes if name[0] == "-" else minutes)
        )
    return _named_zone(name)


def _offset_text(offset: datetime.timedelta) -> str:
    """Write an offset as `$fromMillis` reads it.

    It takes hours by rounding down and minutes by remainder, so that it reads -0330 as 4.5 hours
    (jlens 0.25.0, as the reference implementation does): what it reads as 3.5 hours is -0230.
    Nothing it reads lies between -1 hour and 0; no clock has shown such a time since 1972.
    """
    # Local mean times of the nineteenth century have seconds, which no offset can say.
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if minutes < 0 and rest:
        if hours == 0:
            raise FunctionError(f"the offset of {minutes} minutes cannot be written")
        return f"-{hours - 1:02}{rest:02}"
    return f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"


# The engine's own pictures, so that a picture means the same in $fromMillis and in $dateFormat.
_FROM_MILLIS: Final = jlens_engine.ENGINE.compile("$fromMillis(millis, picture, offset)")
_TO_MILLIS: Final = jlens_engine.ENGINE.compile("$toMillis(text, picture)")


def _evaluated(expression: engine.Expression, value: Any) -> Any:
    try:
        return expression.evaluate(value)
    except engine.ExpressionError as error:
        raise FunctionError(f"argument picture: {error.message}") from error


# What arguments are called in messages. What a message body brings is told by its type only: error
# texts reach logs and alerts. What the mapping's author wrote (a table, a mode, a zone) is shown.


def _string(value: Any, argument: str) -> str:
    if not isinstance(value, str):
        raise FunctionError(f"argument {argument} must be a string, not {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
        case _:
            return "a function"


def _shown(value: Any) -> str:
    if not isinstance(value, str):
        return _kind(value)
    return repr(value if len(value) <= 40 else f"{value[:40]}…")


# The library


def _function(implementation: Callable[..., Any], name: str, signature: str) -> engine.Function:
    return engine.Function(name, implementation, signature, inspect.getdoc(implementation) or "")


_FIXED: Final[Mapping[str, engine.Function]] = {
    name: _function(implementation, name, signature)
    for implementation, name, signature in (
        (money_add, "moneyAdd", "<xx:s>"),
        (money_subtract, "moneySubtract", "<xx:s>"),
        (money_multiply, "moneyMultiply", "<xxx?x?:s>"),
        (money_divide, "moneyDivide", "<xxxx?:s>"),
        (money_round, "moneyRound", "<xxx?:s>"),
        (money_sum, "moneySum", "<x:s>"),
        (date_format, "dateFormat", "<xxx?:s>"),
        (date_parse, "dateParse", "<xxx?:s>"),
    )
}

EXAMPLE_TABLES: Final[Tables] = {
    "vat": {"NL": "0.21", "BE": "0.21", "DE": "0.19"},
    "ports": {"443": "https"},
}


@dataclass(frozen=True, slots=True)
class Example:
    """A line of a docstring: an expression, and the JSON that it gives."""

    expression: str
    result: str


def examples(doc: str) -> tuple[Example, ...]:
    """Read the examples of a docstring; an expression may stand on a line before its `=>`."""
    _, _, section = doc.partition("Examples:\n")
    lines = re.sub(r"\n\s*=>", " =>", section).strip().splitlines()
    pairs = (line.strip().partition(" => ") for line in lines)
    return tuple(Example(expression, result) for expression, _, result in pairs)


def reference_markdown() -> str:
    """Write the reference page of all functions."""
    entries = sorted(library(EXAMPLE_TABLES).values(), key=lambda function: function.name)
    return "\n".join([_REFERENCE_HEAD, *(line for each in entries for line in _entry(each))])


_REFERENCE_HEAD: Final = """\
<!-- Generated from the docstrings in isthmus_api.expressions.functions: do not edit. -->
# Functions

What Isthmus adds to the functions of JSONata. They can be called in every expression: in mappings,
filters, templates, keys. An undefined or null argument gives undefined; any other argument that
does not fit is an error that names it, and the message goes to the dead letters.

The examples use these tables:

```yaml
tables:
  vat: {NL: "0.21", BE: "0.21", DE: "0.19"}
  ports: {"443": https}
```
"""


def _entry(function: engine.Function) -> Iterator[str]:
    text, _, _ = function.doc.partition("Examples:\n")
    yield f"## `{function.usage}`\n"
    yield text.partition("\n")[2].strip() + "\n"
    yield "| expression | gives |\n|---|---|"
    yield from (f"| `{each.expression}` | `{each.result}` |" for each in examples(function.doc))
    yield ""
