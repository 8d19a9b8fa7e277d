"""A reader of JSONata's syntax that knows where everything stands.

The linter needs a tree whose nodes have places. jlens gives none to Python, and the nodes of
jsonata2py's parser carry no positions (0.1.3: `AstNode` is bare), so findings could not point at
anything; reading its private parser would also bind us to a young package at run time. JSONata's
grammar is small and has been still for years, so this is our own operator-precedence reader.

It is no judge: the engine has compiled the text before. It may accept more than JSONata does, and
raises `Unreadable` where it is lost; tests hold it to everything that the engine accepts.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from isthmus_api.expressions import tokens
from isthmus_api.expressions.tokens import Kind

_KEPT: Final = 8
"""Trees: the checks of one Mapping read its expression one after the other, some ten times."""


class Unreadable(Exception):
    """The text is beyond this reader."""


class Shape(enum.Enum):
    """What a node is, and what its children are."""

    NAME = "a field"
    VARIABLE = "a variable, $ and $$ among them"
    STRING = "a string"
    NUMBER = "a number"
    REGEX = "a regular expression"
    CONSTANT = "true, false or null"
    WILDCARD = "* or ** or the parent step %"
    PLACEHOLDER = "? in a partial call"
    BLOCK = "( ); the expressions"
    ARRAY = "[ ]; the items"
    OBJECT = "{ }; key, value, key, value …"
    RANGE = "from..to inside an array"
    NEGATE = "-x"
    TRANSFORM = "| |; pattern, update, deletion?"
    LAMBDA = "function; the body"
    CALL = "( ); callee, arguments …"
    PATH = "a.b; left, right"
    FILTER = "a[b]; source, predicate"
    FORCE = "a[]; source"
    GROUP = "a{ }; source, key, value …"
    FOCUS = "a@$v; source, variable"
    INDEX = "a#$i; source, variable"
    SORT = "a^( ); source, keys …"
    CONDITION = "a ? b : c"
    BIND = "$v := x; variable, value"
    BINARY = "any other operator; left, right"


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of syntax: its half-open place, its name or operator, what it is made of."""

    shape: Shape
    start: int
    end: int
    children: tuple[Node, ...] = ()
    text: str = ""
    parameters: tuple[Node, ...] = ()

    def source(self, whole: str) -> str:
        return whole[self.start : self.end]

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Give keys and values of an `OBJECT` or a `GROUP`."""
        members = self.children[1:] if self.shape is Shape.GROUP else self.children
        return zip(members[::2], members[1::2], strict=True)


@functools.lru_cache(maxsize=_KEPT)
def parse(source: str) -> Node:
    """Read a whole expression."""
    reader = _Reader(source)
    try:
        node = reader.expression(0)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    reader.expect_end()
    return node


_POWERS: Final = {
    **dict.fromkeys(("[", "(", "@", "#"), 80),
    ".": 75,
    "{": 70,
    **dict.fromkeys(("*", "/", "%"), 60),
    **dict.fromkeys(("+", "-", "&"), 50),
    **dict.fromkeys(("=", "!=", "<", ">", "<=", ">=", "in", "~>", "^", "??", "?:"), 40),
    "and": 30,
    "or": 25,
    "?": 20,
    ":=": 10,
}


def power(operator: str) -> int:
    """How strongly an operator binds what stands left of it."""
    return _POWERS.get(operator, 0)


_CONSTANTS: Final = frozenset({"true", "false", "null"})
_LAMBDAS: Final = frozenset({"function", "λ"})
_SIMPLE: Final = {
    Kind.NAME: Shape.NAME,
    Kind.VARIABLE: Shape.VARIABLE,
    Kind.STRING: Shape.STRING,
    Kind.NUMBER: Shape.NUMBER,
    Kind.REGEX: Shape.REGEX,
    Kind.WILDCARD: Shape.WILDCARD,
}


class _Reader:
    """Top-down operator precedence, as in the reference implementation."""

    def __init__(self, source: str) -> None:
        self._tokens = list(tokens.scan(source))
        self._at = 0

    def expression(self, power: int) -> Node:
        left = self._prefix()
        while self._power() > power:
            left = self._infix(left)
        return left

    def expect_end(self) -> None:
        if self._token.kind is not Kind.END:
            raise Unreadable(f"unexpected {self._token.text!r}")

    @property
    def _token(self) -> tokens.Token:
        return self._tokens[self._at]

    def _power(self) -> int:
        token = self._token
        return _POWERS.get(token.text, 0) if token.kind is Kind.OPERATOR else 0

    def _take(self, *operators: str) -> tokens.Token:
        token = self._token
        if operators and not token.is_operator(*operators):
            raise Unreadable(f"expected {' or '.join(operators)} before {token.text!r}")
        self._at += 1
        return token

    def _took(self, operator: str) -> bool:
        if not self._token.is_operator(operator):
            return False
        self._at += 1
        return True

    def _end(self) -> int:
        return self._tokens[self._at - 1].end

    def _prefix(self) -> Node:
        token = self._take()
        if token.kind is Kind.NAME and token.text in _LAMBDAS and self._token.is_operator("("):
            return self._lambda(token)
        if token.kind is Kind.NAME and token.text in _CONSTANTS:
            return Node(Shape.CONSTANT, token.start, token.end, text=token.text)
        if token.kind in _SIMPLE:
            text = token.text if token.kind is Kind.REGEX else tokens.unquoted(token)
            return Node(_SIMPLE[token.kind], token.start, token.end, text=text)
        if token.kind is not Kind.OPERATOR:
            raise Unreadable(f"unexpected {token.text!r}")
        return self._prefix_operator(token)

    def _prefix_operator(self, token: tokens.Token) -> Node:
        match token.text:
            case "(":
                children, shape = self._list(")", ";"), Shape.BLOCK
            case "[":
                children, shape = self._list("]", ","), Shape.ARRAY
            case "{":
                children, shape = self._members(), Shape.OBJECT
            case "-":
                children, shape = (self.expression(70),), Shape.NEGATE
            case "|":
                children, shape = self._transform(), Shape.TRANSFORM
            case "?":
                children, shape = (), Shape.PLACEHOLDER
            case _:
                raise Unreadable(f"unexpected {token.text!r}")
        return Node(shape, token.start, self._end(), children)

    def _infix(self, left: Node) -> Node:
        operator = self._take().text
        shape, children = self._right(operator)
        return Node(shape, left.start, self._end(), (left, *children), operator)

    def _right(self, operator: str) -> tuple[Shape, tuple[Node, ...]]:
        match operator:
            case "[" if self._took("]"):
                return Shape.FORCE, ()
            case "[":
                return Shape.FILTER, self._closed("]")
            case "(":
                return Shape.CALL, self._list(")", ",")
            case "{":
                return Shape.GROUP, self._members()
            case "@":
                return Shape.FOCUS, (self.expression(80),)
            case "#":
                return Shape.INDEX, (self.expression(80),)
            case "^":
                return Shape.SORT, self._sort_keys()
            case ".":
                return Shape.PATH, (self.expression(75),)
            case "?":
                return Shape.CONDITION, self._branches()
            case ":=":
                return Shape.BIND, (self.expression(9),)
            case _:
                return Shape.BINARY, (self.expression(_POWERS[operator]),)

    def _closed(self, closing: str) -> tuple[Node, ...]:
        inner = self.expression(0)
        self._take(closing)
        return (inner,)

    def _list(self, closing: str, separator: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._took(closing):
            items.append(self._item())
            if not self._token.is_operator(closing):
                self._take(separator)
        return tuple(items)

    def _item(self) -> Node:
        first = self.expression(0)
        if not self._took(".."):
            return first
        last = self.expression(0)
        return Node(Shape.RANGE, first.start, last.end, (first, last))

    def _members(self) -> tuple[Node, ...]:
        members: list[Node] = []
        while not self._took("}"):
            members.append(self.expression(0))
            self._take(":")
            members.append(self.expression(0))
            if not self._token.is_operator("}"):
                self._take(",")
        return tuple(members)

    def _branches(self) -> tuple[Node, ...]:
        then = self.expression(0)
        return (then, self.expression(0)) if self._took(":") else (then,)

    def _sort_keys(self) -> tuple[Node, ...]:
        self._take("(")
        keys: list[Node] = []
        while not self._took(")"):
            if self._token.is_operator("<", ">"):
                self._take()
            keys.append(self.expression(0))
            if not self._token.is_operator(")"):
                self._take(",")
        return tuple(keys)

    def _transform(self) -> tuple[Node, ...]:
        pattern = self.expression(0)
        self._take("|")
        parts = [pattern, self.expression(0)]
        if self._took(","):
            parts.append(self.expression(0))
        self._take("|")
        return tuple(parts)

    def _lambda(self, keyword: tokens.Token) -> Node:
        self._take("(")
        parameters = self._list(")", ",")
        self._skip_signature()
        self._take("{")
        body = self._closed("}")
        return Node(Shape.LAMBDA, keyword.start, self._end(), body, parameters=parameters)

    def _skip_signature(self) -> None:
        if not self._token.is_operator("<"):
            return
        depth = 0
        while self._token.kind is not Kind.END:
            text = self._take().text
            depth += {"<": 1, ">": -1}.get(text, 0)
            if depth == 0:
                return
