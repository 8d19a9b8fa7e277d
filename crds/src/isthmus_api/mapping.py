"""Mapping: one translation in JSONata, with its schemas, tables and tests beside it."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import FreeForm, FreeFormObject, Items, Model, Variable
from isthmus_api.shared_table import SharedTable

Expression = Annotated[str, Field(min_length=1, max_length=262_144)]
"""A JSONata expression, without `{% %}` around it."""


class JsonSchema(Model):
    """A JSON Schema (2020-12), and whether messages are held to it."""

    schema_: FreeFormObject = Field(
        alias="schema", description="The JSON Schema, draft 2020-12 unless it names another."
    )
    on_mismatch: Literal["reject", "warn"] | None = Field(
        None,
        description="What a `map` step does with a message that does not fit, and `$mapping` with "
        "a value: `reject` fails it with the JSON paths at fault, `warn` counts and logs it and "
        "goes on. Without it messages are not looked at, and the schema serves lint, tests and "
        "documents.",
    )


class MappingTest(Model):
    """One case: an input, and what the Mapping makes of it."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="What the case shows, as a sentence."
    )
    input: FreeForm = Field(None, description="The body that the Mapping gets.")
    variables: dict[Variable, FreeForm] = Field(
        {}, max_length=32, description="Variables that the Mapping reads, by name."
    )
    expect: FreeForm = Field(description="The result, compared as JSON.")


class MappingSpec(Model):
    """What a Mapping declares."""

    expression: Expression = Field(description="The translation, written in JSONata.")
    tables: dict[Variable, FreeFormObject] = Field(
        {},
        max_length=64,
        description="Look-up tables by name, each a map from key to value; "
        "`$table('name', key)` reads one.",
    )
    shared_tables: dict[Variable, SharedTable] = Field(
        {},
        max_length=64,
        description="Look-up tables whose rows stand in ConfigMaps, by name; `$table` reads them "
        "like the others. A change of a ConfigMap is taken up without a restart.",
    )
    input: JsonSchema | None = Field(
        None,
        description="What the input looks like; what the expression reads is checked against it.",
    )
    output: JsonSchema | None = Field(
        None, description="What the result looks like; tests are checked against it."
    )
    tests: Items[MappingTest] = Field(
        (), max_length=200, description="Cases that `isthmus test` runs."
    )
