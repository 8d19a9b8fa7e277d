"""The table of Routes: which one takes a request, by method and path.

Paths are compared segment by segment after decoding, so an encoded slash stays inside its segment
and `..` is a segment like any other, which no Route has.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote

from isthmus_runtime.endpoint import Endpoint


class Match(NamedTuple):
    """An endpoint, and the values of its path variables."""

    route: Endpoint
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class NoRoute:
    """No Route takes the request; `allowed` are the methods that its path knows."""

    allowed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Node:
    """One segment of the paths; literal segments win over variables."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    variable: "_Node | None" = None
    routes: dict[str, tuple[Endpoint, tuple[str, ...]]] = field(default_factory=dict)


_NOWHERE: Final = NoRoute()


class Table:
    """All endpoints that a process serves. It never changes; a reload makes a new one."""

    def __init__(self, routes: Iterable[Endpoint]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        self._fixed: dict[tuple[str, str], Match] = {}
        for route in self.routes:
            self._add(route)
            if "{" not in route.path:
                self._fixed[route.method, route.path] = Match(route, {})

    def find(self, method: str, path: str) -> Match | NoRoute:
        """The Route for a method and a path that is still percent-encoded."""
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed
        try:
            segments = [
                unquote(part, errors="strict") if "%" in part else part
                for part in path.split("/")[1:]
            ]
        except UnicodeDecodeError:
            return _NOWHERE
        found = _descend(self._root, segments, 0)
        if found is None:
            return _NOWHERE
        node, values = found
        taken = node.routes.get(method) or (node.routes.get("GET") if method == "HEAD" else None)
        if taken is None:
            methods = {*node.routes, "HEAD"} if "GET" in node.routes else node.routes
            return NoRoute(tuple(sorted(methods)))
        route, names = taken
        return Match(route, dict(zip(names, values, strict=True)))

    def _add(self, route: Endpoint) -> None:
        node = self._root
        names: list[str] = []
        for segment in route.path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literals.setdefault(segment, _Node())
        node.routes[route.method] = (route, tuple(names))


def _descend(node: _Node, segments: list[str], depth: int) -> tuple[_Node, tuple[str, ...]] | None:
    if depth == len(segments):
        return (node, ()) if node.routes else None
    segment = segments[depth]
    literal = node.literals.get(segment)
    if literal is not None and (found := _descend(literal, segments, depth + 1)):
        return found
    if node.variable is not None and segment:
        found = _descend(node.variable, segments, depth + 1)
        if found:
            return found[0], (segment, *found[1])
    return None
