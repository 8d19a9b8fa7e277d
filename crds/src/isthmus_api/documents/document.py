"""A document: one object of a file as plain values, with the place of every field."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from isthmus_api.documents import places
from isthmus_api.documents.places import Mark, Place
from isthmus_api.problems import Location, Path, Problem
from isthmus_api.resources import Origin


@dataclass(slots=True)
class Document(Origin):
    """One document, or one item of a document that is a list."""

    file: str
    lines: list[str]
    value: Any = None
    root: Path = ()
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _marks: dict[Path, list[Mark]] = field(default_factory=dict, init=False)

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
        return self.location(self.places.get(path, Place(1, 1)))

    def locate_key(self, path: Path) -> Location | None:
        """The place of the key that `path` ends with."""
        place = self.keys.get((*self.root, *path))
        return self.location(place) if place else self.locate(path)

    def location(self, place: Place) -> Location:
        """A place as users are told of it."""
        return Location(self.file, place.line, place.column)

    def locate_text(self, path: Path, *, line: int, column: int) -> Location | None:
        """The place of a line and column inside the string at `path`."""
        place = self.places.get((*self.root, *path))
        text = self._value(path) if place else None
        if place is None or not isinstance(text, str):
            return self.locate(path)
        if path not in self._marks:
            self._marks[path] = places.marks(self.lines, place, wanted=places.count(text))
        marks = self._marks[path]
        at = places.offset(text, line, column)
        number = places.count(text[:at])
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


def is_list(kind: Any) -> bool:
    """Whether a kind holds other objects: `List`, `RouteList` and the like."""
    return isinstance(kind, str) and kind.endswith("List")
