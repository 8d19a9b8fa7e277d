"""Holes: the expressions in a string, between `{%` and `%}`.

`%}` ends an expression unless it stands inside a string, comment, quoted name or regular
expression, or `}` closes a brace that the expression opened. To write `{%` as text, put it into
an expression: `{% "{%" %}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from isthmus_api.expressions import engine, tokens

OPEN: Final = "{%"
CLOSE: Final = "%}"


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression in a template: its text, and where that begins in the whole string."""

    source: str
    offset: int


def cut(text: str) -> Iterator[str | Hole]:
    """Literal text and holes in turn; raises `SyntaxFault` for one that is empty or not closed."""
    at = 0
    while (begin := text.find(OPEN, at)) >= 0:
        if begin > at:
            yield text[at:begin]
        end = _end(text, begin + len(OPEN))
        yield _hole(text, begin, end)
        at = end + len(CLOSE)
    if at < len(text):
        yield text[at:]


def _hole(text: str, begin: int, end: int) -> Hole:
    inner = text[begin + len(OPEN) : end]
    if not inner.strip():
        raise engine.SyntaxFault(
            "the template holds no expression",
            code="TemplateEmpty",
            source=text,
            offset=begin,
            hint="write JSONata between {% and %}",
        )
    return Hole(inner, begin + len(OPEN))


def _end(text: str, start: int) -> int:
    """Find the `%}` that ends the expression beginning at `start`.

    A `%}` inside braces can be a parent step and a closing brace (`{"of": %}`), so the first one
    outside of them is taken; where there is none the braces are wrong, and the engine will say how.
    """
    inside_braces: int | None = None
    depth = 0
    for token in tokens.scan(text, start):
        if token.text == "%" and text.startswith(CLOSE, token.start):
            if depth == 0:
                return token.start
            inside_braces = inside_braces or token.start
        if token.kind is tokens.Kind.OPERATOR:
            depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.kind is tokens.Kind.BROKEN and inside_braces is None:
            # An open string or comment: end where the author meant to, and let the engine tell.
            broken_end = text.find(CLOSE, token.start)
            inside_braces = broken_end if broken_end >= 0 else None
    if inside_braces is not None:
        return inside_braces
    raise engine.SyntaxFault(
        "the template opens an expression and does not close it",
        code="TemplateUnclosed",
        source=text,
        offset=start - len(OPEN),
        hint="end the expression with %}",
    )
