"""Comparison: what a test expected against what it got, as JSON paths that differ.

Compared is JSON: 1 and 1.0 are equal, true and 1 are not, and the order of keys does not matter.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

ROOT: Final = "$"

_SHOWN: Final = 120
_BEFORE: Final = 20


class _Nothing:
    """There is no value: not even null."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs; a side that has no value there is `NOTHING`."""

    path: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        expected, actual = shown(self.expected, self.actual)
        place = "" if self.path == ROOT else f"{self.path}: "
        return f"{place}expected {expected}, got {actual}"


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that came out differently: what it is about, and where it differs."""

    message: str
    differences: tuple[Difference, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The message, and the differences below it; a single value stands beside it."""
        match self.differences:
            case ():
                return [self.message]
            case (only,) if only.path == ROOT:
                return [f"{self.message}: {only}"]
            case found:
                return [f"{self.message}:", *(f"  {each}" for each in found)]


def compared(what: str, expected: Any, actual: Any) -> Iterator[Failure]:
    """A failure when two JSON values differ."""
    found = tuple(differences(expected, actual))
    if found:
        yield Failure(f"{what} differs", found)


def differences(expected: Any, actual: Any, path: str = ROOT) -> Iterator[Difference]:
    """Where two JSON values differ, as deep inside them as can be."""
    match expected, actual:
        case dict(), dict():
            for key in {**expected, **actual}:
                yield from differences(
                    expected.get(key, NOTHING), actual.get(key, NOTHING), member(path, key)
                )
        case list(), list():
            for index in range(max(len(expected), len(actual))):
                yield from differences(
                    _item(expected, index), _item(actual, index), f"{path}[{index}]"
                )
        case _:
            if not same(expected, actual):
                yield Difference(path, expected, actual)


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else NOTHING


def member(path: str, key: str) -> str:
    """The path of a member of an object."""
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{as_json(key)}]"


def same(expected: Any, actual: Any) -> bool:
    """Whether two JSON values are equal; neither holds others."""
    # In Python True equals 1.
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)


def as_json(value: Any) -> str:
    """A value as a person reads it in a message."""
    return repr(value) if value is NOTHING else json.dumps(value, ensure_ascii=False)


def shown(expected: Any, actual: Any) -> tuple[str, str]:
    """Both values, cut to the part around the place where they begin to differ."""
    texts = as_json(expected), as_json(actual)
    if max(len(text) for text in texts) <= _SHOWN:
        return texts
    start = max(0, _alike(*texts) - _BEFORE)
    return _cut(texts[0], start), _cut(texts[1], start)


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _cut(text: str, start: int) -> str:
    end = start + _SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"
