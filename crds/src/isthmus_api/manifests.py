"""Manifests: YAML text in, resources and problems out, with the place of every field.

The text is read the way `kubectl` reads it (YAML 1.1 scalars), but nothing is guessed: duplicate
keys, keys that are not strings, and documents that unfold to more than they seem are problems.
Objects of other groups are left alone, so a folder may hold Deployments and Secrets too.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from isthmus_api import invalid
from isthmus_api.model import API_VERSION, GROUP, Model, ObjectMeta
from isthmus_api.problems import Code, Location, Path, Problem
from isthmus_api.resources import KINDS, Key, Kind, Origin, Resource

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_NODES = 200_000
MAX_DEPTH = 100

_SECTIONS = ("apiVersion", "kind", "metadata", "spec")
_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Manifests:
    """What was found in some text: our resources, what is wrong, and how much was not ours."""

    resources: tuple[Resource[Model], ...] = ()
    problems: tuple[Problem, ...] = ()
    others: int = 0


def read(raw: bytes, *, file: str) -> Manifests:
    """Read all YAML documents of one file."""
    if len(raw) > MAX_FILE_BYTES:
        return Manifests(problems=(_too_large(raw, file),))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        return Manifests(problems=(_not_utf8(raw, fault, file),))
    resources: list[Resource[Model]] = []
    problems: list[Problem] = []
    others = 0
    for document in _documents(text, file):
        if isinstance(document, Problem):
            problems.append(document)
        elif not document.is_ours():
            others += 1
        else:
            problems += document.problems
            resource = _resource(document, problems)
            if resource is not None and not document.problems:
                resources.append(resource)
    return Manifests(tuple(resources), tuple(problems), others)


def _too_large(raw: bytes, file: str) -> Problem:
    return Problem(
        Code.UNREADABLE,
        f"the file has {len(raw)} bytes; at most {MAX_FILE_BYTES} are read",
        hint="split it; the API server takes about 1.5 MiB for one object",
        location=Location(file),
    )


def _not_utf8(raw: bytes, fault: UnicodeDecodeError, file: str) -> Problem:
    line = raw.count(b"\n", 0, fault.start) + 1
    column = fault.start - (raw.rfind(b"\n", 0, fault.start) + 1) + 1
    return Problem(
        Code.UNREADABLE,
        f"the file is not UTF-8: byte 0x{raw[fault.start]:02x}",
        hint="save it as UTF-8",
        location=Location(file, line, column),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    column: int
    style: str | None = None


@dataclass(slots=True)
class Document(Origin):
    """One YAML document as plain values, with the place of every field."""

    file: str
    lines: list[str]
    value: Any = None
    places: dict[Path, _Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def is_ours(self) -> bool:
        """Whether the document is of our group, in whatever version."""
        version = self.value.get("apiVersion") if isinstance(self.value, dict) else None
        return isinstance(version, str) and version.split("/")[0] == GROUP

    def locate(self, path: Path) -> Location | None:
        """The place of the field at `path`, or of the nearest one around it."""
        place = self._place(path)
        return Location(self.file, place.line, place.column)

    def locate_text(self, path: Path, *, line: int, column: int) -> Location | None:
        """The place of a line and column inside the string at `path`."""
        place = self._place(path)
        if path not in self.places:
            return self.locate(path)
        if place.style in ("|", ">"):
            return Location(self.file, place.line + line, self._indent(place.line) + column)
        if line > 1:
            return Location(self.file, place.line + line - 1, None)
        quotes = 1 if place.style in ("'", '"') else 0
        return Location(self.file, place.line, place.column + quotes + column - 1)

    def _place(self, path: Path) -> _Place:
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, _Place(1, 1))

    def _indent(self, header: int) -> int:
        """Columns before the text of the block scalar whose header is on line `header`."""
        text = next((line for line in self.lines[header:] if line.strip()), "")
        return len(text) - len(text.lstrip(" "))


def _documents(text: str, file: str) -> Iterator[Document | Problem]:
    lines = text.splitlines()
    loader = yaml.CSafeLoader(text)
    try:
        while loader.check_node():
            document = Document(file=file, lines=lines)
            node = loader.get_node()
            if node is not None:
                document.value = _Unfolding(document).value(node, ())
                yield document
    except yaml.MarkedYAMLError as fault:
        yield _yaml_problem(fault, file)
    except yaml.YAMLError as fault:
        yield Problem(Code.INVALID_YAML, str(fault).splitlines()[0], location=Location(file))
    except RecursionError:
        yield Problem(
            Code.INVALID_YAML,
            f"the document nests deeper than {MAX_DEPTH} levels",
            location=Location(file),
        )
    finally:
        loader.dispose()


def _yaml_problem(fault: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = fault.problem_mark or fault.context_mark
    location = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
    return Problem(
        Code.INVALID_YAML, fault.problem or fault.context or "not YAML", location=location
    )


class _TooMuch(yaml.MarkedYAMLError):
    """The document unfolds to more than we read."""


class _Unfolding:
    """Turns YAML nodes into values, noting places, within a budget of nodes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MAX_NODES
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of `node`, which stands at `path`."""
        self._spend(node, path)
        self._note(node, path)
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            case yaml.ScalarNode():
                return self._scalar(node)
            case _:
                raise AssertionError(f"YAML has no other node than these: {node}")

    def _spend(self, node: yaml.Node, path: Path) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch(
                problem=f"the document unfolds to more than {MAX_NODES} values; aliases repeat "
                "what they name",
                problem_mark=node.start_mark,
            )
        if len(path) > MAX_DEPTH:
            raise _TooMuch(
                problem=f"the document nests deeper than {MAX_DEPTH} levels",
                problem_mark=node.start_mark,
            )

    def _note(self, node: yaml.Node, path: Path) -> None:
        mark = node.start_mark
        style = getattr(node, "style", None)
        self._document.places[path] = _Place(mark.line + 1, mark.column + 1, style)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in self._merged(node):
            key = self._key(key_node, path)
            if key in found:
                self._problem(
                    Code.DUPLICATE_KEY,
                    f"the key '{key}' stands twice in one object",
                    key_node,
                    (*path, key),
                    hint="remove one of the two",
                )
                continue
            found[key] = self.value(value_node, (*path, key))
        return found

    def _merged(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem="merge keys (<<) are not read; write the fields out",
                    problem_mark=key_node.start_mark,
                )
            yield key_node, value_node

    def _key(self, node: yaml.Node, path: Path) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(
                problem="a key must be a string", problem_mark=node.start_mark
            )
        value = self._scalar(node)
        if isinstance(value, str):
            return value
        self._problem(
            Code.INVALID_VALUE,
            f"the key {node.value} is read as {_yaml_type(value)}, not as a string",
            node,
            (*path, node.value),
            hint=f'quote it: "{node.value}"',
        )
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        if tag in ("null", "bool", "int", "float"):
            try:
                return self._scalars.construct_object(node)
            except ValueError:
                return node.value
        if tag in ("str", "timestamp", "value"):
            return node.value
        raise yaml.MarkedYAMLError(
            problem=f"the tag !{tag.lstrip('!')} is not read", problem_mark=node.start_mark
        )

    def _problem(
        self, code: Code, message: str, node: yaml.Node, path: Path, *, hint: str = ""
    ) -> None:
        mark = node.start_mark
        self._document.problems.append(
            Problem(
                code,
                message,
                hint=hint,
                path=path,
                location=Location(self._document.file, mark.line + 1, mark.column + 1),
            )
        )


def _yaml_type(value: Any) -> str:
    names = {bool: f"the boolean {str(value).lower()}", type(None): "null"}
    return names.get(type(value), "a number")


def _resource(document: Document, problems: list[Problem]) -> Resource[Model] | None:
    value = document.value
    kind = KINDS.get(str(value.get("kind")))
    if kind is None or value["apiVersion"] != API_VERSION:
        problems.append(_unknown_kind(document))
        return None
    return check(value, kind=kind, origin=document, problems=problems)


def _unknown_kind(document: Document) -> Problem:
    value = document.value
    kind = str(value.get("kind"))
    known = ", ".join(KINDS)
    near = difflib.get_close_matches(kind, KINDS, n=1)
    hint = f"did you mean {near[0]}?" if near and near[0] != kind else f"the kinds are {known}"
    return Problem(
        Code.UNKNOWN_KIND,
        f"{value['apiVersion']} has no kind {kind}",
        hint=f"{hint}; apiVersion is {API_VERSION}",
        location=document.locate(("kind",)),
    )


def check(
    value: dict[str, Any], *, kind: Kind, origin: Origin, problems: list[Problem]
) -> Resource[Model] | None:
    """Check one object against its model; what is wrong goes to `problems`."""
    found = len(problems)
    metadata = _section(ObjectMeta, value, "metadata", origin, problems)
    spec = _section(kind.spec, value, "spec", origin, problems)
    unknown = value.keys() - {*_SECTIONS, "status"}
    problems += (invalid.unknown_field((name,), _SECTIONS, origin) for name in sorted(unknown))
    name = metadata.name if metadata else _raw_name(value)
    namespace = metadata.namespace if metadata else "default"
    key = Key(kind.name, namespace, name)
    _sign(problems, since=found, key=key)
    if metadata is None or spec is None or len(problems) > found:
        return None
    return Resource(key=key, metadata=metadata, spec=spec, origin=origin)


def _sign(problems: list[Problem], *, since: int, key: Key) -> None:
    problems[since:] = [replace(problem, subject=str(key)) for problem in problems[since:]]


def _raw_name(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    return str(metadata.get("name", "?")) if isinstance(metadata, dict) else "?"


def _section(
    model: type[_M], value: dict[str, Any], name: str, origin: Origin, problems: list[Problem]
) -> _M | None:
    try:
        return model.model_validate(value.get(name, {}))
    except ValidationError as fault:
        faults = fault.errors(include_url=False)
        problems += (invalid.problem(error, model, (name,), origin) for error in faults)
        return None
