"""Gaps: what stands between the tokens of an expression, white space and comments.

A comment belongs to the token behind it, unless it stands on the line of the one before it: behind
a value, or at the end of a line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from isthmus_api.expressions.tokens import Kind, Token

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLANKS: Final = re.compile(r"[ \t\r]+\n")
_BLANK_LINE: Final = re.compile(r"\n[ \t\r\v]*\n")
_CLOSING: Final = frozenset({")", "]", "}"})


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment without blanks at the ends of its lines, and whether a line ended around it."""

    text: str
    begins_line: bool
    ends_line: bool


class Gaps:
    """The gaps of an expression; a token is named by its number."""

    def __init__(self, source: str, tokens: Sequence[Token]) -> None:
        ends = (0, *(token.end for token in tokens))
        self._tokens = tokens
        self._gaps = [source[end : token.start] for end, token in zip(ends, tokens, strict=False)]
        self._comments = [_comments(gap) for gap in self._gaps]

    @property
    def comments(self) -> list[str]:
        """All comments, in order."""
        return [each.text for found in self._comments for each in found]

    def behind(self, number: int) -> list[Comment]:
        """Comments that belong to the token before them."""
        token = self._tokens[number]
        is_value = token.kind is not Kind.OPERATOR or token.text in _CLOSING
        found = itertools.takewhile(
            lambda each: not each.begins_line and (is_value or each.ends_line),
            self._comments[number + 1],
        )
        return list(found)

    def before(self, number: int) -> list[Comment]:
        """Comments that belong to the token behind them."""
        taken = len(self.behind(number - 1)) if number else 0
        return self._comments[number][taken:]

    def is_line_ended(self, number: int) -> bool:
        """Whether there is a line feed behind a token, other than inside a comment."""
        return "\n" in _COMMENT.sub("", self._gaps[number + 1])

    def is_line_left_empty(self, number: int) -> bool:
        """Whether there is an empty line before a token."""
        return _BLANK_LINE.search(self._gaps[number]) is not None

    def have_lines(self, first: int, last: int) -> bool:
        """Whether there is a comment or a line feed between tokens from `first` to `last`."""
        return any("\n" in gap or "/*" in gap for gap in self._gaps[first + 1 : last + 1])


def _comments(gap: str) -> list[Comment]:
    found: list[Comment] = []
    at = 0
    matches = list(_COMMENT.finditer(gap))
    for number, match in enumerate(matches):
        end = matches[number + 1].start() if number + 1 < len(matches) else len(gap)
        behind = gap[match.end() : end]
        text = _BLANKS.sub("\n", match.group())
        found.append(Comment(text, "\n" in gap[at : match.start()], "\n" in behind))
        at = match.end()
    return found
