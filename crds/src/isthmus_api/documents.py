"""YAML documents as plain values, with the place of every field.

The text is read the way `kubectl` reads it: YAML 1.1 as Go's yaml.v2 has it, where `y` is a boolean
and `12:30` is text. But nothing is guessed: duplicate keys, keys that are not strings, merge keys
and tags are problems. JSON is read too, as it is YAML.

A text may come from anyone, so what it unfolds to is bounded before it is built.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml
from yaml.composer import Composer

from isthmus_api.model import GROUP
from isthmus_api.problems import Code, Location, Path, Problem
from isthmus_api.resources import KINDS, Origin

MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 100


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    column: int
    style: str | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    """One character of a string, as it is written in the file."""

    line: int
    column: int
    width: int


@dataclass(slots=True)
class Document(Origin):
    """One document, or one item of a document that is a list."""

    file: str
    lines: list[str]
    value: Any = None
    root: Path = ()
    places: dict[Path, _Place] = field(default_factory=dict)
    keys: dict[Path, _Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _marks: dict[Path, list[_Mark]] = field(default_factory=dict, init=False)

    def objects(self) -> Iterator["Document"]:
        """The document itself; where it is a `List`, as `kubectl get` prints it, its items."""
        if not (isinstance(self.value, dict) and is_list(self.value.get("kind"))):
            yield self
            return
        items = self.value.get("items")
        for index, item in enumerate(items if isinstance(items, list) else ()):
            yield from self._item(item, ("items", index)).objects()

    def _item(self, item: Any, path: Path) -> "Document":
        inside = (problem for problem in self.problems if problem.path[: len(path)] == path)
        return replace(
            self,
            value=item,
            root=(*self.root, *path),
            problems=[replace(problem, path=problem.path[len(path) :]) for problem in inside],
        )

    def locate(self, path: Path) -> Location | None:
        """The place of the field at `path`, or of the nearest one around it."""
        path = (*self.root, *path)
        while path and path not in self.places:
            path = path[:-1]
        return self._location(self.places.get(path, _Place(1, 1)))

    def locate_key(self, path: Path) -> Location | None:
        """The place of the key that `path` ends with."""
        place = self.keys.get((*self.root, *path))
        return self._location(place) if place else self.locate(path)

    def _location(self, place: _Place) -> Location:
        return Location(self.file, place.line, place.column)

    def locate_text(self, path: Path, *, line: int, column: int) -> Location | None:
        """The place of a line and column inside the string at `path`.

        However a string is written (quoted, folded, indented), it differs from what it means in
        white space and escapes only; so a place is found by counting what is neither.
        """
        place = self.places.get((*self.root, *path))
        text = self._value(path) if place else None
        if place is None or not isinstance(text, str):
            return self.locate(path)
        if path not in self._marks:
            self._marks[path] = _marks(self.lines, place, wanted=_count(text))
        marks = self._marks[path]
        at = _offset(text, line, column)
        number = _count(text[:at])
        if number < len(marks) and not text[at : at + 1].isspace():
            return Location(self.file, marks[number].line, marks[number].column)
        if not marks or not number:
            return self.locate(path)
        last = marks[number - 1]
        return Location(self.file, last.line, last.column + last.width)

    def _value(self, path: Path) -> Any:
        value = self.value
        for part in path:
            value = value[part]
        return value


def _offset(text: str, line: int, column: int) -> int:
    start = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    return start + column - 1


def _count(text: str) -> int:
    """How many characters of a text are no white space."""
    return len("".join(text.split()))


_WRITTEN: Final = {
    "'": re.compile(r"''|\S"),
    '"': re.compile(r"\\x..|\\u.{4}|\\U.{8}|\\.|\\$|\S"),
}
_PLAIN: Final = re.compile(r"\S")


def _marks(lines: list[str], place: _Place, *, wanted: int) -> list[_Mark]:
    """Where the first `wanted` characters of a string stand that are no white space."""
    first, column = _beginning(lines, place)
    if place.style in ("|", ">"):
        first, column = first + 1, 0
    written = _PLAIN
    if place.style in _WRITTEN:
        written, column = _WRITTEN[place.style], column + 1
    found: list[_Mark] = []
    for number in range(first, len(lines)):
        for each in written.finditer(lines[number], column):
            if len(found) == wanted:
                return found
            if place.style != '"' or not _is_space(each.group()):
                found.append(_Mark(number + 1, each.start() + 1, len(each.group())))
        column = 0
    return found


_PROPERTIES: Final = re.compile(r"\s*([&!]\S*\s*)*")


def _beginning(lines: list[str], place: _Place) -> tuple[int, int]:
    """The line and column, from 0, where a string begins after its anchor and its tag."""
    column = place.column - 1
    for number in range(place.line - 1, len(lines)):
        found = _PROPERTIES.match(lines[number], column)
        column = found.end() if found else column
        if column < len(lines[number]):
            return number, column
        column = 0
    return len(lines), 0


def _is_space(written: str) -> bool:
    """Whether an escape stands for white space, or for nothing at the end of a line."""
    if not written.startswith("\\"):
        return False
    code = written[2:]
    return chr(int(code, 16)).isspace() if code else written[1:] in " \ttnvrNLP_"


def read(text: str, *, file: str) -> Iterator[Document | Problem]:
    """The documents of a text; after a problem there are none."""
    text = _as_yaml(text) if text.lstrip().startswith("{") else text
    lines = text.splitlines()
    try:
        for node in nodes(text):
            document = Document(file=file, lines=lines)
            if _may_be_ours(node):
                document.value = _Unfolding(document).value(node, ())
            yield document
    except yaml.MarkedYAMLError as fault:
        yield _yaml_problem(fault, file, lines)
    except yaml.reader.ReaderError as fault:
        yield _reader_problem(fault, text, file)


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


def _yaml_problem(fault: yaml.MarkedYAMLError, file: str, lines: list[str]) -> Problem:
    mark = fault.problem_mark or fault.context_mark
    message = fault.problem or fault.context or "this is not YAML"
    return Problem(
        Code.INVALID_YAML,
        message,
        hint=fault.note or _yaml_hint(message, mark, lines),
        location=Location(file, mark.line + 1, mark.column + 1) if mark else Location(file),
    )


_HINTS: Final = {
    "undefined alias": "write the anchor (&name) before the alias (*name)",
    "duplicate anchor": "give each anchor a name of its own",
    "mapping values are not allowed": "quote the text around ': ', or write it on a line of its "
    "own with the right indentation",
    "unexpected end of stream": "close the quote",
    "while scanning a quoted": "close the quote",
    "escape": "in double quotes write \\\\ for a backslash, or use single quotes",
    "expected ',' or": "close the bracket or brace, or put a comma between its entries",
    "expected ':'": "write 'key: value', with the indentation of the lines around it",
    "expected key": "indent the line as its neighbours, and quote text with special characters",
}


def _yaml_hint(message: str, mark: yaml.Mark | None, lines: list[str]) -> str:
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if mark and line[mark.column : mark.column + 1] == "\t":
        return "indent with spaces, not with tabs"
    known = (hint for part, hint in _HINTS.items() if part in message)
    return next(known, "quote text with special characters, and check the indentation")


def _reader_problem(fault: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    before = text.encode()[: fault.position].decode(errors="replace")
    line = before.count("\n") + 1
    return Problem(
        Code.INVALID_YAML,
        str(fault).splitlines()[0],
        hint='remove it, or write it as an escape such as "\\0" in double quotes',
        location=Location(file, line, len(before) - before.rfind("\n")),
    )


class _Nodes(Composer, yaml.CSafeLoader):
    """Parses with libyaml and composes here: libyaml's composer overflows the stack of the process
    on deep nesting, and knows no budget."""

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)
        self._budget = _Budget()
        self._depth = 0

    def compose_document(self) -> yaml.Node | None:
        self._budget = _Budget()
        return super().compose_document()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._budget.spend(getattr(self.peek_event(), "start_mark", None), self._depth)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Say only what was written without a tag or quotes; `_plain` knows what it means."""
        return _RESOLVE if kind is yaml.ScalarNode and implicit[0] else _AS_WRITTEN


_RESOLVE: Final = "?"
_AS_WRITTEN: Final = "!"


@dataclass(slots=True)
class _Budget:
    """What one document may still unfold to."""

    left: int = MAX_NODES

    def spend(self, mark: Any, depth: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise yaml.MarkedYAMLError(
                problem=f"the document unfolds to more than {MAX_NODES} values; aliases repeat "
                "what they name",
                problem_mark=mark,
                note="split it into several objects",
            )
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"the document nests deeper than {MAX_DEPTH} levels",
                problem_mark=mark,
                note="write it flatter; an alias must not stand inside what it names",
            )


def nodes(text: str) -> Iterator[yaml.Node]:
    """The documents of a text as YAML has them; raises `yaml.YAMLError`."""
    loader = _Nodes(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None and not _is_empty(node):
                yield node
    finally:
        loader.dispose()


def _is_empty(node: yaml.Node) -> bool:
    """Whether there is nothing between two `---`."""
    return isinstance(node, yaml.ScalarNode) and (node.tag, node.value) == (_RESOLVE, "")


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


def is_list(kind: Any) -> bool:
    """Whether a kind holds other objects: `List`, `RouteList` and the like."""
    return isinstance(kind, str) and kind.endswith("List")


class _Unfolding:
    """Turns YAML nodes into values, noting places, within a budget."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._budget = _Budget()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of `node`, which stands at `path`."""
        self._budget.spend(node.start_mark, len(path))
        self._document.places[path] = _place(node)
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
            self._document.keys[(*path, key)] = _place(key_node)
            found[key] = self.value(value_node, (*path, key))
        return found

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        """The key as a string; nothing where it cannot be one."""
        if not isinstance(node, yaml.ScalarNode):
            hint = "write it as text, in quotes"
            self._problem(Code.INVALID_VALUE, "a key must be a string", hint, node, path)
            return None
        text = str(node.value)
        if node.tag == _RESOLVE and text == "<<":
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
        if tag in (_AS_WRITTEN, "str", "timestamp"):
            return text
        value = _plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            message, hint = f"JSON has no number {text}", f'quote it: "{text}"'
            self._problem(Code.INVALID_VALUE, message, hint, node, path)
        elif tag != _RESOLVE and not isinstance(value, _TAGGED.get(tag, ())):
            self._check_tag(node, "", path)
        return value

    def _check_tag(self, node: yaml.Node, allowed: str, path: Path) -> None:
        tag = str(node.tag)
        if tag not in (_AS_WRITTEN, _RESOLVE, _STANDARD + allowed):
            written = f"!!{tag.removeprefix(_STANDARD)}" if tag.startswith(_STANDARD) else tag
            message = f"the tag {written} is not read here"
            self._problem(Code.INVALID_VALUE, message, "remove the tag", node, path)

    def _problem(self, code: Code, message: str, hint: str, node: yaml.Node, path: Path) -> None:
        place = self._document._location(_place(node))
        self._document.problems.append(Problem(code, message, hint=hint, path=path, location=place))


_STANDARD: Final = "tag:yaml.org,2002:"
_TAGGED: Final[dict[str, Any]] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "float": (int, float),
}


def _place(node: yaml.Node) -> _Place:
    mark = node.start_mark
    return _Place(mark.line + 1, mark.column + 1, getattr(node, "style", None))


def _named(value: Any) -> str:
    if value is None:
        return "null"
    return f"the boolean {str(value).lower()}" if isinstance(value, bool) else "a number"


# As resolve.go of go.yaml.in/yaml/v2 reads it, and the JSON that sigs.k8s.io/yaml makes of that.
_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGERS: Final = {
    16: re.compile(r"[-+]?0[xX][0-9a-fA-F]{1,16}"),
    8: re.compile(r"[-+]?0[oO]?[0-7]{1,22}"),
    2: re.compile(r"[-+]?0[bB][01]{1,64}"),
    10: re.compile(r"[-+]?(0|[1-9][0-9]{0,19})"),
}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _plain(text: str) -> bool | int | float | str | None:
    """What text without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if not re.match(r"[-+]?\.?[0-9]", text):
        return text
    digits = text.replace("_", "")
    for base, form in _INTEGERS.items():
        if form.fullmatch(digits) and -(2**63) <= (integer := int(digits, base)) < 2**64:
            return integer
    if not _FLOAT.fullmatch(digits) or math.isinf(number := float(digits)):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**63 else number
