"""Credentials: which keys of which Secrets a plan names. Their values are never seen here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from isthmus_api.model import Model, SecretKeyRef


@dataclass(frozen=True, slots=True, order=True)
class SecretKey:
    """One key of one Secret."""

    name: str
    key: str


def secrets(model: Model) -> tuple[SecretKey, ...]:
    """Every key that a plan, or a part of one, names: once, in order."""
    return tuple(sorted({SecretKey(ref.name, ref.key) for ref in _references(model)}))


def _references(value: Any) -> Iterator[SecretKeyRef]:
    match value:
        case SecretKeyRef():
            yield value
        case Model():
            yield from _references(tuple(value.written().values()))
        case tuple():
            for item in value:
                yield from _references(item)
        case dict():
            yield from _references(tuple(value.values()))
