"""Options: the object that a function takes as its last argument."""

from typing import Any

from isthmus_api.expressions.functions.arguments import FunctionError, kind, shown


def read(value: Any, known: frozenset[str]) -> dict[str, Any]:
    """The options as given; one that the function does not know is refused."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FunctionError(f"argument options must be an object, not {kind(value)}")
    for name in value:
        if name not in known:
            raise FunctionError(
                f"there is no option {shown(name)}; there are: {', '.join(sorted(known))}"
            )
    return value


def flag(given: dict[str, Any], name: str, *, default: bool) -> bool:
    """An option that is true or false."""
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise FunctionError(f"option {name} must be true or false, not {kind(value)}")
    return value


def text(given: dict[str, Any], name: str, default: str) -> str:
    """An option that is a string."""
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise FunctionError(f"option {name} must be a string, not {kind(value)}")
    return value


def character(given: dict[str, Any], name: str, default: str) -> str:
    """An option that is one character, and none that a row or a quote needs."""
    value = text(given, name, default)
    if len(value) != 1 or value in '\r\n"':
        raise FunctionError(f"option {name} must be one character, and no quote or line end")
    return value


def texts(given: dict[str, Any], name: str) -> list[str]:
    """An option that is a list of strings."""
    value = given.get(name)
    if value is None:
        return []
    # JSONata makes a single value of a list of one, in some places.
    found = value if isinstance(value, list) else [value]
    for each in found:
        if not isinstance(each, str):
            raise FunctionError(f"option {name} must hold strings, not {kind(each)}")
    return found
