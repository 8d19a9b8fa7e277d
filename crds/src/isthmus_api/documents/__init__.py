"""YAML documents as plain values, with the place of every field.

The text is read the way `kubectl` reads it: YAML 1.1 as Go's yaml.v2 has it, where `y` is a boolean
and `12:30` is text. But nothing is guessed: duplicate keys, keys that are not strings, merge keys
and tags are problems. JSON is read too, as it is YAML.

A text may come from anyone, so what it unfolds to is bounded before it is built.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from isthmus_api.documents import mistakes
from isthmus_api.documents.document import Document, is_list
from isthmus_api.documents.unfolding import Unfolding
from isthmus_api.documents.yaml_nodes import MAX_DEPTH, MAX_NODES, nodes
from isthmus_api.model import GROUP
from isthmus_api.problems import Problem
from isthmus_api.resources import KINDS

__all__ = ["MAX_DEPTH", "MAX_NODES", "Document", "is_config_map", "nodes", "read"]


def read(text: str, *, file: str) -> Iterator[Document | Problem]:
    """The documents of a text; after a problem there are none."""
    text = _as_yaml(text) if text.lstrip().startswith("{") else text
    lines = text.splitlines()
    try:
        for node in nodes(text):
            document = Document(file=file, lines=lines)
            if _may_be_ours(node):
                document.value = Unfolding(document).value(node, ())
            yield document
    except yaml.MarkedYAMLError as fault:
        yield mistakes.of_parser(fault, file, lines)
    except yaml.reader.ReaderError as fault:
        yield mistakes.of_reader(fault, text, file)


_JSON_ONLY: Final = re.compile(
    r"\\u(d[89ab]..)\\u(d[c-f]..)|\\.|[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", re.IGNORECASE
)


def _as_yaml(json: str) -> str:
    """Write in the way of YAML what only JSON has in its strings: escapes of two halves
    (`\\ud83d\\ude00`), and characters that YAML wants escaped."""

    def written(found: re.Match[str]) -> str:
        if found[1]:
            return chr(0x10000 + (int(found[1], 16) - 0xD800 << 10) + int(found[2], 16) - 0xDC00)
        return found[0] if len(found[0]) > 1 else f"\\u{ord(found[0]):04x}"

    return _JSON_ONLY.sub(written, json)


def _may_be_ours(node: yaml.Node) -> bool:
    """Whether a document is worth unfolding: what is not ours is left alone, whatever is in it.

    ConfigMaps are read: Connectors may name them.
    """
    if not isinstance(node, yaml.MappingNode):
        return False
    head = {key.value: value.value for key, value in node.value if _are_scalars(key, value)}
    kind, version = head.get("kind"), head.get("apiVersion")
    if is_config_map(kind, version):
        return True
    return is_list(kind) or (kind in KINDS if version is None else version.startswith(GROUP))


def is_config_map(kind: Any, version: Any) -> bool:
    """Whether an object may hold rows of tables."""
    return (kind, version) == ("ConfigMap", "v1")


def _are_scalars(*nodes: yaml.Node) -> bool:
    return all(isinstance(node, yaml.ScalarNode) for node in nodes)
