"""Typesetting: the document of an expression, with the places where a line may end.

Every token stands in it once and in order, and every comment beside its token; so whatever is wrong
here, an expression does not mean something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, cast

from isthmus_api.expressions import layout, syntax, tokens
from isthmus_api.expressions.gaps import Comment, Gaps
from isthmus_api.expressions.layout import Doc, group, indent, seq
from isthmus_api.expressions.syntax import Node, Shape

_HUGGED_WIDTH: Final = 40
"""Characters before a bracket that is not put on a line of its own."""

_Item = int | Node
"""A token of a node's own, by its number, or one of its children."""


def document(source: str) -> Doc:
    """The document of an expression; raises `syntax.Unreadable`."""
    return _Typesetter(source).whole()


class _Typesetter:
    """An expression, with its tokens by number and by place."""

    def __init__(self, source: str) -> None:
        self._root = syntax.parse(source)
        self._tokens = list(tokens.scan(source))
        self._gaps = Gaps(source, self._tokens)
        self._first = {token.start: number for number, token in enumerate(self._tokens)}
        self._last = {token.end: number for number, token in enumerate(self._tokens[:-1])}
        self._outermost = {self._first[node.start]: node for node in reversed(_flat(self._root))}

    def whole(self) -> Doc:
        """The document of the whole expression."""
        tail = (_at_the_end(each) for each in self._gaps.before(len(self._tokens) - 1))
        return seq(self._node(self._root), *tail)

    # Tokens and comments

    def _token(self, number: int, *, without_comments: bool = False) -> Doc:
        is_told = without_comments or number in self._outermost
        before = () if is_told else map(_before, self._gaps.before(number))
        return seq(*before, self._text(number), *map(_behind, self._gaps.behind(number)))

    def _text(self, number: int) -> str:
        return self._tokens[number].text

    # Nodes

    def _items(self, node: Node) -> list[_Item]:
        """The node's own tokens and its children, in the order of the source."""
        inner = {each.start: each for each in (*node.parameters, *node.children)}
        items: list[_Item] = []
        number, last = self._first[node.start], self._last[node.end]
        while number <= last:
            child = inner.get(self._tokens[number].start)
            items.append(child or number)
            number = self._last[child.end] + 1 if child else number + 1
        return items

    def _item(self, item: _Item) -> Doc:
        return self._token(item) if isinstance(item, int) else self._node(item)

    def _joined(self, items: Sequence[_Item]) -> Doc:
        return seq(*map(self._item, items))

    def _node(self, node: Node) -> Doc:
        return seq(*self._comments_before(node), self._without_comments(node))

    def _comments_before(self, node: Node) -> Iterator[Doc]:
        """Comments before the outermost node that begins with a token: they break no group."""
        first = self._first[node.start]
        if self._outermost[first] is node:
            yield from map(_before, self._gaps.before(first))

    def _without_comments(self, node: Node) -> Doc:
        items = self._items(node)
        match node.shape:
            case Shape.BLOCK | Shape.ARRAY | Shape.OBJECT:
                return self._bracketed(items, keeps_open=node.shape is not Shape.ARRAY)
            case Shape.CALL | Shape.FILTER | Shape.SORT | Shape.GROUP:
                source, *rest = items
                opening = next(n for n, item in enumerate(rest) if self._opens(item))
                keeps_open = node.shape is Shape.GROUP
                own = self._bracketed(rest[opening:], keeps_open=keeps_open)
                return seq(self._item(source), self._joined(rest[:opening]), own)
            case Shape.LAMBDA:
                return self._lambda(items)
            case Shape.CONDITION:
                return self._condition(node)
            case Shape.BIND:
                name, sign, value = items
                return seq(self._item(name), " ", self._item(sign), " ", self._item(value))
            case Shape.BINARY:
                return self._binary(node)
            case Shape.TRANSFORM:
                return group(self._separated(items))
            case _:
                return self._joined(items)

    def _opens(self, item: _Item) -> bool:
        return isinstance(item, int) and self._text(item) in ("(", "[", "{")

    # Brackets

    def _bracketed(self, items: Sequence[_Item], *, keeps_open: bool) -> Doc:
        """`( )`, `[ ]` or `{ }` with what stands inside, on one line or on as many as it takes."""
        opening, *inner, last = items
        closing = cast(int, last)
        comments = [seq(layout.HARD, each.text) for each in self._gaps.before(closing)]
        if not inner:
            return self._empty(opening, comments, closing)
        is_kept = keeps_open and self._ends_line(opening)
        if not is_kept and not comments and self._may_hug(inner):
            content = self._separated(inner, is_flat=True)
            return seq(self._item(opening), content, self._token(closing))
        return group(
            self._item(opening),
            indent(
                *self._kept(opening, keeps_open), layout.EMPTY, self._separated(inner), *comments
            ),
            layout.EMPTY,
            self._token(closing, without_comments=True),
        )

    def _empty(self, opening: _Item, comments: Sequence[Doc], closing: int) -> Doc:
        """Brackets around nothing but comments."""
        end = self._token(closing, without_comments=True)
        lines = (indent(*comments), layout.HARD) if comments else ()
        return seq(self._item(opening), *lines, end)

    def _kept(self, opening: _Item, keeps_open: bool = True) -> Iterator[Doc]:
        """What keeps brackets open that their author has opened."""
        if keeps_open and self._ends_line(opening):
            yield layout.BROKEN

    def _separated(self, items: Sequence[_Item], *, is_flat: bool = False) -> Doc:
        """Entries with what separates them: `a, b`, `k: v` and `a; b`."""
        parts: list[Doc | str] = []
        for number, item in enumerate(items):
            parts.append(self._item(item))
            if number + 1 == len(items) or not isinstance(item, int):
                continue
            if self._text(item) in (",", ";"):
                parts.append(" " if is_flat else self._next_line(items[number + 1]))
            elif self._text(item) == ":":
                parts.append(" ")
        return seq(*parts)

    def _next_line(self, item: _Item) -> Doc:
        is_apart = self._gaps.is_line_left_empty(self._first_of(item))
        return layout.BLANK if is_apart else layout.SPACE

    def _first_of(self, item: _Item) -> int:
        return item if isinstance(item, int) else self._first[item.start]

    def _ends_line(self, item: _Item) -> bool:
        """Whether the author ended the line behind a token."""
        return isinstance(item, int) and self._gaps.is_line_ended(item)

    def _may_hug(self, inner: Sequence[_Item]) -> bool:
        """Whether brackets stand right at those of their last entry: `[items.{`, `$map(a, f(`."""
        *before, last = inner
        if not isinstance(last, Node) or not _is_open(last):
            return False
        if any(isinstance(each, int) and self._text(each) in (":", ";") for each in before):
            return False
        nodes = [each for each in before if isinstance(each, Node)]
        if any(_is_open(each) or self._has_lines(each) for each in nodes):
            return False
        ahead = (comment for each in inner for comment in self._gaps.before(self._first_of(each)))
        if any(comment.begins_line for comment in ahead):
            return False
        hugged = self._tokens[self._first_of(inner[0]) : self._first[_begins(last)]]
        return sum(len(token.text) for token in hugged) <= _HUGGED_WIDTH

    def _has_lines(self, node: Node) -> bool:
        return self._gaps.have_lines(self._first[node.start], self._last[node.end])

    # Operators

    def _binary(self, node: Node) -> Doc:
        """`a + b + c`, with the operators at the beginning of lines."""
        power = syntax.power(node.text)
        left, sign, right = self._items(node)
        steps = [(sign, right)]
        while (
            isinstance(left, Node)
            and left.shape is Shape.BINARY
            and syntax.power(left.text) == power
        ):
            left, sign, right = self._items(left)
            steps.append((sign, right))
        rest = (
            seq(layout.SPACE, self._item(sign), " ", self._item(right))
            for sign, right in reversed(steps)
        )
        return group(self._item(left), indent(*rest))

    def _condition(self, node: Node) -> Doc:
        """`a ? b : c ? d : e`, a line for each choice."""
        parts: list[Doc] = []
        ahead: Node | None = node
        colon: _Item | None = None
        while ahead and ahead.shape is Shape.CONDITION:
            condition, mark, then, *rest = self._items(ahead)
            choice = group(
                self._item(condition),
                indent(layout.SPACE, self._item(mark), " ", self._item(then)),
            )
            before = self._comments_before(ahead) if ahead is not node else ()
            parts.append(self._otherwise(colon, seq(*before, choice)))
            colon, ahead = (rest[0], ahead.children[2]) if rest else (None, None)
        if ahead:
            parts.append(self._otherwise(colon, self._node(ahead)))
        return group(parts[0], indent(*parts[1:]))

    def _otherwise(self, colon: _Item | None, doc: Doc) -> Doc:
        return doc if colon is None else seq(layout.SPACE, self._item(colon), " ", doc)

    def _lambda(self, items: Sequence[_Item]) -> Doc:
        """`function($a, $b) { … }`; a block as its body needs no lines of its own."""
        *head, opening, body, closing = items
        parts = seq(*self._head(head), " ")
        if isinstance(body, Node) and body.shape is Shape.BLOCK:
            return seq(parts, self._joined((opening, body, closing)))
        return group(
            parts,
            self._item(opening),
            indent(*self._kept(opening), layout.SPACE, self._item(body)),
            layout.SPACE,
            self._item(closing),
        )

    def _head(self, items: Sequence[_Item]) -> Iterator[Doc | str]:
        for item in items:
            yield self._item(item)
            if isinstance(item, int) and self._text(item) == ",":
                yield " "


def _flat(root: Node) -> list[Node]:
    """Every node, those around others first."""
    found, ahead = [], [root]
    while ahead:
        node = ahead.pop()
        found.append(node)
        ahead += (*node.parameters, *node.children)
    return found


def _before(comment: Comment) -> Doc:
    return seq(comment.text, layout.HARD if comment.ends_line else " ")


def _behind(comment: Comment) -> Doc:
    return seq(" ", comment.text, *((layout.BROKEN,) if comment.ends_line else ()))


def _at_the_end(comment: Comment) -> Doc:
    return seq(layout.HARD if comment.begins_line else " ", comment.text)


def _is_open(node: Node) -> bool:
    """Whether the last thing in a node is a bracket that can be broken."""
    match node.shape:
        case Shape.OBJECT | Shape.ARRAY | Shape.BLOCK:
            return bool(node.children)
        case Shape.LAMBDA | Shape.GROUP:
            return True
        case Shape.CALL:
            return len(node.children) > 1 and _is_open(node.children[-1])
        case Shape.PATH:
            return _is_open(node.children[1])
        case Shape.FORCE:
            return _is_open(node.children[0])
        case _:
            return False


def _begins(node: Node) -> int:
    """Where the bracket begins by which a node is open."""
    match node.shape:
        case Shape.PATH:
            return _begins(node.children[1])
        case Shape.FORCE:
            return _begins(node.children[0])
        case Shape.CALL:
            return _begins(node.children[-1])
        case _:
            return node.start
