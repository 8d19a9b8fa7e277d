"""Secret references: every key of a Secret that a model names, wherever it stands in it."""

from collections.abc import Iterator
from typing import Any

from isthmus_api.model import Model, SecretKeyRef


def within(value: Any) -> Iterator[SecretKeyRef]:
    """The references in a model, or in a part of one, as they stand."""
    match value:
        case SecretKeyRef():
            yield value
        case Model():
            yield from within(tuple(value.written().values()))
        case tuple():
            for item in value:
                yield from within(item)
        case dict():
            yield from within(tuple(value.values()))
