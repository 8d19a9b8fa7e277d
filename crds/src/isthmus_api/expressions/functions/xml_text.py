"""XML in and out; `records.xml_elements` reads it and says what becomes what.

`MAX_TEXT`, `MAX_NODES` and `MAX_DEPTH` bound a text, for no guard interrupts a function; the
largest takes some 0.7 s.
"""

import re
from typing import Any, Final

from isthmus_api.expressions.functions.arguments import FunctionError, kind, numeral, shown, string
from isthmus_api.records import Unreadable, XmlElements
from isthmus_api.records.xml_elements import MAX_DEPTH, MAX_NODES

MAX_TEXT: Final = 16 * 1024 * 1024
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
    # The text is a string, whatever encoding its declaration names.
    elements = XmlElements(encoding="utf-8")
    try:
        [root] = [*elements.feed(source.removeprefix("\ufeff").encode()), *elements.end()]
    except Unreadable as error:
        raise FunctionError(f"argument text {error}") from None
    except UnicodeEncodeError:
        raise FunctionError("argument text has half of a character") from None
    return {elements.root: root}


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
