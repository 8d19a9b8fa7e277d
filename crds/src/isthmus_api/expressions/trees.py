"""Trees: free-form JSON with templates in its strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus_api import json_text
from isthmus_api.expressions import bodies, engine, templates
from isthmus_api.expressions.templates import CompiledTemplate, Variables


class CompiledTree:
    """Free-form JSON with templates in its strings, ready to run.

    What holds no template is shared, not copied: a tree without templates is given as it is, so
    the result must not be changed. Keys are never templates. A key whose value comes out undefined
    stays, with null.
    """

    __slots__ = ("_constant_json", "_node", "is_constant")

    def __init__(
        self,
        tree: Any,
        compiler: engine.Engine,
        functions: Mapping[str, engine.Function] = engine.NO_FUNCTIONS,
    ) -> None:
        self._node = _compiled_node(tree, "", compiler, functions)
        self.is_constant = isinstance(self._node, _Constant)
        self._constant_json = json_text.encode(tree) if self.is_constant else None

    def reads(self) -> tuple[engine.Reads, ...]:
        """Give what each expression in the tree reads."""
        return tuple(self._node.reads())

    def value(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> Any:
        """Give the tree with every template replaced by its value."""
        return self._node.value(body, variables, now, seed)

    def json(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
        """Give the tree as JSON text; `None` where it is one template that gives nothing."""
        if self._constant_json is not None:
            return self._constant_json
        if isinstance(self._node, _Leaf):
            return self._node.template.json(body, variables, now=now, seed=seed)
        value = self._node.value(body, variables, now, seed)
        return json_text.encode(value, body.large)


@dataclass(frozen=True, slots=True)
class _Constant:
    constant: Any

    def value(self, *_: Any) -> Any:
        return self.constant

    def reads(self) -> Iterator[engine.Reads]:
        return iter(())


@dataclass(frozen=True, slots=True)
class _Leaf:
    template: CompiledTemplate
    path: str

    def value(self, body: bodies.Body, variables: Variables | None, now: Any, seed: Any) -> Any:
        try:
            return self.template.value(body, variables, now=now, seed=seed)
        except engine.ExpressionError as error:
            raise error.at(self.path) from error

    def reads(self) -> Iterator[engine.Reads]:
        return iter(self.template.reads())


@dataclass(frozen=True, slots=True)
class _Object:
    members: tuple[tuple[str, _Node], ...]

    def value(self, body: bodies.Body, variables: Variables | None, now: Any, seed: Any) -> Any:
        return {key: node.value(body, variables, now, seed) for key, node in self.members}

    def reads(self) -> Iterator[engine.Reads]:
        return (reads for _, node in self.members for reads in node.reads())


@dataclass(frozen=True, slots=True)
class _Array:
    items: tuple[_Node, ...]

    def value(self, body: bodies.Body, variables: Variables | None, now: Any, seed: Any) -> Any:
        return [node.value(body, variables, now, seed) for node in self.items]

    def reads(self) -> Iterator[engine.Reads]:
        return (reads for node in self.items for reads in node.reads())


_Node = _Constant | _Leaf | _Object | _Array


def _compiled_node(
    tree: Any, path: str, compiler: engine.Engine, functions: Mapping[str, engine.Function]
) -> _Node:
    if isinstance(tree, str):
        return _compiled_leaf(tree, path, compiler, functions)
    if isinstance(tree, Mapping):
        members = tuple(
            (key, _compiled_node(inner, _member_path(path, key), compiler, functions))
            for key, inner in tree.items()
        )
        return _folded(tree, _Object(members), [node for _, node in members])
    if isinstance(tree, Sequence):
        items = tuple(
            _compiled_node(inner, f"{path}[{index}]", compiler, functions)
            for index, inner in enumerate(tree)
        )
        return _folded(tree, _Array(items), items)
    return _Constant(tree)


def _compiled_leaf(
    text: str, path: str, compiler: engine.Engine, functions: Mapping[str, engine.Function]
) -> _Node:
    try:
        template = templates.parse(text).compile(compiler, functions)
    except engine.ExpressionError as error:
        raise error.at(path) from error
    return _Constant(text) if template.is_constant else _Leaf(template, path)


def _folded(tree: Any, node: _Node, inner: Sequence[_Node]) -> _Node:
    return _Constant(tree) if all(isinstance(each, _Constant) for each in inner) else node


def _member_path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
