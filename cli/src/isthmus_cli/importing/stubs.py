"""Stubs: Routes that call one operation each, with all that it takes read from a request.

A stub is where an engineer starts: it runs as it is, and its parameters and fields have the names
of the vendor's document.
"""

import itertools
import re
from collections.abc import Container, Iterable
from typing import Any, Final

from isthmus_api.contracts.operations import Operation, Parameter
from isthmus_api.contracts.shapes import Shape
from isthmus_api.model import API_VERSION

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MAX_DEPTH: Final = 4
MAX_PARAMETERS: Final = 64

_SENDS_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_IGNORED_HEADERS: Final = frozenset({"accept", "content-type", "authorization"})


def routes(operations: Iterable[Operation], *, connector: str) -> list[dict[str, Any]]:
    """A Route for each operation, which calls it and answers what it answers."""
    made: dict[str, dict[str, Any]] = {}
    for operation in operations:
        name = _free(_name(connector, operation), made)
        made[name] = _route(operation, name, connector)
    return list(made.values())


def _free(name: str, taken: Container[str]) -> str:
    """The name, with a number where it is taken: vendors' ids may differ in signs alone."""
    numbered = (f"{name[:60]}-{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain((name,), numbered) if each not in taken)


def _route(operation: Operation, name: str, connector: str) -> dict[str, Any]:
    sends_body = operation.method in _SENDS_BODY
    return {
        "apiVersion": API_VERSION,
        "kind": "Route",
        "metadata": {"name": name},
        "spec": {
            "source": {"http": {"method": "POST" if sends_body else "GET", "path": f"/{name}"}},
            "steps": [{"call": _call(operation, connector)}],
        },
    }


def _name(connector: str, operation: Operation) -> str:
    """A name that a Service may have."""
    spoken = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", operation.id or operation.name)
    words = re.findall(r"[a-z0-9]+", spoken.lower())
    name = "-".join((connector, *words))[:63].rstrip("-")
    return name if name[0].isalpha() else f"r-{name}"[:63].rstrip("-")


def _call(operation: Operation, connector: str) -> dict[str, Any]:
    call: dict[str, Any] = {
        "connector": connector,
        "method": operation.method,
        "path": re.sub(r"\{([^}]*)\}", lambda found: _hole("query", found[1]), operation.path),
    }
    query = {each.name: _value(each) for each in _sent(operation, "query")}
    headers = {each.name: _value(each) for each in _sent(operation, "header")}
    body = _body(operation.body) if operation.body else None
    return {
        **call,
        **({"query": query} if query else {}),
        **({"headers": headers} if headers else {}),
        **({"body": body} if body else {}),
    }


def _sent(operation: Operation, place: str) -> list[Parameter]:
    """The parameters of a query, and the headers that are required."""
    found = [each for each in operation.parameters if each.place == place and each.name]
    if place == "header":
        found = [
            each
            for each in found
            if each.is_required
            and each.name.lower() not in _IGNORED_HEADERS
            and _HEADER.fullmatch(each.name)
        ]
    return found[:MAX_PARAMETERS]


def _value(parameter: Parameter) -> str:
    enum = parameter.shape.enum
    if enum and len(enum) == 1 and parameter.is_required:
        return str(enum[0])
    if parameter.place == "header":
        return _hole("headers", parameter.name.lower())
    return _hole("query", parameter.name)


def _hole(part: str, name: str) -> str:
    return f"{{% $request.{part}.{_quoted(name)} %}}"


def _body(shape: Shape) -> Any:
    """The fields that are required, or all where none is."""
    if shape.is_list or not shape.names:
        return None  # the body of the request goes on as it is
    return _fields(shape, "", 0)


def _fields(shape: Shape, path: str, depth: int) -> dict[str, Any]:
    wanted = [name for name in shape.required if shape.field(name)] or shape.names
    made: dict[str, Any] = {}
    for name in wanted:
        field = shape.field(name)
        at = f"{path}{_quoted(name)}"
        enum = field.enum if field else None
        if field and field.names and not field.is_list and field.required and depth < MAX_DEPTH:
            made[name] = _fields(field, f"{at}.", depth + 1)
        elif enum and len(enum) == 1:
            made[name] = enum[0]
        else:
            made[name] = f"{{% {at} %}}"
    return made


def _quoted(name: str) -> str:
    """A field's name as JSONata takes it."""
    plain = _IDENTIFIER.fullmatch(name) and name not in _WORDS
    return name if plain else "`" + name.replace("`", "") + "`"
