"""Places: where fields stand in a file, and the characters of the strings in them.

However a string is written (quoted, folded, indented), it differs from what it means in white space
and escapes only; so a place inside is found by counting what is neither.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

import yaml


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins, from line and column 1; `style` is how a string is written."""

    line: int
    column: int
    style: str | None = None

    @classmethod
    def of(cls, node: yaml.Node) -> Self:
        """The place of a node."""
        mark = node.start_mark
        return cls(mark.line + 1, mark.column + 1, getattr(node, "style", None))


@dataclass(frozen=True, slots=True)
class Mark:
    """One character of a string, as it is written in the file."""

    line: int
    column: int
    width: int


def offset(text: str, line: int, column: int) -> int:
    """Where a line and a column, from 1, are in a text."""
    start = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    return start + column - 1


def count(text: str) -> int:
    """How many characters of a text are no white space."""
    return len("".join(text.split()))


_WRITTEN: Final = {
    "'": re.compile(r"''|\S"),
    '"': re.compile(r"\\x..|\\u.{4}|\\U.{8}|\\.|\\$|\S"),
}
_PLAIN: Final = re.compile(r"\S")


def marks(lines: list[str], place: Place, *, wanted: int) -> list[Mark]:
    """Where the first `wanted` characters of a string stand that are no white space."""
    first, column = _beginning(lines, place)
    if place.style in ("|", ">"):
        first, column = first + 1, 0
    written = _PLAIN
    if place.style in _WRITTEN:
        written, column = _WRITTEN[place.style], column + 1
    found: list[Mark] = []
    for number in range(first, len(lines)):
        for each in written.finditer(lines[number], column):
            if len(found) == wanted:
                return found
            if place.style != '"' or not _is_space(each.group()):
                found.append(Mark(number + 1, each.start() + 1, len(each.group())))
        column = 0
    return found


_PROPERTIES: Final = re.compile(r"\s*([&!]\S*\s*)*")


def _beginning(lines: list[str], place: Place) -> tuple[int, int]:
    """The line and column, from 0, where a string begins after its anchor and its tag."""
    column = place.column - 1
    for number in range(place.line - 1, len(lines)):
        found = _PROPERTIES.match(lines[number], column)
        column = found.end() if found else column
        if column < len(lines[number]):
            return number, column
        column = 0
    return len(lines), 0


def _is_space(written: str) -> bool:
    """Whether an escape stands for white space, or for nothing at the end of a line."""
    if not written.startswith("\\"):
        return False
    code = written[2:]
    return chr(int(code, 16)).isspace() if code else written[1:] in " \ttnvrNLP_"
