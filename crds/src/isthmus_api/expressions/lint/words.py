"""Words: what the name of a field is made of, and which name a value goes by."""

from __future__ import annotations

import re
from typing import Final

from isthmus_api.expressions.syntax import Node, Shape

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def of(name: str) -> list[str]:
    """`grossPrice` and `gross_price` are gross and price."""
    return [word.lower() for word in _WORD.findall(name)]


def last_name(node: Node) -> str:
    """The name of the field or variable whose value this is; empty where it is none."""
    match node.shape:
        case Shape.NAME | Shape.VARIABLE:
            return node.text
        case Shape.PATH:
            return last_name(node.children[-1])
        case Shape.FILTER | Shape.FORCE | Shape.SORT:
            return last_name(node.children[0])
        case _:
            return ""
