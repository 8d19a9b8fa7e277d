"""Where an output collapses, by its own shape and by the schema that it is to have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from isthmus_api.expressions.lint.site import STEPS, Schema, callee
from isthmus_api.expressions.syntax import Node, Shape

_SEQUENCES: Final = frozenset({"map", "filter", "each", "keys", "distinct", "spread", "match"})


def outcomes(node: Node) -> Iterator[Node]:
    """Give the nodes whose value may become the value of `node`."""
    match node.shape:
        case Shape.BLOCK if node.children:
            yield from outcomes(node.children[-1])
        case Shape.CONDITION:
            for branch in node.children[1:]:
                yield from outcomes(branch)
        case _:
            yield node


def makes_objects(node: Node) -> bool:
    """Tell whether this is a path that ends in an object for each item."""
    node = without_stages(node)
    if node.shape is not Shape.PATH:
        return False
    last = without_stages(node.children[1])
    return any(each.shape is Shape.OBJECT for each in outcomes(last))


def without_stages(node: Node) -> Node:
    while node.shape in (Shape.FORCE, Shape.SORT, Shape.FILTER):
        node = node.children[0]
    return node


def _is_sequence(node: Node) -> bool:
    """Tell whether the value collapses: everything that JSONata makes a sequence for."""
    name = callee(node)
    return node.shape in (STEPS - {Shape.GROUP}) or node.shape is Shape.NAME or name in _SEQUENCES


def collapsing(
    node: Node, schema: Schema, root: Schema, bindings: Mapping[str, Node]
) -> Iterator[Node]:
    """Find what collapses where the schema says array, following the shape of the output."""
    schema = _resolved(schema, root)
    wants_list = _says_array(schema)
    for each in outcomes(node):
        if each.shape is Shape.VARIABLE and each.text in bindings:
            rest = {name: value for name, value in bindings.items() if name != each.text}
            yield from collapsing(bindings[each.text], schema, root, rest)
            continue
        # A bare field hands on a list as it is; only steps and filters make a sequence of it.
        if wants_list and _is_sequence(each) and each.shape is not Shape.NAME:
            yield each
        yield from _inside(each, schema, root, bindings)


def _inside(
    node: Node, schema: Schema, root: Schema, bindings: Mapping[str, Node]
) -> Iterator[Node]:
    items = _member(schema, "items")
    match node.shape:
        case Shape.OBJECT:
            properties = _member(schema, "properties")
            for key, value in node.pairs():
                inner = _member(properties, key.text) if key.shape is Shape.STRING else {}
                yield from collapsing(value, inner, root, bindings)
        case Shape.ARRAY:
            for item in node.children:
                element = without_stages(item)
                element = element.children[1] if makes_objects(element) else item
                yield from collapsing(element, items, root, bindings)
        case Shape.PATH:
            yield from collapsing(node.children[1], items or schema, root, bindings)
        case _:
            return


def _says_array(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "array" or (isinstance(kind, list) and "array" in kind) or "items" in schema


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a local reference, once: a schema that refers in circles is not ours to judge."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target: Schema = root
    for key in reference[2:].split("/"):
        target = _member(target, key)
    return target


def _member(schema: Schema, key: str) -> Schema:
    inner = schema.get(key)
    return inner if isinstance(inner, Mapping) else {}


def bindings(root: Node) -> Mapping[str, Node]:
    """Give the variables that are assigned exactly once, with what they are assigned."""
    assigned: dict[str, list[Node]] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        if node.shape is Shape.BIND:
            assigned.setdefault(node.children[0].text, []).append(node.children[1])
    return {name: values[0] for name, values in assigned.items() if len(values) == 1}
