"""An OpenAPI document: its text in, plain values with resolved references out.

Only what is asked for is looked at: vendors' documents are large, and not all of them are right in
every corner. References point inside the document; nothing is ever fetched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

MAX_BYTES: Final = 32 * 1024 * 1024
_MAX_HOPS: Final = 32
"""References that lead to references; a longer way is taken for a circle."""
_UNRESOLVED: Final[Mapping[str, Any]] = {}
"""What is known of a reference that leads nowhere: nothing, so nothing is said against it."""

Node = Mapping[str, Any]


class Unreadable(Exception):
    """A text that is no OpenAPI document. `line` and `column` count from 1, where known."""

    def __init__(
        self, message: str, *, hint: str, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, eq=False)
class OpenApi:
    """One document. `name` is what people know it by: a file, or a ConfigMap and its key."""

    name: str
    root: Node

    @property
    def title(self) -> str:
        """What the vendor calls the API."""
        return _text(_object(self.root.get("info")).get("title"))

    @property
    def version(self) -> str:
        """The vendor's version of the API."""
        return _text(_object(self.root.get("info")).get("version"))

    def resolved(self, node: Any) -> Node:
        """The object that a node is or refers to; an empty one where there is none."""
        for _ in range(_MAX_HOPS):
            if not isinstance(node, dict):
                return _UNRESOLVED
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            node = self._target(reference)
        return _UNRESOLVED

    def target(self, reference: str) -> Node:
        """The object that a reference points at."""
        return self.resolved({"$ref": reference})

    def objects(self, node: Any) -> Iterator[Node]:
        """The objects of a list, resolved."""
        for item in node if isinstance(node, list) else ():
            yield self.resolved(item)

    def _target(self, reference: str) -> Any:
        """What a JSON Pointer (RFC 6901) in a fragment points at."""
        if not reference.startswith("#/"):
            return None
        found: Any = self.root
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                return None
        return found


def read(text: bytes, *, name: str) -> OpenApi:
    """Read JSON or YAML; raises `Unreadable`."""
    if len(text) > MAX_BYTES:
        raise Unreadable(
            f"the document has {len(text)} bytes; at most {MAX_BYTES} are read",
            hint="take out the operations that no Route calls",
        )
    root = _parsed(text)
    if not isinstance(root, dict):
        raise _no_openapi()
    version = root.get("openapi")
    if "swagger" in root:
        raise Unreadable(
            f"this is Swagger {root['swagger']}, which came before OpenAPI 3",
            hint="convert it to OpenAPI 3, for instance with swagger2openapi, and use that",
        )
    if version is None:
        raise _no_openapi()
    if not str(version).startswith(("3.0", "3.1")):
        raise Unreadable(
            f"OpenAPI {version} is not supported", hint="use a document of OpenAPI 3.0 or 3.1"
        )
    if not isinstance(root.get("paths"), dict):
        raise Unreadable(
            "the document has no paths", hint="use the document that describes the operations"
        )
    return OpenApi(name, root)


def _no_openapi() -> Unreadable:
    return Unreadable(
        "this is no OpenAPI document: it has no field 'openapi'",
        hint="use the vendor's OpenAPI 3.0 or 3.1 file",
    )


def _parsed(text: bytes) -> Any:
    if text.lstrip()[:1] == b"{":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            # YAML's flow style begins like JSON, so YAML has the last word.
            first = fault
        try:
            return _yaml(text)
        except Unreadable:
            raise Unreadable(
                f"the document is not JSON: {first.msg}",
                hint="mend it there",
                line=first.lineno,
                column=first.colno,
            ) from first
    return _yaml(text)


def _yaml(text: bytes) -> Any:
    from isthmus_api.contracts import yaml_text

    return yaml_text.parse(text)


def _object(value: Any) -> Node:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def strings(value: Any) -> Sequence[str]:
    """The strings of a list; none where it is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
