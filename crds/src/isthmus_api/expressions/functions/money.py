"""Money: exact decimal arithmetic on amounts."""

import decimal
import re
from collections.abc import Mapping
from typing import Any, Final

from isthmus_api.expressions.functions.arguments import FunctionError, kind, shown

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
            f"argument {argument} must be a decimal string or a number, not {kind(value)}"
        )
    return repr(value)


def _rounded(amount: decimal.Decimal, scale: Any, mode: Any) -> decimal.Decimal:
    if isinstance(scale, bool) or not isinstance(scale, int | float):
        raise FunctionError(f"argument scale must be a number, not {kind(scale)}")
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
        raise FunctionError(f"argument mode must be one of {known}, not {shown(mode)}") from None


def _text(amount: decimal.Decimal) -> str:
    # No minus zero: "-0.00" is no amount.
    return format(amount if amount else amount.copy_abs(), "f")
