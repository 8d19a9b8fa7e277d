"""Patterns: regular expressions that take exponential time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from isthmus_api.expressions.lint.site import Finding, Site
from isthmus_api.expressions.syntax import Shape


def nested_quantifier(site: Site) -> Iterator[Finding]:
    """`(a+)+` takes exponential time on text that almost matches."""
    if site.node.shape is Shape.REGEX and _has_nested_quantifier(site.node.text):
        yield site.finding(
            "warning",
            "RegexUnbounded",
            "a repeated group repeats inside, which takes exponential time on some text",
            "repeat once, as in a+ for (a+)+, or give bounds such as {1,20}",
        )


_REGEX_TOKEN: Final = re.compile(
    r"\\.|\[(?:[^\]\\]|\\.)*\]|\{(?P<low>\d+)(?P<open>,?)(?P<high>\d*)\}|.", re.DOTALL
)


def _has_nested_quantifier(pattern: str) -> bool:
    # One entry for each open group: whether something in it repeats without bound.
    repeats, closed = [False], False
    for found in _REGEX_TOKEN.finditer(pattern):
        mark = found.group()
        unbounded = mark in "*+" or (found["open"] == "," and not found["high"])
        if unbounded and closed:
            return True
        repeats[-1] |= unbounded
        closed = False
        if mark == "(":
            repeats.append(False)
        elif mark == ")" and len(repeats) > 1:
            closed = repeats.pop()
            repeats[-1] |= closed
    return False
