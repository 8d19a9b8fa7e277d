"""Numbers: digits that do not survive being one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from isthmus_api.expressions.lint import words
from isthmus_api.expressions.lint.site import Finding, Site
from isthmus_api.expressions.syntax import Shape

_ID_LAST: Final = frozenset(
    {
        *("id", "ids", "uuid", "ean", "gtin", "sku", "barcode", "reference", "ref", "number"),
        *("no", "key"),
    }
)


def number_of_id(site: Site) -> Iterator[Finding]:
    """Ids are digits, not quantities: beyond 2^53 a number changes them."""
    if site.callee != "number" or len(site.node.children) < 2:
        return
    argument = site.node.children[1]
    parts = words.of(words.last_name(argument))
    if parts and parts[-1] in _ID_LAST:
        written = site.subject.text(argument)
        yield site.finding(
            "warning",
            "NumberOfId",
            f"{written} looks like an id, and a number keeps only 15 to 16 digits of it",
            f"$string({written})",
        )


def large_literal(site: Site) -> Iterator[Finding]:
    """A literal beyond 2^53 is not the number that was written."""
    node = site.node
    if node.shape is Shape.NUMBER and node.text.isdigit() and _is_beyond_exact(node.text):
        yield site.finding(
            "warning", "NumberTooLarge", "integers beyond 2^53 are not exact", f'"{node.text}"'
        )


def _is_beyond_exact(digits: str) -> bool:
    return len(digits) > 16 or int(digits) > 2**53
