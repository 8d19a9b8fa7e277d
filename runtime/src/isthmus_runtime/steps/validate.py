"""validate: refuse a body that does not fit a JSON Schema."""

import json
import re
from itertools import islice

from isthmus_api.plan import schemas
from isthmus_api.step import Validate
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Rejected
from isthmus_runtime.steps.verb import Plain

_MAX_ERRORS = 20
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def compile(spec: Validate) -> Plain:
    """The verb of a validate step: 422 names the JSON paths at fault, never the values."""
    validator = schemas.validator(spec.schema_)

    def validate(x: Exchange) -> None:
        value = x.body.value
        if x.body.large:  # as numbers again; elsewhere they are strings of their digits
            value = json.loads(x.body.json())
        if validator.is_valid(value):
            return
        errors = [
            {"path": _json_path(error.instance_path), "rule": str(error.kind.name)}
            for error in islice(validator.iter_errors(value), _MAX_ERRORS)
        ]
        places = ", ".join(f"{error['path']} ({error['rule']})" for error in errors)
        raise Rejected(
            "SchemaMismatch",
            f"the body does not fit the schema at {places}",
            422,
            extra={"errors": errors},
        )

    return validate


def _json_path(path: list[str | int]) -> str:
    return "$" + "".join(
        f".{part}" if isinstance(part, str) and _PLAIN_NAME.fullmatch(part) else f"[{part!r}]"
        for part in path
    )
