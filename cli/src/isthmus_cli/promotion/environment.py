"""What an overlay says of the objects that it builds on: addresses, Secrets, settings, replicas."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.problems import Path
from isthmus_cli.promotion.sets import Object

Key = tuple[str, str, str]

MARK: Final = "isthmus-promote-mark"
"""Put in place of a value, to see whether an overlay replaces it."""
_REFERENCES: Final = frozenset({"secretKeyRef", "configMapKeyRef"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object."""

    key: Key
    path: Path

    @property
    def is_name(self) -> bool:
        """Whether it names something outside: a system by its address, or a Secret."""
        if self.key[1] == "Route":
            return False
        last = str(self.path[-1])
        return last.lower().endswith("url") or any(part in _REFERENCES for part in self.path[:-1])

    @property
    def is_setting(self) -> bool:
        """Whether it is a value that expressions read as `$env`."""
        return self.key[1] == "Route" and self.path[:2] == ("spec", "env")


def replaced(base: Iterable[Object], built: Iterable[Object]) -> Iterator[Field]:
    """The fields of our objects in which a build differs from what it builds on."""
    there = {each.key: each.value for each in built}
    for each in base:
        if each.is_ours and each.key in there:
            before, after = each.value.get("spec"), there[each.key].get("spec")
            for path in _differences(before, after, ("spec",)):
                yield Field(each.key, path)


def _differences(before: Any, after: Any, path: Path) -> Iterator[Path]:
    """The paths at which two values differ. Lists of another length differ as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _differences(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, (*path, number))
    elif before != after:
        yield path


def value_at(value: Any, path: Path) -> Any:
    """What stands at a path; None where nothing does."""
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def marked(objects: Iterable[Object], fields: Iterable[Field]) -> Iterator[dict[str, Any]]:
    """The objects with a mark at each of the fields that they have."""
    paths: dict[Key, list[Path]] = {}
    for field in fields:
        paths.setdefault(field.key, []).append(field.path)
    for each in objects:
        value = copy.deepcopy(each.value)
        for path in paths.get(each.key, ()):
            if isinstance(value_at(value, path), str):
                value_at(value, path[:-1])[path[-1]] = MARK
        yield value


def unsaid(built: Mapping[Key, dict[str, Any]], fields: Iterable[Field]) -> Iterator[Field]:
    """The fields whose mark is still there in what an overlay has built."""
    for field in fields:
        if value_at(built.get(field.key), field.path) == MARK:
            yield field
