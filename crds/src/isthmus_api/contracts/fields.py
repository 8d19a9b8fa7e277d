"""Fields of answers and bodies: the way from a schema to one of its fields, and types that fit."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from isthmus_api.contracts.shapes import Shape


@dataclass(frozen=True, slots=True)
class Missing:
    """A field that a schema does not have."""

    path: str
    hint: str


def missing(shape: Shape, names: tuple[str, ...]) -> Missing | None:
    """The first field on the way that a schema does not have."""
    path = "$"
    for name in names:
        path = f"{elements(path, shape)}.{name}"
        found = shape.field(name)
        if found is None:
            return Missing(path, _there(name, shape.names))
        shape = found
    return None


def _there(name: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"it has: {', '.join(names[:20])}" if names else ""


def elements(path: str, shape: Shape) -> str:
    """The path of what a list holds."""
    while shape.is_list:
        path += "[]"
        if shape.items is None:
            break
        shape = shape.items
    return path


def are_taken(sent: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether a value of some types may be one that is wanted; not known is taken for yes."""
    given, taken = _numbers(sent), _numbers(wanted)
    return not given or not taken or bool(given & taken)


def added(old: frozenset[str], new: frozenset[str]) -> frozenset[str]:
    """The types that a value has not had before; a whole number is a number, too."""
    if not old or not new:
        return frozenset()
    known = old | {"integer"} if "number" in old else old
    return new - known


def listed(types: Iterable[str]) -> str:
    """Types as people read them."""
    return " or ".join(sorted(types))


def _numbers(types: Iterable[str]) -> frozenset[str]:
    return frozenset("number" if each == "integer" else each for each in types)
