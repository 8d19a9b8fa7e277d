"""Objects that differ: which Connectors, Mappings, Routes, and tables in ConfigMaps. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from isthmus_api.comparison import NOTHING
from isthmus_api.model import Model
from isthmus_api.resources import Resource
from isthmus_api.shared_table import Data
from isthmus_cli import report
from isthmus_cli.diffs import fields
from isthmus_cli.diffs.fields import Change
from isthmus_cli.diffs.sides import Sides


class Verb(StrEnum):
    """What happens to an object."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object that differs; where it does, if it is on both sides."""

    subject: str
    verb: Verb
    changes: tuple[Change, ...] = ()


def changes(sides: Sides) -> Iterator[ObjectChange]:
    """Everything that differs, by kind, namespace and name; ConfigMaps come last."""
    for key in sides.keys:
        old, new = (side.resources.by_key.get(key) for side in (sides.old, sides.new))
        if old is not new and (found := _of(str(key), _plain(old), _plain(new))):
            yield found
    maps = (sides.old.config_maps, sides.new.config_maps)
    for namespace, name in sorted(maps[0].keys() | maps[1].keys()):
        old_data, new_data = (each.get((namespace, name)) for each in maps)
        subject = f"ConfigMap {namespace}/{name}"
        if old_data != new_data and (found := _of(subject, _data(old_data), _data(new_data))):
            yield found


def _of(subject: str, old: Any, new: Any) -> ObjectChange | None:
    if old is NOTHING:
        return ObjectChange(subject, Verb.ADDED)
    if new is NOTHING:
        return ObjectChange(subject, Verb.REMOVED)
    found = tuple(each for name in old for each in fields.changes(old[name], new[name], name))
    return ObjectChange(subject, Verb.CHANGED, found) if found else None


def _plain(resource: Resource[Model] | None) -> Any:
    """What people declare of an object, by the parts of a manifest."""
    if resource is None:
        return NOTHING
    metadata = resource.metadata
    return {
        "metadata.labels": metadata.labels,
        "metadata.annotations": metadata.annotations,
        "spec": resource.spec.canonical(),
    }


def _data(data: Data | None) -> Any:
    """A table as its size and a hash: rows may be many, and not for everybody who reads this."""
    if data is None:
        return NOTHING
    return {"data": {key: _fingerprint(text) for key, text in data.items()}}


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{report.number(len(text.splitlines()), 'line')} (sha256 {digest}…)"
