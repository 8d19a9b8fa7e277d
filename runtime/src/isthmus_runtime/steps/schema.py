"""A schema that bodies are held to. What is told of a misfit is where and which rule, no value."""

import json
import re
from itertools import islice
from typing import Any

from isthmus_api.plan import schemas
from isthmus_runtime.body import Body

_MAX_MISFITS = 20
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Misfits = list[dict[str, str]]
"""JSON path and rule of each place at fault, the first twenty."""


class Schema:
    """A compiled JSON Schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator = schemas.validator(schema)

    def misfits(self, body: Body) -> Misfits:
        """Where a body does not fit; nothing when it does."""
        value = body.value
        if body.large:  # as numbers again; elsewhere they are strings of their digits
            value = json.loads(body.json())
        if self._validator.is_valid(value):
            return []
        return [
            {"path": _json_path(error.instance_path), "rule": str(error.kind.name)}
            for error in islice(self._validator.iter_errors(value), _MAX_MISFITS)
        ]


def told(misfits: Misfits) -> str:
    """The places in one line."""
    return ", ".join(f"{each['path']} ({each['rule']})" for each in misfits)


def _json_path(path: list[str | int]) -> str:
    return "$" + "".join(
        f".{part}" if isinstance(part, str) and _PLAIN_NAME.fullmatch(part) else f"[{part!r}]"
        for part in path
    )
