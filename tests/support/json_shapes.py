"""Holds what commands write as JSON against the shapes that the reference tells."""

import functools
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from isthmus_cli import shapes

_KEYED = {"messages show": "--key", "messages export": "--store"}


def check(arguments: Sequence[str | Path], stdout: str) -> None:
    """Raise unless this is what the reference says of the command."""
    words = [str(each) for each in arguments]
    if (shape := _shape(shapes.LINES, words)) is not None:
        for line in stdout.splitlines():
            _adapter(shape).validate_json(line)
    elif _is_json(words) and stdout and (shape := _shape(shapes.WRITTEN, words)) is not None:
        _adapter(shape).validate_python(json.loads(stdout))


def _is_json(words: list[str]) -> bool:
    return any(pair in (("-o", "json"), ("--output", "json")) for pair in itertools.pairwise(words))


def _shape(known: dict[str, Any], words: list[str]) -> Any:
    names = (" ".join(words[:length]) for length in (2, 1))
    name = next((each for each in names if each in known), "")
    keyed = _KEYED.get(name)
    return known.get(f"{name} {keyed}" if keyed in words else name)


@functools.cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
