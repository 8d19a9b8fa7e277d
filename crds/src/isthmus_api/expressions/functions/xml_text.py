"""XML in and out, by the standard library's expat.

    <a x="1"><b>2</b><b/></a>   is   {"a": {"@x": "1", "b": ["2", ""]}}

An attribute is `@name`. An element with nothing but text is that text; text beside attributes or
elements is `#text`. Elements of one name are an array as soon as there are two, as in JSONata. The
names are as they are written, with their prefixes, and declarations of namespaces are attributes.

A text may come from anyone: a document type is refused, and with it every entity but the five of
XML itself, so nothing is fetched or multiplied. `MAX_TEXT`, `MAX_NODES` and `MAX_DEPTH` bound the
rest, for no guard interrupts a function; the largest text takes some 0.7 s.
"""

import re
from typing import Any, Final
from xml.parsers import expat

from isthmus_api.expressions.functions.arguments import FunctionError, kind, numeral, shown, string

MAX_TEXT: Final = 16 * 1024 * 1024
MAX_NODES: Final = 200_000
"""Elements and attributes."""
MAX_DEPTH: Final = 100

_TEXT: Final = "#text"
_MAX_PIECES: Final = 4 * MAX_NODES
"""What is written of them: two marks, a text and an end."""


def parse_xml(text: Any) -> dict[str, Any] | None:
    """$parseXml(text)

    Read XML as an object with the root element as its one key. An attribute becomes `@name`. An
    element that holds only text becomes that text, and an empty one becomes "". Text beside
    attributes or elements becomes `#text`. Two elements of one name become an array, so write
    `[order.line.{…}]`. Names keep their prefixes. White space around text is left out. A document
    type, and with it every entity of its own, is refused.

    Examples:
        $parseXml('<order no="7"><line>A</line><line>B</line></order>')
            => {"order": {"@no": "7", "line": ["A", "B"]}}
        $parseXml('<p currency="EUR">19.95</p>').p.`#text` => "19.95"
        $parseXml("<a><b/></a>") => {"a": {"b": ""}}
    """
    if text is None:
        return None
    source = string(text, "text")
    if len(source) > MAX_TEXT:
        raise FunctionError(f"argument text has more than {MAX_TEXT} characters")
    return _Reader().document(source)


class _Reader:
    """Builds the value while expat reads."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._nodes = 0
        # The text is a string, whatever encoding its declaration names.
        self._parser = expat.ParserCreate(encoding="utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._refuse

    def document(self, text: str) -> dict[str, Any]:
        try:
            self._parser.Parse(text.removeprefix("\ufeff").encode(), True)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise FunctionError(
                f"argument text is no XML: {said} (line {error.lineno}, column {error.offset + 1})"
            ) from None
        except UnicodeEncodeError:
            raise FunctionError("argument text has half of a character") from None
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        if self._nodes > MAX_NODES:
            raise FunctionError(f"argument text has more than {MAX_NODES} elements and attributes")
        if len(self._open) >= MAX_DEPTH:
            raise FunctionError(f"argument text nests deeper than {MAX_DEPTH} elements")
        found = {f"@{key}": value for key, value in attributes.items()}
        self._open.append((name, found, []))

    def _end(self, name: str) -> None:
        _, members, texts = self._open.pop()
        text = "".join(texts).strip()
        if members and text:
            members[_TEXT] = text
        value: Any = members or text
        around = self._open[-1][1] if self._open else self._root
        if name not in around:
            around[name] = value
        elif isinstance(around[name], list):
            around[name].append(value)
        else:
            around[name] = [around[name], value]

    def _data(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _refuse(self, *_: Any) -> None:
        raise FunctionError("argument text has a document type, which is refused: remove <!DOCTYPE")


def to_xml(value: Any) -> str | None:
    """$toXml(value)

    Write an object with one key, the root element, as XML: the way back of `$parseXml`. A key
    `@name` becomes an attribute, `#text` the text beside attributes or elements, an array one
    element for each item. A null attribute is left out; a null element is empty. There is no
    declaration; put it before with `&`.

    Examples:
        $toXml({"order": {"@no": 7, "line": ["A", "B & C"], "note": null}})
            => "<order no=\\"7\\"><line>A</line><line>B &amp; C</line><note/></order>"
        $toXml({"p": {"@currency": "EUR", "#text": "19.95"}})
            => "<p currency=\\"EUR\\">19.95</p>"
    """
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) != 1:
        raise FunctionError("argument value must be an object with one key, the root element")
    [(name, root)] = value.items()
    if isinstance(root, list):
        raise FunctionError("argument value has an array as its root; there can be one root only")
    out: list[str] = []
    _write(name, root, out, 1)
    return "".join(out)


# The names of XML 1.0, without the rare planes; a prefix is part of the name.
_NAME: Final = re.compile(r"[A-Za-z_:À-ÖØ-öø-˿Ͱ-ͽͿ-῿⁰-↏Ⰰ-⿯、-퟿][\w.:·-]*")
# What no XML 1.0 document can hold, however it is written.
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _write(name: str, value: Any, out: list[str], depth: int) -> None:
    if len(out) > _MAX_PIECES:
        raise FunctionError(f"argument value has more than {MAX_NODES} elements and attributes")
    if depth > MAX_DEPTH:
        raise FunctionError(f"argument value nests deeper than {MAX_DEPTH} elements")
    _check(name)
    if isinstance(value, list):
        for item in value:
            if isinstance(item, list):
                raise FunctionError(f"argument value has an array in an array at {shown(name)}")
            _write(name, item, out, depth)
        return
    members = value if isinstance(value, dict) else {_TEXT: value}
    out.append(f"<{name}")
    for key, inner in members.items():
        if key.startswith("@") and inner is not None:
            _check(key[1:])
            out.append(f" {key[1:]}={_quoted(_text(inner, key))}")
    begun = len(out)
    out.append(">")
    for key, inner in members.items():
        if key == _TEXT and inner is not None:
            out.append(_escaped(_text(inner, key)))
        elif key != _TEXT and not key.startswith("@"):
            _write(key, inner, out, depth + 1)
    if not any(out[begun + 1 :]):
        out[begun:] = ["/>"]
    else:
        out.append(f"</{name}>")


def _check(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise FunctionError(f"argument value has a key that is no name in XML: {shown(name)}")


def _escaped(text: str) -> str:
    """By hand: xml.sax.saxutils imports an HTTP client, a twentieth of the start of a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    text = _escaped(text).replace('"', "&quot;").replace("\n", "&#10;")
    return '"' + text.replace("\t", "&#9;").replace("\r", "&#13;") + '"'


def _text(value: Any, key: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            if _NO_TEXT.search(value):
                raise FunctionError(f"argument value has a character at {key} that XML cannot hold")
            return value
        case int() | float():
            return numeral(value)
        case _:
            raise FunctionError(f"argument value has {kind(value)} at {key}; it must be text")
