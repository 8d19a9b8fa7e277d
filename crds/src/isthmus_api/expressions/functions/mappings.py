"""Other Mappings: `$mapping`, bound to those that a Mapping may call."""

from collections.abc import Callable, Mapping
from typing import Any

from isthmus_api.expressions.functions.arguments import FunctionError, kind

Run = Callable[[Any, dict[str, Any] | None], Any]
"""Runs a Mapping on an input, with variables."""


def caller(known: Mapping[str, Run]) -> Callable[..., Any]:
    """`$mapping` for who may call the Mappings `known`."""

    def mapping(name: Any, value: Any, variables: Any = None) -> Any:
        """$mapping(name, input, variables?)

        Run another Mapping of the namespace on `input`, which is its `$` and `$$`. It has its own
        tables. Of variables it knows those of the object `variables`, and no others. The name is a
        literal string. Only the expression of a Mapping may call it; Mappings that call each other
        in a circle are refused.

        Examples:
            $mapping("net-line", {"sku": "CH-1", "price": "19.95", "quantity": 3})
                => {"sku": "CH-1", "net": "59.85"}
            [[{"sku": "A", "price": "1", "quantity": 1}].$mapping("net-line", $)]
                => [{"sku": "A", "net": "1.00"}]
        """
        run = known.get(name) if type(name) is str else None
        if run is None:
            raise FunctionError(_unknown(name, known))
        if value is None:
            return None
        if variables is not None and not isinstance(variables, dict):
            raise FunctionError(f"argument variables must be an object, not {kind(variables)}")
        return run(value, variables)

    return mapping


def _unknown(name: Any, known: Mapping[str, Run]) -> str:
    if not isinstance(name, str):
        return f"argument name must be a string, not {kind(name)}"
    names = ", ".join(sorted(known)) or "none"
    return f"there is no Mapping {name!r} here; this expression may call: {names}"
