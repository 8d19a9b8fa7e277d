"""References: every key of a Secret or ConfigMap that a model names, wherever it stands in it."""

from collections.abc import Iterator
from typing import Any

from isthmus_api.model import ConfigMapKeyRef, KeyRef, Model, SecretKeyRef


def within(value: Any) -> Iterator[KeyRef]:
    """The references in a model, or in a part of one, as they stand."""
    match value:
        case SecretKeyRef() | ConfigMapKeyRef():
            yield value
        case Model():
            yield from within(tuple(value.written().values()))
        case tuple():
            for item in value:
                yield from within(item)
        case dict():
            yield from within(tuple(value.values()))
