"""Masking: what `privacy.mask` names, and what came from Secrets, as `***`.

Who shows a message (a trace, a log line, the command line) masks it first. A path leads into a
decoded JSON value: names with dots between them, `*` for any one name or position, `**` for any
number of them. On the way a list stands for its elements, so `lines.card` reaches the card of each
line, as `lines.*.card` does. Secrets are found as parts of any text, also written as in JSON, in a
URL or in base64.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"

SHORTEST: Final = 4
"""Shorter secrets are not looked for: they would be found everywhere."""

_PART: Final = re.compile(r"`(?P<quoted>[^`]+)`|(?P<any>\*\*?)|(?P<name>[A-Za-z0-9_$@:/-]+)")


class BadPath(ValueError):
    """No path; the message says what to write."""


@dataclass(frozen=True, slots=True)
class _Any:
    """Any one name or position."""


@dataclass(frozen=True, slots=True)
class _Deep:
    """Any number of names and positions, none included."""


Path = tuple[str | _Any | _Deep, ...]
_Ways = frozenset[Path]
"""What is left of the paths at one place of a value; an empty one ends there."""


def parse(text: str) -> Path:
    """The parts of a path such as `customer.email`, or `BadPath`."""
    parts: list[str | _Any | _Deep] = []
    at = 0
    while (found := _PART.match(text, at)) is not None:
        match found.lastgroup:
            case "any":
                parts.append(_Deep() if found["any"] == "**" else _Any())
            case _:
                parts.append(found["quoted"] or found["name"])
        at = found.end()
        if at == len(text):
            return tuple(parts)
        if text[at] != ".":
            break
        at += 1
    raise BadPath(
        f"'{text}' is no path: write names with dots between them, as in customer.email, * for any "
        "one and ** for any number of them, and other names in backticks, as in `first name`.a"
    )


class Mask:
    """Masks values by their place, and secrets wherever they are."""

    def __init__(self, paths: Iterable[str] = (), secrets: Iterable[str] = ()) -> None:
        self._ways = _opened(parse(path) for path in paths)
        written = {form for secret in secrets for form in _forms(secret)}
        self._secrets = tuple(sorted(form for form in written if len(form) >= SHORTEST))

    def value(self, value: Any) -> Any:
        """A decoded JSON value with everything masked; what nothing is masked in is not copied."""
        if not self._ways and not self._secrets:
            return value
        try:
            return self._masked(value, self._ways)
        except RecursionError:  # nobody reads what is nested that deeply
            return MASK

    def text(self, text: str) -> str:
        """A text without secrets."""
        spans = sorted(span for secret in self._secrets for span in _found(secret, text))
        kept, end = [], 0
        for start, stop in spans:
            if start >= end:
                kept += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*kept, text[end:]]) if spans else text

    def texts(self, value: Any) -> frozenset[str]:
        """The texts and numbers that stand at the paths.

        Given as secrets to a mask of what was made of the value, they are found wherever they went.
        """
        try:
            return frozenset(_leaves(value, self._ways)) if self._ways else frozenset()
        except RecursionError:  # a value like it is masked as a whole
            return frozenset()

    def _masked(self, value: Any, ways: _Ways) -> Any:
        if () in ways:
            return MASK
        match value:
            case str():
                return self.text(value)
            case dict():
                return {
                    self.text(name): self._masked(inner, _into(ways, name))
                    for name, inner in value.items()
                }
            case list():
                inside = _inside(ways)
                return [self._masked(inner, inside) for inner in value]
            case _:
                return value


def _leaves(value: Any, ways: _Ways) -> Iterator[str]:
    """What is masked, and everything below it."""
    is_masked = () in ways
    match value:
        case dict():
            for name, inner in value.items():
                yield from _leaves(inner, ways if is_masked else _into(ways, name))
        case list():
            inside = ways if is_masked else _inside(ways)
            for inner in value:
                yield from _leaves(inner, inside)
        case bool() | None:
            pass
        case _ if is_masked:
            yield str(value)


def _into(ways: _Ways, name: str) -> _Ways:
    """What is left of the paths behind a name of an object."""
    return _opened(_behind(way) for way in ways if _fits(way[0], name)) if ways else ways


def _inside(ways: _Ways) -> _Ways:
    """What is left of the paths in an element of a list; it is nameless, so a name waits."""
    return _opened(way if isinstance(way[0], str) else _behind(way) for way in ways)


def _fits(part: str | _Any | _Deep, name: str) -> bool:
    return not isinstance(part, str) or part == name


def _behind(way: Path) -> Path:
    return way if isinstance(way[0], _Deep) else way[1:]


def _opened(ways: Iterable[Path]) -> _Ways:
    """The ways, and those on which `**` stands for nothing."""
    found: set[Path] = set()
    for way in ways:
        found.add(way)
        while way and isinstance(way[0], _Deep):
            way = way[1:]
            found.add(way)
    return frozenset(found)


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may be written in a text."""
    if len(secret) < SHORTEST:
        return
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield from (json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    yield from (
        encoded.decode().rstrip("=")
        for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw))
    )


def _found(secret: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a text holds a secret; it may overlap itself."""
    at = text.find(secret)
    while at >= 0:
        yield at, at + len(secret)
        at = text.find(secret, at + 1)
