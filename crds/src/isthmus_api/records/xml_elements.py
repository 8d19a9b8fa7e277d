"""XML cut into the elements at one place, by the standard library's expat.

    <a x="1"><b>2</b><b/></a>   is   {"@x": "1", "b": ["2", ""]}

An attribute is `@name`. An element with nothing but text is that text; text beside attributes or
elements is `#text`. Elements of one name are an array as soon as there are two, as in JSONata. The
names are as they are written, with their prefixes, and declarations of namespaces are attributes.

A document may come from anyone: a document type is refused, and with it every entity but the five
of XML itself, so nothing is fetched or multiplied. `MAX_NODES` and `MAX_DEPTH` bound the rest. What
is not at the place is passed over, and nothing of it is kept.
"""

from collections.abc import Iterator
from typing import Any, Final, NoReturn
from xml.parsers import expat

from isthmus_api.records.errors import ElementMissing, TooLarge, Unreadable

MAX_NODES: Final = 200_000
"""Elements and attributes of one record."""
MAX_DEPTH: Final = 100

_TEXT: Final = "#text"


class XmlElements:
    """The elements at a path of names from the root on; without one, the root itself."""

    def __init__(
        self,
        path: tuple[str, ...] = (),
        *,
        encoding: str | None = None,
        required: bool = True,
        limit: int | None = None,
    ) -> None:
        """`encoding` takes the place of what the document says of itself; `limit` is how many bytes
        a record may have. Where the elements are not `required`, others may be in their place."""
        self._path = path
        self._required = required
        self._limit = limit
        self.root = ""
        self._found: list[Any] = []
        self._count = 0
        self._open: list[tuple[dict[str, Any], int]] = []
        """What the elements of a record hold so far, and where in `_texts` their texts begin."""
        self._texts: list[str] = []
        self._nodes = 0
        self._depth = 0
        self._on_path = 0
        self._reached = 0
        self._beside = ""
        self._fed = 0
        self._begun = 0
        self._parser = expat.ParserCreate(encoding=encoding)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._look_for_one()

    def feed(self, data: bytes) -> Iterator[Any]:
        """What is whole with the next piece of the document; to be read to its end."""
        return self._records(data)

    def end(self) -> Iterator[Any]:
        """What is whole as nothing follows."""
        return self._records(None)

    def _records(self, data: bytes | None) -> Iterator[Any]:
        try:
            self._parse(data or b"", ends=data is None)
        finally:  # what is whole before a mistake is a record
            found, self._found = self._found, []
            yield from found
        if data is not None:
            self._hold_to_limit(len(data))
        elif self._required and not self._count and self._beside:
            raise ElementMissing(self._missing())

    def _hold_to_limit(self, size: int) -> None:
        self._fed += size
        read = self._parser.CurrentByteIndex  # that of what is not a whole tag or text yet
        kept = self._fed - (self._begun if self._open else max(read, 0))
        if self._limit is not None and kept > self._limit:
            raise TooLarge(
                f"has a record of more than {self._limit} bytes, which ends after line "
                f"{self._parser.CurrentLineNumber}"
            )

    def _parse(self, data: bytes, *, ends: bool) -> None:
        try:
            self._parser.Parse(data, ends)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise Unreadable(
                f"is no XML: {said} (line {error.lineno}, column {error.offset + 1})"
            ) from None

    # What the parser calls: outside of a record, and inside of one. Millions of elements come here,
    # so the parser writes texts into their list without us, and looks for none outside.

    def _look_for_one(self) -> None:
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = None

    def _begin_one(self) -> None:
        self._nodes = 0
        parser = self._parser
        self._begun = parser.CurrentByteIndex
        parser.StartElementHandler = self._start_inside
        parser.EndElementHandler = self._end_inside
        parser.CharacterDataHandler = self._texts.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._leads_on(name) and self._on_path >= len(self._path):
            self._begin_one()
            self._start_inside(name, attributes)
            return
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable(f"nests deeper than {MAX_DEPTH} elements{self._where()}")

    def _end(self, _name: str) -> None:
        self._depth -= 1
        self._on_path = min(self._on_path, self._depth)

    def _start_inside(self, _name: str, attributes: dict[str, str]) -> None:
        members = {f"@{key}": value for key, value in attributes.items()} if attributes else {}
        self._open.append((members, len(self._texts)))
        self._nodes += 1 + len(attributes)
        if self._nodes > MAX_NODES:
            what = "elements and attributes"
            raise Unreadable(f"has more than {MAX_NODES} {what}{self._where()}")
        if self._depth + len(self._open) > MAX_DEPTH:
            raise Unreadable(f"nests deeper than {MAX_DEPTH} elements{self._where()}")

    def _end_inside(self, name: str) -> None:
        texts, outer = self._texts, self._open
        members, begun = outer.pop()
        text = ""
        if len(texts) > begun:
            text = "".join(texts[begun:]).strip()
            del texts[begun:]
            if members and text:
                members[_TEXT] = text
        value: Any = members or text
        if not outer:
            self._found.append(value)
            self._count += 1
            self._on_path = self._depth
            self._look_for_one()
            return
        around = outer[-1][0]
        if name not in around:
            around[name] = value
        elif isinstance(around[name], list):
            around[name].append(value)
        else:
            around[name] = [around[name], value]

    def _refuse(self, *_: Any) -> NoReturn:
        raise Unreadable("has a document type, which is refused: remove <!DOCTYPE")

    # Where the records are.

    def _leads_on(self, name: str) -> bool:
        """Whether an element outside of records is one of the path, and all around it are."""
        path, depth = self._path, self._depth
        if depth == 0:
            self.root = name
        if path and (self._on_path != depth or name != path[depth]):
            if self._on_path == depth:
                self._pass_by(name, depth)
            return False
        self._on_path = depth + 1
        if self._on_path > self._reached:
            self._reached, self._beside = self._on_path, ""
        return True

    def _pass_by(self, name: str, depth: int) -> None:
        """Note an element that is where one of the path could be; the deepest tells most."""
        if depth == 0:
            raise ElementMissing(f"has the root element {_shown(name)}, not {self._path[0]}")
        if depth >= self._reached:
            self._beside = self._beside or name

    def _missing(self) -> str:
        looked_for = "/".join(self._path[: self._reached + 1])
        return f"has no element {looked_for}; there is {_shown(self._beside)} in its place"

    def _where(self) -> str:
        line = self._parser.CurrentLineNumber
        return f" in a {self._path[-1]} (line {line})" if self._path else ""


def _shown(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:60]}…"
