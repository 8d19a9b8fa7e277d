"""validate: refuse a body that does not fit a JSON Schema."""

from isthmus_api.compiled_schema import told
from isthmus_api.step import Validate
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Rejected
from isthmus_runtime.steps.schema import Schema
from isthmus_runtime.steps.verb import Plain


def compile(spec: Validate) -> Plain:
    """The verb of a validate step: 422 names the JSON paths at fault, never the values."""
    schema = Schema(spec.schema_)

    def validate(x: Exchange) -> None:
        if misfits := schema.misfits(x.body):
            raise Rejected(
                "SchemaMismatch",
                f"the body does not fit the schema at {told(misfits)}",
                422,
                extra={"errors": misfits},
            )

    return validate
