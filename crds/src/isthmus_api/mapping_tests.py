"""The tests of a Mapping: its expression on an input, as a `map` step runs it.

`isthmus test` shows every difference; the operator and whoever else needs one sentence a case calls
`problems`. Running takes as long as the engine's guards let it, so a caller that must not be held
up runs it in a thread.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs

from isthmus_api import compiled_schema, json_text
from isthmus_api.comparison import Failure, compared
from isthmus_api.expressions import jlens_engine
from isthmus_api.expressions.engine import Engine, ExpressionError
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.problems import Code, Problem, field_path
from isthmus_api.resources import Resource, Resources
from isthmus_api.shared_table import ConfigMaps, no_config_maps
from isthmus_api.translation import Translation

_SHOWN: Final = 3
"""Differences that a problem tells; `isthmus test` tells all."""


class Suite:
    """A Mapping that has no errors, compiled to run its tests with the Mappings that it calls."""

    def __init__(
        self,
        mapping: Resource[MappingSpec],
        resources: Resources,
        by: Engine = jlens_engine.ENGINE,
        config_maps: ConfigMaps = no_config_maps,
    ) -> None:
        """`TableError` where a table cannot be read."""
        self._translation = Translation(mapping, resources, by, config_maps)
        output = mapping.spec.output
        self._output = compiled_schema.validator(output.schema_) if output else None

    def failures(self, test: MappingTest) -> list[Failure]:
        """What comes out differently in one case; nothing when it passes."""
        try:
            message = self._translation.message(*message_of(test))
        except ValueError as error:
            return [Failure(f"the test is no JSON: {error}")]
        try:
            result = json.loads(self._translation.result(message))
        except json_text.NotEncodable as error:
            return [
                Failure(f"the expression failed: it made a value that has no JSON form: {error}")
            ]
        except (ExpressionError, json_text.JsonTextError) as error:
            return [Failure(f"the expression failed: {error}")]
        return [*compared("the result", test.expect, result), *self._misfits(result)]

    def _misfits(self, result: Any) -> Iterator[Failure]:
        errors: Iterator[jsonschema_rs.ValidationError] = (
            self._output.iter_errors(result) if self._output else iter(())
        )
        for error in errors:
            place = field_path(error.instance_path)
            at = f"$.{place}" if place else "$"
            yield Failure(f"the result does not fit output.schema at {at}: {error.message}")


def problems(mapping: Resource[MappingSpec], resources: Resources) -> tuple[Problem, ...]:
    """The tests that fail. The Mapping must have no errors, nor those of `resources` it calls."""
    suite = Suite(mapping, resources)
    return tuple(
        _problem(mapping, index, test, failures)
        for index, test in enumerate(mapping.spec.tests)
        if (failures := suite.failures(test))
    )


def _problem(
    mapping: Resource[MappingSpec], index: int, test: MappingTest, failures: list[Failure]
) -> Problem:
    first, others = failures[0], len(failures) - 1
    shown = "; ".join(str(each) for each in first.differences[:_SHOWN])
    more = len(first.differences[_SHOWN:]) + others
    path = ("spec", "tests", index)
    return Problem(
        Code.TEST_FAILED,
        f"the test '{test.name}' fails: {first.message}"
        + (f": {shown}" if shown else "")
        + (f"; and {more} more" if more else ""),
        hint="mend the expression, or what the test expects; `isthmus test` shows all of it",
        subject=str(mapping.key),
        path=path,
        location=mapping.origin.locate(path),
    )


def message_of(test: MappingTest) -> tuple[bytes, dict[str, bytes]]:
    """The body and the variables of a test in JSON; a ValueError when there is none for one."""
    return _as_json(test.input), {name: _as_json(v) for name, v in test.variables.items()}


def _as_json(value: Any) -> bytes:
    """JSON, integers exactly; a ValueError when there is none for the value."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
