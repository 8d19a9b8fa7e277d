"""Needs: the keys of Secrets and ConfigMaps that objects name, and the fields that name them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.model import ConfigMapKeyRef, Model, SecretKeyRef
from isthmus_api.problems import Path
from isthmus_api.resources import Resource, Resources
from isthmus_api.shared_table import ConfigMapRows

ANY: Final = ""
"""In place of a key: whichever there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key of a Secret or ConfigMap."""

    kind: str
    name: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}/{self.key}" if self.key else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Need:
    """What a field of an object names."""

    owner: Resource[Model]
    path: Path
    wanted: Wanted


def of(resources: Resources) -> Iterator[Need]:
    """All needs of all objects. Contracts are none: nothing stops where one is missing."""
    for owner in resources.by_key.values():
        for path, wanted in _within(owner.spec, ("spec",)):
            yield Need(owner, path, wanted)


def _within(value: Any, path: Path) -> Iterator[tuple[Path, Wanted]]:
    match value:
        case SecretKeyRef() | ConfigMapKeyRef():
            yield path, Wanted(value.kind, value.name, value.key)
        case ConfigMapRows():
            yield path, Wanted(ConfigMapKeyRef.kind, value.name, value.key or ANY)
        case Model():
            yield from _within(value.written(), path)
        case tuple():
            for number, item in enumerate(value):
                yield from _within(item, (*path, number))
        case dict():
            for name, item in value.items():
                yield from _within(item, (*path, name))
