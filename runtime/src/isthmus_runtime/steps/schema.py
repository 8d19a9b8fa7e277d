"""A schema that bodies are held to."""

import json
from typing import Any

from isthmus_api.compiled_schema import CompiledSchema, Misfits
from isthmus_runtime.body import Body


class Schema:
    """A compiled JSON Schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._compiled = CompiledSchema(schema)

    def misfits(self, body: Body) -> Misfits:
        """Where a body does not fit; nothing when it does."""
        value = body.value
        if body.large:  # as numbers again; elsewhere they are strings of their digits
            value = json.loads(body.json())
        return self._compiled.misfits(value)
