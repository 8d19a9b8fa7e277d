"""Samples: files with messages for Mappings.

DIR/MAPPING/*.json              a body each
DIR/MAPPING/NAME.variables.json the variables that NAME.json has, an object; if any
"""

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from isthmus_api import json_text
from isthmus_api.resources import MAPPING, Key
from isthmus_cli.diffs.sides import Sides

_BODY: Final = ".json"
_VARIABLES: Final = ".variables.json"
_EXPORT: Final = ".jsonl"
_SHOWN: Final = frozenset({"json", "text"})
"""What a body of an export may be; of any other it has none."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A message for a Mapping; `name` is that of its file."""

    key: Key
    name: str
    body: bytes
    variables: dict[str, bytes]


def read(folder: Path, sides: Sides) -> Iterator[Sample]:
    """All samples; `UsageError` where one is no JSON, or for no Mapping."""
    keys = [key for key in sides.keys if key.kind == MAPPING.name]
    folders = [each for each in sorted(folder.iterdir()) if _is_shown(each) and each.is_dir()]
    if not folders:
        raise click.UsageError(
            f"--samples: {folder} has no folder; write {folder}/MAPPING/NAME.json, "
            "with the name of a Mapping"
        )
    for inner in folders:
        meant = [key for key in keys if key.name == inner.name]
        if not meant:
            raise click.UsageError(f"--samples: {inner}: {_unknown(inner.name, keys)}")
        for key in meant:
            yield from _of(key, inner)


def _of(key: Key, folder: Path) -> Iterator[Sample]:
    for file in sorted(folder.glob(f"*{_BODY}")):
        if _is_shown(file) and not file.name.endswith(_VARIABLES):
            beside = file.with_name(file.name.removesuffix(_BODY) + _VARIABLES)
            variables = _variables(beside) if beside.exists() else {}
            yield Sample(key, f"{folder.name}/{file.name}", _json(file), variables)
    for file in sorted(folder.glob(f"*{_EXPORT}")):
        if _is_shown(file):
            yield from _exported(key, file)


def _exported(key: Key, file: Path) -> Iterator[Sample]:
    """The messages of an export; it is said how many have no body to go through."""
    left_out = 0
    for number, line in enumerate(_read(file).splitlines(), 1):
        message = _message(line, f"{file}:{number}")
        if message.get("bodyIs") in _SHOWN:
            name = f"{file.parent.name}/{file.name} {message['id']}"
            body = json.dumps(message["body"], ensure_ascii=False).encode()
            yield Sample(key, name, body, {})
        else:
            left_out += 1
    if left_out:
        click.echo(f"isthmus: {file}: {left_out} without a body are left out", err=True)


def _message(line: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise click.UsageError(f"--samples: {place} is not JSON: {error}") from error
    if not isinstance(found, dict) or not {"id", "body", "bodyIs"} <= found.keys():
        raise click.UsageError(
            f"--samples: {place} is no message; write what `isthmus messages export` prints"
        )
    return found


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")


def _variables(file: Path) -> dict[str, bytes]:
    found: Any = json.loads(_json(file))
    if not isinstance(found, dict):
        raise click.UsageError(f"--samples: {file}: write an object, with a field a variable")
    return {name: json.dumps(value).encode() for name, value in found.items()}


def _json(file: Path) -> bytes:
    raw = _read(file)
    try:
        json_text.decode(raw)
    except json_text.JsonTextError as error:
        raise click.UsageError(f"--samples: {file} is not JSON: {error}") from error
    return raw


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"--samples: {file} cannot be read: {error.strerror}") from error


def _unknown(name: str, keys: list[Key]) -> str:
    known = sorted({key.name for key in keys})
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
    return f"there is no Mapping {name}; {meant}"
