"""Sent: what is known of a value that a Route makes, before there is any.

Told from how it is written: literal JSON with templates in it, or an expression whose result has
fields that are written down. What depends on data is not known, and nothing is said against it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.contracts.shapes import type_of
from isthmus_api.expressions import engine, syntax, templates
from isthmus_api.expressions.syntax import Node, Shape


@dataclass(frozen=True, slots=True)
class Sent:
    """`types` are the JSON types that it may have, none where that is not known. `constant` is its
    JSON value where it is always the same scalar. `fields` are all that an object has."""

    types: frozenset[str] = frozenset()
    constant: tuple[Any, ...] = ()
    """The value, or nothing."""
    fields: Mapping[str, Sent] | None = None
    items: Sent | None = None


UNKNOWN: Final = Sent()

_RESULTS: Final = {
    **dict.fromkeys(("string", "join", "uppercase", "lowercase", "trim", "substring"), "string"),
    **dict.fromkeys(("replace", "now", "fromMillis", "formatNumber", "pad"), "string"),
    **dict.fromkeys(("number", "sum", "max", "min", "average", "floor", "ceil", "abs"), "number"),
    **dict.fromkeys(("count", "length", "millis"), "integer"),
    **dict.fromkeys(("boolean", "not", "exists", "contains"), "boolean"),
}
_OPERATORS: Final = {
    "&": "string",
    **dict.fromkeys(("+", "-", "*", "/", "%"), "number"),
    **dict.fromkeys(("=", "!=", "<", ">", "<=", ">=", "in", "and", "or"), "boolean"),
}


def of_tree(tree: Any) -> Sent:
    """What literal JSON becomes whose strings may be templates."""
    match tree:
        case dict():
            return Sent(
                frozenset({"object"}), fields={key: of_tree(value) for key, value in tree.items()}
            )
        case list() | tuple():
            items = [of_tree(item) for item in tree]
            same = items[0] if items and all(item == items[0] for item in items) else None
            return Sent(frozenset({"array"}), items=same)
        case str():
            return of_template(tree)
        case _:
            return _constant(tree)


def of_template(text: str) -> Sent:
    """What a string becomes that may hold templates."""
    try:
        parsed = templates.parse(text)
    except engine.ExpressionError:
        return UNKNOWN
    if parsed.is_typed:
        return of_expression(parsed.holes[0].source)
    return _constant(text) if parsed.is_constant else Sent(frozenset({"string"}))


def of_expression(source: str) -> Sent:
    """What an expression gives."""
    with contextlib.suppress(syntax.Unreadable):
        return _of(syntax.parse(source))
    return UNKNOWN


def _of(node: Node) -> Sent:
    match node.shape:
        case Shape.OBJECT:
            return _object(node)
        case Shape.ARRAY:
            items = _of(node.children[0]) if len(node.children) == 1 else None
            return Sent(frozenset({"array"}), items=items)
        case Shape.BLOCK if node.children:
            return _of(node.children[-1])
        case Shape.PATH if node.children[1].shape is Shape.OBJECT:
            # One object, or a list of them: the fields are the same.
            return Sent(fields=_of(node.children[1]).fields)
        case Shape.STRING:
            return _constant(node.text)
        case Shape.NUMBER:
            return _constant(float(node.text) if "." in node.text else int(float(node.text)))
        case Shape.CONSTANT:
            return _constant({"true": True, "false": False}.get(node.text))
        case Shape.BINARY if node.text in _OPERATORS:
            return Sent(frozenset({_OPERATORS[node.text]}))
        case Shape.CALL if node.children[0].text in _RESULTS:
            return Sent(frozenset({_RESULTS[node.children[0].text]}))
    return UNKNOWN


def _object(node: Node) -> Sent:
    pairs = list(node.pairs())
    if any(key.shape is not Shape.STRING for key, _ in pairs):
        return Sent(frozenset({"object"}))
    return Sent(frozenset({"object"}), fields={key.text: _of(value) for key, value in pairs})


def _constant(value: Any) -> Sent:
    return Sent(frozenset({type_of(value)}), constant=(value,))
