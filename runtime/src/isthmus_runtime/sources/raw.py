"""Raw: the list that a page came with, when the expression for its records leaves some out.

`items[status = 'paid']` may give nothing of a page that has a hundred items, and the next page may
be full of paid ones. So pages are counted by `items`, the path in front of whatever chooses.
"""

from isthmus_api.expressions import syntax
from isthmus_api.expressions.syntax import Node, Shape

_CHOOSING = frozenset({Shape.FILTER, Shape.FORCE, Shape.GROUP, Shape.SORT, Shape.INDEX})
_PLAIN = frozenset({Shape.NAME, Shape.VARIABLE, Shape.WILDCARD})
_FUNCTIONS = frozenset({"filter", "map", "sort", "reverse", "distinct", "shuffle"})


def of(expression: str) -> str | None:
    """The path that an expression for records begins with; nothing where it does with none."""
    try:
        return _leading(syntax.parse(expression), expression)[0]
    except syntax.Unreadable:
        return None


def _leading(node: Node, whole: str) -> tuple[str | None, bool]:
    """The path, and whether it is all of the node, so that it may go on."""
    match node.shape:
        case shape if shape in _PLAIN:
            return node.source(whole), True
        case shape if shape in _CHOOSING:
            return _leading(node.children[0], whole)[0], False
        case Shape.PATH:
            return _path(node, whole)
        case Shape.ARRAY | Shape.BLOCK if len(node.children) == 1:
            return _leading(node.children[0], whole)[0], False
        case Shape.CALL if node.children[0].text in _FUNCTIONS and len(node.children) > 1:
            return _leading(node.children[1], whole)[0], False
        case _:
            return None, False


def _path(node: Node, whole: str) -> tuple[str | None, bool]:
    left, goes_on = _leading(node.children[0], whole)
    if not goes_on:
        return left, False
    right, goes_on = _leading(node.children[1], whole)
    return (left, False) if right is None else (f"{left}.{right}", goes_on)
