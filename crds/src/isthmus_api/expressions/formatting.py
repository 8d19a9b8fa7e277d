"""Formatting: an expression laid out in one way, whoever wrote it.

Only the white space between tokens changes, so what comes out means the same; that the tokens and
the comments are those that went in is seen to each time, and so is that formatting again changes
nothing. Braces and brackets stay open when their author put a line feed behind the opening one, and
single empty lines between entries stay.

The formatter that there is, a plug-in of Prettier, needs Node, and the reference implementation's
parser, which drops comments.
"""

from __future__ import annotations

from typing import Final

from isthmus_api.expressions import layout, syntax, tokens, typesetting
from isthmus_api.expressions.gaps import Gaps
from isthmus_api.expressions.tokens import Kind

WIDTH: Final = 90
"""Characters of a line, where it can be broken: an expression stands indented in a manifest."""

_PASSES: Final = 4
"""A comment may move once or twice until it stands still."""


class Unformattable(Exception):
    """The expression is left as it is; the text says why."""


def formatted(source: str, *, width: int = WIDTH) -> str:
    """The expression in its layout; `Unformattable` where it must stay as it is."""
    try:
        settled = _settled(source, width)
    except syntax.Unreadable as error:
        raise Unformattable(f"it cannot be read: {error}") from error
    except RecursionError as error:
        raise Unformattable("it nests too deeply") from error
    if settled is None or _essence(settled) != _essence(source):
        raise Unformattable("a comment stands where it cannot be kept")
    return settled


def _settled(source: str, width: int) -> str | None:
    """The layout that stays when it is laid out again; nothing where there is none."""
    for _ in range(_PASSES):
        before, source = source, _laid_out(source, width)
        if source == before:
            return source
    return None


def _essence(source: str) -> tuple[list[tuple[Kind, str]], list[str]]:
    """All but the white space: tokens, and comments."""
    found = list(tokens.scan(source))
    return [(each.kind, each.text) for each in found], Gaps(source, found).comments


def _laid_out(source: str, width: int) -> str:
    return layout.written(typesetting.document(source), width)
