"""Links: the Link header (RFC 8288), and where a link leads inside a Connector."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Header


class Unreadable(ValueError):
    """A Link header that is none."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link: where to, and what that is to the page. `anchor` is set where it is of another."""

    target: str
    relations: frozenset[str]
    anchor: str | None = None


_SEPARATORS: Final = re.compile(r"[ \t,]*")
_TARGET: Final = re.compile(r"<([^>]*)>[ \t]*")
_PARAMETER: Final = re.compile(
    r";[ \t]*"
    r"(?:([^ \t=;,\"]+)[ \t]*"
    r"(?:=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^ \t;,\"]*))[ \t]*)?)?"
)
_QUOTED: Final = re.compile(r"\\(.)")


def parse(value: str) -> Iterator[Link]:
    """The links of one field, in their order; `Unreadable` where it ceases to be one (3)."""
    at = _end(_SEPARATORS, value, 0)
    while at < len(value):
        target = _TARGET.match(value, at)
        if target is None:
            raise Unreadable
        link, at = _link(target[1], value, target.end())
        yield link
        if at < len(value) and value[at] != ",":
            raise Unreadable
        at = _end(_SEPARATORS, value, at)


def _link(target: str, value: str, at: int) -> tuple[Link, int]:
    """A link by its parameters, of which the first of a name counts (3.3), and where it ends."""
    found: dict[str, str] = {}
    while parameter := _PARAMETER.match(value, at):
        at = parameter.end()
        name, quoted, token = parameter.groups()
        if name:
            text = token or "" if quoted is None else _QUOTED.sub(r"\1", quoted)
            found.setdefault(name.lower(), text)
    relations = frozenset(found.get("rel", "").lower().split())
    return Link(target, relations, found.get("anchor")), at


def _end(pattern: re.Pattern[str], value: str, at: int) -> int:
    found = pattern.match(value, at)
    return found.end() if found else at


def related(headers: list[Header], relation: str) -> str | None:
    """The target of the first link with a relation.

    A link with an anchor is one of another page (3.2). A header that cannot be read might have had
    the link, so where none is found a `Fault` tells of it.
    """
    is_whole = True
    for value in (value for name, value in headers if name == b"link"):
        try:
            for link in parse(_text(value)):
                if relation.lower() in link.relations and link.anchor is None:
                    return link.target
        except Unreadable:
            is_whole = False
    if not is_whole:
        raise Fault("PaginationUnclear", "the Link header is none after RFC 8288")
    return None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


_SAFE: Final = "/%:@!$&'()*+,;=~"
"""What stays as it is in a path, a percent sign of what is encoded included."""


def below(base_url: str, current: str, link: str) -> str:
    """The path and query below `base_url` that a link leads to, from the page at `current`.

    The Connector sends every call to its own system with its credentials. So a link to another
    host or port, or out of the path of `base_url`, is a `Fault`. The scheme may be another one, and
    the port that scheme's own: behind a proxy a system may not know how it was called.
    """
    base = urlsplit(base_url.rstrip("/"))
    try:
        found = urlsplit(urljoin(base_url.rstrip("/") + current, link))
        is_ours = found.hostname == base.hostname and _is_port_of(found, base)
    except ValueError:
        raise Fault("PaginationUnclear", "the link to the next page is no address") from None
    path = found.path or "/"
    inside = path.removeprefix(base.path)
    climbs = any(unquote(part) in (".", "..") for part in path.split("/"))
    if not is_ours or climbs or not (path.startswith(base.path) and inside.startswith("/")):
        raise Fault(
            "PaginationLeaves",
            "the link to the next page leads out of the Connector: to another host or port, or to "
            "another path than that of baseUrl",
        )
    target = quote(inside, safe=_SAFE)
    return f"{target}?{quote(found.query, safe=_SAFE + '?')}" if found.query else target


_PORTS: Final = {"http": 80, "https": 443}


def _is_port_of(found: SplitResult, base: SplitResult) -> bool:
    given = found.port or _PORTS.get(found.scheme)
    ours = base.port or _PORTS[base.scheme]
    return found.scheme in _PORTS and (given == ours or given == _PORTS[found.scheme])
