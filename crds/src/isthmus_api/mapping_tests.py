"""The tests of a Mapping: its expression on an input, as a `map` step runs it.

`isthmus test` shows every difference; the operator and whoever else needs one sentence a case calls
`problems`. Running takes as long as the engine's guards let it, so a caller that must not be held
up runs it in a thread.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jsonschema_rs

from isthmus_api import json_text
from isthmus_api.comparison import Failure, compared
from isthmus_api.expressions import calls, composition, jlens_engine
from isthmus_api.expressions.bodies import Body, TextBody, ValueBody
from isthmus_api.expressions.engine import Engine, Expression, ExpressionError
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.plan import called, expression_checks, schemas
from isthmus_api.problems import Code, Problem, field_path
from isthmus_api.resources import Resource, Resources
from isthmus_api.shared_table import ConfigMaps, no_config_maps, rows

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
        spec = mapping.spec
        found = called.reached(calls.mappings(spec.expression), mapping.key.namespace, resources)
        others = {name: _filled(each.spec, config_maps) for name, each in found.items()}
        self._expression = composition.compile(_filled(spec, config_maps), others, by)
        self._read = frozenset(expression_checks.read_by(spec))
        self._output = schemas.validator(spec.output.schema_) if spec.output else None

    def failures(self, test: MappingTest) -> list[Failure]:
        """What comes out differently in one case; nothing when it passes."""
        try:
            body, variables = _message(self._read, test)
        except ValueError as error:
            return [Failure(f"the test is no JSON: {error}")]
        try:
            result = json.loads(_result(self._expression, body, variables))
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


@dataclass(frozen=True, slots=True)
class _Filled:
    """A Mapping with all of its tables."""

    expression: str
    tables: Mapping[str, Mapping[str, Any]]


def _filled(spec: MappingSpec, config_maps: ConfigMaps) -> _Filled:
    shared = {name: rows(name, table, config_maps) for name, table in spec.shared_tables.items()}
    return _Filled(spec.expression, {**spec.tables, **shared})


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


def _message(read: frozenset[str], test: MappingTest) -> tuple[Body, dict[str, Any]]:
    """The message as it reaches the step, with what steps before have bound."""
    body = TextBody(_as_json(test.input))
    decoded = {name: json_text.decode(_as_json(value)) for name, value in test.variables.items()}
    # A message knows the large integers of all its parts, and then travels as a value.
    large = frozenset[str]().union(*(each.large for each in decoded.values()))
    variables = {name: each.value for name, each in decoded.items() if name in read}
    return (ValueBody(body.value, body.large | large) if large else body), variables


def _result(expression: Expression, body: Body, variables: dict[str, Any]) -> bytes:
    if body.raw is not None:
        return expression.evaluate_json(body.raw, variables or None) or b"null"
    value = expression.evaluate(body.value, variables or None)
    return json_text.encode(value, body.large)


def _as_json(value: Any) -> bytes:
    """JSON, integers exactly; a ValueError when there is none for the value."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
