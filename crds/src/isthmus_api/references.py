"""References: what a Route or a Mapping names, as far as its spec can be made out.

Made for specs that may not fit the model: the operator keeps an index of them, and `isthmus trace`
shows what is behind a Route that is broken.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from isthmus_api.expressions import calls
from isthmus_api.resources import CONNECTOR, MAPPING, ROUTE, Key


def of(key: Key, spec: Any) -> Iterator[Key]:
    """The Connectors, Mappings and Routes that an object names; some of them more than once."""
    if not isinstance(spec, dict):
        return
    if key.kind == ROUTE.name:
        yield from _of_route(key, spec)
    if key.kind == MAPPING.name and isinstance(expression := spec.get("expression"), str):
        for name in calls.mappings(expression):
            yield Key(MAPPING.name, key.namespace, name)


def _of_route(key: Key, spec: dict[str, Any]) -> Iterator[Key]:
    branches, source = spec.get("branches"), spec.get("source")
    lists = [spec.get("steps"), *(branches.values() if isinstance(branches, dict) else ())]
    steps = itertools.chain.from_iterable(each for each in lists if _is_list(each))
    for part in _dicts((*steps, source, source.get("poll") if isinstance(source, dict) else None)):
        for verb, field_, kind in (
            ("call", "connector", CONNECTOR),
            ("map", "mapping", MAPPING),
            ("route", "name", ROUTE),
        ):
            used = part.get(verb)
            if isinstance(used, dict) and isinstance(name := used.get(field_), str):
                yield Key(kind.name, key.namespace, name)


def _dicts(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    return (value for value in values if isinstance(value, dict))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
