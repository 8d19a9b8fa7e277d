"""Masking: what must not be seen becomes `***` before it is written or shown.

A Route names paths (`privacy.mask`). The values at these paths of a message are hidden wherever
they turn up later, under whatever name a mapping gave them, and so is every secret that was read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

MASKED: Final = "***"
SHORTEST: Final = 4
"""A shorter value would be found everywhere by chance, so only its own place is masked."""

_Path = tuple[str, ...]
_PART: Final = re.compile(r"`([^`]*)`|([^.`]+)")


class Paths:
    """Paths of a body, such as `customer.email`, `lines.*.card` or `**.iban`.

    `*` is any name or position, `**` any number of them. A name that no position can be reaches
    into every element of a list.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = tuple(
            tuple(quoted or plain for quoted, plain in _PART.findall(path)) for path in paths
        )

    def __bool__(self) -> bool:
        return bool(self._paths)

    def masked(self, value: Any) -> Any:
        """The value with `***` at every path."""
        try:
            for path in self._paths:
                value = _masked(value, path)
        except RecursionError:  # nested so deeply that nobody reads it
            return MASKED
        return value

    def texts(self, value: Any) -> frozenset[str]:
        """The texts and numbers at the paths that are long enough to be told apart."""
        try:
            found = {text for path in self._paths for text in _leaves(value, path)}
        except RecursionError:  # `masked` shows nothing of it
            return frozenset()
        return frozenset(text for text in found if len(text) >= SHORTEST)


class Hidden:
    """Texts that are replaced wherever they stand, in values and in text that holds them."""

    def __init__(self, texts: Iterable[str]) -> None:
        known = {text for text in texts if len(text) >= SHORTEST}
        known |= {quote(text, safe="") for text in known}
        # A longer one may hold a shorter one, whose stars would leave its rest readable.
        self._texts = tuple(sorted(known, key=lambda text: (-len(text), text)))

    def __bool__(self) -> bool:
        return bool(self._texts)

    def masked(self, value: Any) -> Any:
        """The value, its keys and numbers included, without any of the texts."""
        if not self._texts:
            return value
        try:
            return self._masked(value)
        except RecursionError:
            return MASKED

    def text(self, text: str) -> str:
        """The text without any of the texts."""
        for hidden in self._texts:
            if hidden in text:
                text = text.replace(hidden, MASKED)
        return text

    def _masked(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(key): self._masked(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self._masked(inner) for inner in value]
            case bool() | None:
                return value
            case _:
                return MASKED if self._holds(str(value)) else value

    def _holds(self, text: str) -> bool:
        return any(hidden in text for hidden in self._texts)


def _masked(value: Any, path: _Path) -> Any:
    if not path:
        return MASKED
    if path[0] == "**":
        value = _masked(value, path[1:])
    match value:
        case dict():
            return {name: _deeper(inner, path, name) for name, inner in value.items()}
        case list():
            return [_deeper(inner, path, index) for index, inner in enumerate(value)]
        case _:
            return value


def _deeper(value: Any, path: _Path, at: str | int) -> Any:
    rest = _rest(path, at)
    return value if rest is None else _masked(value, rest)


def _leaves(value: Any, path: _Path) -> Iterator[str]:
    """What is masked at a path, and all that is below it."""
    if path[:1] == ("**",):
        yield from _leaves(value, path[1:])
    match value:
        case dict():
            for name, inner in value.items():
                if (rest := _rest(path, name)) is not None:
                    yield from _leaves(inner, rest)
        case list():
            for index, inner in enumerate(value):
                if (rest := _rest(path, index)) is not None:
                    yield from _leaves(inner, rest)
        case bool() | None:
            pass
        case _ if not path:
            yield str(value)


def _rest(path: _Path, at: str | int) -> _Path | None:
    """What is left of a path one level deeper, at a name or a position; nothing off the path."""
    if not path or path[0] == "**":
        return path
    if path[0] in ("*", str(at)):
        return path[1:]
    return path if isinstance(at, int) and not path[0].isdigit() else None
