"""The walk: every node of an expression, with the names that are known where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus_api.expressions.lint.site import STEPS, Scope, Site, Subject
from isthmus_api.expressions.syntax import Node, Shape


def sites(root: Node, subject: Subject) -> Iterator[Site]:
    """Each node, those around others first; bodies of functions come after what is around them."""
    scope = Scope(names=set(subject.variables) | {"", "$"})
    yield from _visit(root, (), scope, subject)
    yield from _visit_later(scope, subject)


def _visit(node: Node, parents: tuple[Node, ...], scope: Scope, subject: Subject) -> Iterator[Site]:
    yield Site(node, parents, scope, subject)
    inner = (*parents, node)
    match node.shape:
        case Shape.LAMBDA:
            scope.frame.later.append((node, inner, scope))
        case Shape.BIND:
            yield from _visit(node.children[1], inner, scope, subject)
            scope.frame.names.add(node.children[0].text)
        case Shape.BLOCK:
            block = Scope(scope)
            yield from _visit_all(node.children, inner, block, subject)
            yield from _visit_later(block, subject)
        case shape if shape in STEPS:
            yield from _visit_step(node, inner, scope, subject)
        case _:
            yield from _visit_all(node.children, inner, scope, subject)


def _visit_step(
    node: Node, inner: tuple[Node, ...], scope: Scope, subject: Subject
) -> Iterator[Site]:
    parent = inner[-2] if len(inner) > 1 else None
    continues = parent is not None and parent.shape in STEPS and parent.children[0] is node
    path = scope if continues else Scope(scope, is_frame=False)
    if node.shape in (Shape.FOCUS, Shape.INDEX):
        yield from _visit(node.children[0], inner, path, subject)
        path.names.add(node.children[1].text)
    else:
        yield from _visit_all(node.children, inner, path, subject)


def _visit_all(
    nodes: Iterable[Node], parents: tuple[Node, ...], scope: Scope, subject: Subject
) -> Iterator[Site]:
    for node in nodes:
        yield from _visit(node, parents, scope, subject)


def _visit_later(frame: Scope, subject: Subject) -> Iterator[Site]:
    while frame.later:
        node, parents, scope = frame.later.pop(0)
        body = Scope(scope, names={parameter.text for parameter in node.parameters})
        yield from _visit_all(node.children, parents, body, subject)
        yield from _visit_later(body, subject)
