"""Tables: `$table`, bound to those of one Mapping."""

from collections.abc import Callable, Mapping
from typing import Any

from isthmus_api.expressions.functions.arguments import FunctionError, kind, numeral

Tables = Mapping[str, Mapping[str, Any]]


def lookup(tables: Tables) -> Callable[..., Any]:
    def table(name: Any, key: Any, default: Any = None) -> Any:
        """$table(name, key, default?)

        Look up `key` in the Mapping's table `name`. A key that is not there gives `default`, or
        undefined. A number as key is looked up by its JSON text. Naming a table that the Mapping
        does not have is an error.

        Examples:
            $table("vat", "NL") => "0.21"
            $table("vat", "XX", "0") => "0"
            $exists($table("vat", "XX")) => false
            $table("ports", 443) => "https"
        """
        if name is None or key is None:
            return default
        try:
            rows = tables[name]
        except (KeyError, TypeError):
            raise FunctionError(_unknown_table(name, tables)) from None
        found = rows.get(key if type(key) is str else _key(key))
        return default if found is None else found

    return table


def _key(key: Any) -> str:
    if isinstance(key, bool) or not isinstance(key, int | float):
        raise FunctionError(f"argument key must be a string or a number, not {kind(key)}")
    return numeral(key)


def _unknown_table(name: Any, tables: Tables) -> str:
    if not isinstance(name, str):
        return f"argument name must be a string, not {kind(name)}"
    known = ", ".join(sorted(tables)) or "none"
    return f"there is no table {name!r}; this Mapping has: {known}"
