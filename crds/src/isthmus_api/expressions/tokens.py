"""Cuts JSONata text into tokens that know where they stand.

The engine decides what is valid; this scanner serves what an engine does not tell: where an
expression ends inside a template, and where in the text the linter's findings are. It therefore
never fails: what it cannot read becomes a token of kind `BROKEN` that reaches to the end.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


class Kind(enum.Enum):
    """What a token is, as far as a reader of syntax must know."""

    NAME = enum.auto()
    VARIABLE = enum.auto()
    STRING = enum.auto()
    NUMBER = enum.auto()
    REGEX = enum.auto()
    WILDCARD = enum.auto()
    OPERATOR = enum.auto()
    BROKEN = enum.auto()
    END = enum.auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token: `text` as written, and its half-open place in the source."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_operator(self, *texts: str) -> bool:
        return self.kind is Kind.OPERATOR and self.text in texts


_SKIP: Final = re.compile(r"(?:[ \t\n\r\v]+|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_QUOTED_NAME: Final = re.compile(r"`[^`]*`")
_REGEX_PIECE: Final = re.compile(r"\\.|[^\\]", re.DOTALL)
_REGEX_FLAGS: Final = re.compile(r"[im]*")
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_OPERATOR: Final = re.compile(r"\.\.|:=|!=|<=|>=|\*\*|~>|\?:|\?\?|[.\[\]{}(),@#;:?+\-*/%|=<>^&!~]")
_WORD: Final = re.compile(r"[^ \t\n\r\v.\[\]{}(),@#;:?+\-*/%|=<>^&!~]+")

_WORD_OPERATORS: Final = frozenset({"and", "or", "in"})
_WILDCARDS: Final = frozenset({"*", "**", "%"})
_CLOSING: Final = frozenset({")", "]", "}"})
_DEPTHS: Final = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def scan(source: str, start: int = 0) -> Iterator[Token]:
    """Give the tokens of `source` from `start` on, and `END` (or `BROKEN`) last.

    A slash begins a regular expression, and `*` or `%` is a step of a path, exactly where a value
    may begin; so the scanner remembers whether the token before completed a value.
    """
    at = _skip(source, start)
    after_value = False
    while at < len(source):
        token = _next(source, at, after_value)
        yield token
        if token.kind is Kind.BROKEN:
            return
        after_value = token.kind is not Kind.OPERATOR or token.text in _CLOSING
        at = _skip(source, token.end)
    yield Token(Kind.END, "", len(source), len(source))


def unquoted(token: Token) -> str:
    """Give the name that a plain or quoted name, a variable or a string token stands for."""
    match token.kind:
        case Kind.VARIABLE:
            return token.text[1:]
        case Kind.STRING:
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        case _:
            return token.text.strip("`")


def _skip(source: str, at: int) -> int:
    found = _SKIP.match(source, at)
    return found.end() if found else at


def _next(source: str, at: int, after_value: bool) -> Token:
    if source[at] == "/" and not after_value:
        return _regex(source, at)
    kind, pattern = _reader(source[at])
    found = pattern.match(source, at)
    if found is None:
        return Token(Kind.BROKEN, source[at:], at, len(source))
    text = found.group()
    if kind is Kind.OPERATOR and text in _WILDCARDS and not after_value:
        kind = Kind.WILDCARD
    if kind is Kind.NAME and text in _WORD_OPERATORS and after_value:
        kind = Kind.OPERATOR
    return Token(kind, text, at, found.end())


def _regex(source: str, at: int) -> Token:
    """Read a regular expression: to the first slash outside of all brackets, as JSONata does."""
    depth = 0
    for piece in _REGEX_PIECE.finditer(source, at + 1):
        if piece.group() == "/" and depth == 0:
            flags = _REGEX_FLAGS.match(source, piece.end())
            end = flags.end() if flags else piece.end()
            return Token(Kind.REGEX, source[at:end], at, end)
        depth += _DEPTHS.get(piece.group(), 0)
    return Token(Kind.BROKEN, source[at:], at, len(source))


def _reader(first: str) -> tuple[Kind, re.Pattern[str]]:
    if first in "\"'":
        return Kind.STRING, _STRING
    if first == "`":
        return Kind.NAME, _QUOTED_NAME
    if first == "$":
        return Kind.VARIABLE, _WORD
    if first in "0123456789":
        return Kind.NUMBER, _NUMBER
    if _OPERATOR.match(first):
        return Kind.OPERATOR, _OPERATOR
    return Kind.NAME, _WORD
