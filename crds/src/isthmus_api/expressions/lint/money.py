"""Money: amounts that are worked on as binary fractions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from isthmus_api.expressions.lint import words
from isthmus_api.expressions.lint.site import Finding, Site, Subject, callee
from isthmus_api.expressions.syntax import Node, Shape

MONEY_WORDS: Final = frozenset(
    {
        *("price", "amount", "total", "subtotal", "net", "gross", "tax", "vat", "discount"),
        *("cost", "fee", "charge", "balance", "payment", "refund", "surcharge"),
    }
)
_NO_MONEY_LAST: Final = frozenset(
    {
        *("count", "hits", "percent", "percentage", "pct", "rate", "class", "code", "id", "name"),
        *("type", "pages", "items", "lines", "quantity", "qty", "number", "weight", "list", "date"),
        *("at", "cents", "minor", "elements", "results", "label", "text", "status", "method"),
    }
)
_MONEY_OPERATORS: Final = {
    "+": "$moneyAdd({}, {})",
    "-": "$moneySubtract({}, {})",
    "*": "$moneyMultiply({}, {})",
    "/": "$moneyDivide({}, {}, {scale})",
}
_MONEY_CALLS: Final = {"sum": "moneySum", "round": "moneyRound"}


def money_arithmetic(site: Site) -> Iterator[Finding]:
    """0.1 + 0.2 is 0.30000000000000004, and a tax comes out a cent short."""
    money = site.subject.money
    field_name = _money_name(site.node, money) if _is_money_work(site.node) else None
    # Only the outermost piece of work: its rewrite holds those within.
    around = (parent for parent in site.parents if _is_money_work(parent))
    if field_name is not None and not any(_money_name(parent, money) for parent in around):
        yield site.finding(
            "warning",
            "MoneyArithmetic",
            f"{field_name} looks like money, and numbers here are binary fractions",
            _money_rewrite(site.node, site.subject),
        )


def _is_money_work(node: Node) -> bool:
    return is_arithmetic(node) or callee(node) in _MONEY_CALLS


def is_arithmetic(node: Node) -> bool:
    """Whether a node adds, subtracts, multiplies or divides."""
    return node.shape is Shape.BINARY and node.text in _MONEY_OPERATORS


def _money_name(node: Node, money: frozenset[str]) -> str | None:
    """Find the first operand named like money, through everything that hands its value on."""
    match node.shape:
        case Shape.NAME | Shape.VARIABLE:
            return node.text if _is_money(node.text, money) else None
        case Shape.CALL if callee(node) in _MONEY_CALLS:
            return _money_name(node.children[1], money) if len(node.children) > 1 else None
        case Shape.BINARY if is_arithmetic(node):
            names = (_money_name(child, money) for child in node.children)
            return next((name for name in names if name), None)
        case Shape.PATH | Shape.BLOCK if node.children:
            return _money_name(node.children[-1], money)
        case Shape.NEGATE | Shape.FILTER | Shape.FORCE | Shape.SORT:
            return _money_name(node.children[0], money)
        case _:
            return None


def _is_money(name: str, money: frozenset[str]) -> bool:
    parts = words.of(name)
    return name in money or (
        not money.isdisjoint(parts) and bool(parts) and parts[-1] not in _NO_MONEY_LAST
    )


def _money_rewrite(node: Node, subject: Subject, scale: int = 2) -> str:
    """Write the node with $money functions. A quotient inside keeps ten decimals, the last two."""
    match node.shape:
        case Shape.BINARY if is_arithmetic(node):
            operands = (_money_rewrite(child, subject, 10) for child in node.children)
            return _MONEY_OPERATORS[node.text].format(*operands, scale=scale)
        case Shape.CALL if name := _MONEY_CALLS.get(callee(node) or ""):
            arguments = [_money_rewrite(child, subject, 10) for child in node.children[1:]]
            places = ["0"] if name == "moneyRound" and len(arguments) == 1 else []
            return f"${name}({', '.join([*arguments, *places])})"
        case Shape.PATH:
            source, step = node.children
            return f"{subject.text(source)}.{_money_rewrite(step, subject, scale)}"
        case Shape.BLOCK if len(node.children) == 1:
            inner = _money_rewrite(node.children[0], subject, scale)
            return inner if is_arithmetic(node.children[0]) else f"({inner})"
        case Shape.NEGATE:
            return f"$moneyMultiply({_money_rewrite(node.children[0], subject)}, -1)"
        case _:
            return subject.text(node)
