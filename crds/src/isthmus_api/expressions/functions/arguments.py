"""Arguments of functions: what fits, and what a refusal says.

What a message body brings is told by its type only: error texts reach logs and alerts. What the
mapping's author wrote (a table, a mode, a zone) is shown.
"""

from typing import Any


class FunctionError(Exception):
    """A function refused its arguments; engines turn it into an `EvaluationFault`."""

    code = "D3199"


def string(value: Any, argument: str) -> str:
    if not isinstance(value, str):
        raise FunctionError(f"argument {argument} must be a string, not {kind(value)}")
    return value


def numeral(number: float) -> str:
    """A number as text: 3, not 3.0."""
    return str(int(number)) if number == int(number) else repr(number)


def kind(value: Any) -> str:
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


def shown(value: Any) -> str:
    if not isinstance(value, str):
        return kind(value)
    return repr(value if len(value) <= 40 else f"{value[:40]}…")
