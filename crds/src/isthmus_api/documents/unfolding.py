"""Unfolding: YAML nodes as plain values. Nothing is guessed: duplicate keys, keys that are not
strings, merge keys and tags are problems."""

import math
from typing import Any, Final

import yaml

from isthmus_api.documents.document import Document
from isthmus_api.documents.places import Place
from isthmus_api.documents.scalars import plain
from isthmus_api.documents.yaml_nodes import AS_WRITTEN, RESOLVE, Budget
from isthmus_api.problems import Code, Path, Problem


class Unfolding:
    """Turns YAML nodes into values, noting places, within a budget."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._budget = Budget()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of `node`, which stands at `path`."""
        self._budget.spend(node.start_mark, len(path))
        self._document.places[path] = Place.of(node)
        match node:
            case yaml.MappingNode():
                self._check_tag(node, "map", path)
                return self._mapping(node, path)
            case yaml.SequenceNode():
                self._check_tag(node, "seq", path)
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            case _:
                return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in found:
                message = f"the key '{key}' stands twice in one object"
                hint = "remove one of the two"
                self._problem(Code.DUPLICATE_KEY, message, hint, key_node, (*path, key))
                continue
            self._document.keys[(*path, key)] = Place.of(key_node)
            found[key] = self.value(value_node, (*path, key))
        return found

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        """The key as a string; nothing where it cannot be one."""
        if not isinstance(node, yaml.ScalarNode):
            hint = "write it as text, in quotes"
            self._problem(Code.INVALID_VALUE, "a key must be a string", hint, node, path)
            return None
        text = str(node.value)
        if node.tag == RESOLVE and text == "<<":
            message, hint = "merge keys (<<) are not read", "write the fields out"
            self._problem(Code.INVALID_VALUE, message, hint, node, path)
            return None
        if not isinstance(value := self._scalar(node, (*path, text)), str):
            message = f"the key {text} is read as {_named(value)}, not as a string"
            hint = f'quote it: "{text}"'
            self._problem(Code.INVALID_VALUE, message, hint, node, (*path, text))
        return text

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = str(node.value)
        tag = str(node.tag).removeprefix(_STANDARD)
        if tag in (AS_WRITTEN, "str", "timestamp"):
            return text
        value = plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            message, hint = f"JSON has no number {text}", f'quote it: "{text}"'
            self._problem(Code.INVALID_VALUE, message, hint, node, path)
        elif tag != RESOLVE and not isinstance(value, _TAGGED.get(tag, ())):
            self._check_tag(node, "", path)
        return value

    def _check_tag(self, node: yaml.Node, allowed: str, path: Path) -> None:
        tag = str(node.tag)
        if tag not in (AS_WRITTEN, RESOLVE, _STANDARD + allowed):
            written = f"!!{tag.removeprefix(_STANDARD)}" if tag.startswith(_STANDARD) else tag
            message = f"the tag {written} is not read here"
            self._problem(Code.INVALID_VALUE, message, "remove the tag", node, path)

    def _problem(self, code: Code, message: str, hint: str, node: yaml.Node, path: Path) -> None:
        place = self._document.location(Place.of(node))
        self._document.problems.append(Problem(code, message, hint=hint, path=path, location=place))


_STANDARD: Final = "tag:yaml.org,2002:"
_TAGGED: Final[dict[str, Any]] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "float": (int, float),
}


def _named(value: Any) -> str:
    if value is None:
        return "null"
    return f"the boolean {str(value).lower()}" if isinstance(value, bool) else "a number"
