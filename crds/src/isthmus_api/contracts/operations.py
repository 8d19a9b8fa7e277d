"""Operations of an OpenAPI document: what each takes and answers, and which one a call means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from isthmus_api.contracts.document import Node, OpenApi
from isthmus_api.contracts.shapes import Shape

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH")
HOLE: Final = "\0"
"""Stands for an expression in a path."""

_JSON: Final = re.compile(
    r"(application/([\w.+-]+\+)?json|text/json|\*/\*|application/\*)\s*(;.*)?", re.I
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation. `place` is query, header, path or cookie."""

    name: str
    place: str
    is_required: bool
    shape: Shape


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation: a method of a path."""

    document: OpenApi
    method: str
    path: str
    node: Node
    item: Node

    @property
    def name(self) -> str:
        """As people call it."""
        return f"{self.method} {self.path}"

    @property
    def id(self) -> str:
        """The vendor's own word for it, where there is one."""
        return str(self.node.get("operationId") or "")

    @property
    def summary(self) -> str:
        """One line of the vendor's."""
        return str(self.node.get("summary") or "")

    @property
    def tags(self) -> tuple[str, ...]:
        """The vendor's groups that it is in."""
        tags = self.node.get("tags")
        return tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it takes beside a body; its own ones count before those of its path."""
        found: dict[tuple[str, str], Parameter] = {}
        for node in (self.item, self.node):
            for each in self.document.objects(node.get("parameters")):
                parameter = self._parameter(each)
                found[parameter.place, parameter.name.lower()] = parameter
        return tuple(found.values())

    def _parameter(self, node: Node) -> Parameter:
        content = node.get("content")
        shape = Shape(self.document) if content else Shape.of(self.document, node.get("schema"))
        required = node.get("required") is True
        return Parameter(str(node.get("name")), str(node.get("in")), required, shape)

    @cached_property
    def body(self) -> Shape | None:
        """The JSON that it takes; nothing where it takes none, or nothing is said of it."""
        return self._json(self.document.resolved(self.node.get("requestBody")))

    @property
    def needs_body(self) -> bool:
        """Whether it refuses a request without a body."""
        return self.document.resolved(self.node.get("requestBody")).get("required") is True

    @cached_property
    def answers(self) -> tuple[Node, ...]:
        """The answers of success."""
        responses = self.document.resolved(self.node.get("responses"))
        good = [code for code in responses if re.fullmatch(r"2\d\d|2XX", str(code), re.I)]
        codes = good or [code for code in ("default",) if code in responses]
        return tuple(self.document.resolved(responses[code]) for code in codes)

    @cached_property
    def answer(self) -> Shape | None:
        """The JSON of a good answer; nothing where it is none, or nothing is said of it."""
        described = [schema for answer in self.answers if (schema := self._schema(answer))]
        return Shape.of(self.document, *described) if described else None

    @property
    def answers_json(self) -> bool | None:
        """Whether good answers with a body have JSON; nothing where no body is described."""
        contents = [answer["content"] for answer in self.answers if _object(answer.get("content"))]
        if not contents:
            return None
        return any(_JSON.fullmatch(str(kind)) for content in contents for kind in content)

    @property
    def security(self) -> tuple[Node, ...]:
        """The ways to prove who we are, of which one must be taken."""
        found = self.node.get("security", self.document.root.get("security"))
        return (
            tuple(each for each in found if isinstance(each, dict))
            if isinstance(found, list)
            else ()
        )

    def _json(self, node: Node) -> Shape | None:
        schema = self._schema(node)
        return Shape.of(self.document, schema) if schema is not None else None

    def _schema(self, node: Node) -> Any:
        for kind, media in _object(node.get("content")).items():
            if _JSON.fullmatch(str(kind)):
                return _object(media).get("schema")
        return None


def operations(document: OpenApi) -> Iterator[Operation]:
    """All operations, in the order of the document."""
    for path, node in document.root["paths"].items():
        item = document.resolved(node)
        for method in METHODS:
            if isinstance(own := item.get(method.lower()), dict):
                yield Operation(document, method, str(path), own, item)


class Directory:
    """The operations of a document, to be found by what a call says."""

    def __init__(self, document: OpenApi) -> None:
        self.document = document
        self.all = tuple(operations(document))
        self._by_length: dict[tuple[str, int], list[Operation]] = {}
        for each in self.all:
            self._by_length.setdefault((each.method, each.path.count("/")), []).append(each)
        self._prefixes = tuple(dict.fromkeys(_prefixes(document)))

    def find(self, method: str, path: str, *, base_url: str) -> Operation | None:
        """The operation of a call. `HOLE` stands for an expression in `path`.

        The path is taken as it is written, and then with that of baseUrl before it and without the
        path of a server of the document: vendors draw the line between the two in either place.
        """
        whole = urlsplit(base_url).path.rstrip("/") + path
        without = (whole[len(p) :] for p in self._prefixes if whole.startswith(f"{p}/"))
        for candidate in dict.fromkeys((path, *without)):
            found = [each for each in self._alike(method, candidate) if _fits(each.path, candidate)]
            if found:
                return min(found, key=lambda each: each.path.count("{"))
        return None

    def of_path(self, path: str, *, base_url: str) -> tuple[str, ...]:
        """The methods that a path has."""
        return tuple(m for m in METHODS if self.find(m, path, base_url=base_url))

    def _alike(self, method: str, path: str) -> list[Operation]:
        return self._by_length.get((method, path.count("/")), [])


def _prefixes(document: OpenApi) -> Iterator[str]:
    yield ""
    for server in document.objects(document.root.get("servers")):
        yield urlsplit(server_url(server)).path.rstrip("/")


def server_url(server: Node) -> str:
    """The address of a server, variables at their defaults."""
    url = str(server.get("url") or "")
    for name, variable in _object(server.get("variables")).items():
        url = url.replace(f"{{{name}}}", str(_object(variable).get("default", "")))
    return url


def _fits(template: str, path: str) -> bool:
    """Whether a path may be one of a template's; an expression fits where the template has one."""
    pairs = zip(template.split("/"), path.split("/"), strict=True)
    return all(_segment_fits(wanted, given) for wanted, given in pairs)


def _segment_fits(wanted: str, given: str) -> bool:
    if "{" not in wanted:
        return wanted == given or wanted == unquote(given)
    pattern = "".join(
        "[^/]+" if index % 2 else re.escape(part)
        for index, part in enumerate(re.split(r"(\{[^}]*\})", wanted))
    )
    return re.fullmatch(pattern, given, re.DOTALL) is not None


def _object(value: Any) -> Node:
    return value if isinstance(value, dict) else {}
