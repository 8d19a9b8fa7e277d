"""The tests of a Mapping: its expression on an input, as a `map` step runs it."""

import json
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

from isthmus_api import json_text
from isthmus_api.expressions import functions
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.plan import schemas
from isthmus_api.problems import field_path
from isthmus_api.resources import Resource
from isthmus_cli.cases import Case, Failure, case, compared
from isthmus_runtime import testing, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.steps.bound import Binder, Expression


def cases(mapping: Resource[MappingSpec]) -> Iterator[Case]:
    """The tests of a Mapping that has no errors."""
    spec = mapping.spec
    expression = Binder().expression(spec.expression, functions.library(spec.tables))
    for index, test in enumerate(spec.tests):
        check = partial(_check, spec, expression, test)
        yield case(mapping, index=index, name=test.name, check=check)


def _check(spec: MappingSpec, expression: Expression, test: MappingTest) -> list[Failure]:
    try:
        exchange = _exchange(test)
    except ValueError as error:
        return [Failure(f"the test is no JSON: {error}")]
    try:
        result = json.loads(expression.body(exchange).json())
    except (ExpressionError, Fault, json_text.JsonTextError) as error:
        return [Failure(f"the expression failed: {error}")]
    return [*compared("the result", test.expect, result), *_misfits(spec, result)]


def _exchange(test: MappingTest) -> Exchange:
    """The message as it reaches the step, with what steps before have bound."""
    body = Body(testing.as_json(test.input))
    exchange = Exchange(body, variables={}, deadline=math.inf, trace=tracing.of([]))
    for name, value in test.variables.items():
        exchange.bind(name, Body(testing.as_json(value)))
    return exchange


def _misfits(spec: MappingSpec, result: Any) -> Iterator[Failure]:
    if spec.output is None:
        return
    for error in schemas.validator(spec.output.schema_).iter_errors(result):
        place = field_path(error.instance_path)
        at = f"$.{place}" if place else "$"
        yield Failure(f"the result does not fit output.schema at {at}: {error.message}")
