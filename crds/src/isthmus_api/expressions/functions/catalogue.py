"""The catalogue: every function with its name and signature."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from isthmus_api.expressions import engine
from isthmus_api.expressions.functions import (
    csv_text,
    dates,
    mappings,
    money,
    tables,
    texts,
    xml_text,
)

_NOBODY: Final[Mapping[str, mappings.Run]] = MappingProxyType({})


def library(
    known: tables.Tables, callable: Mapping[str, mappings.Run] = _NOBODY
) -> Mapping[str, engine.Function]:
    """Give all functions, with `$table` bound to these tables and `$mapping` to these Mappings."""
    return {
        **_FIXED,
        "table": _function(tables.lookup(known), "table", "<xxx?:x>"),
        "mapping": _function(mappings.caller(callable), "mapping", "<xxx?:x>"),
    }


def names() -> frozenset[str]:
    """Give the names of all functions, without the dollar sign."""
    return frozenset(library({}))


def _function(implementation: Callable[..., Any], name: str, signature: str) -> engine.Function:
    return engine.Function(name, implementation, signature, inspect.getdoc(implementation) or "")


_FIXED: Final[Mapping[str, engine.Function]] = {
    name: _function(implementation, name, signature)
    for implementation, name, signature in (
        (money.money_add, "moneyAdd", "<xx:s>"),
        (money.money_subtract, "moneySubtract", "<xx:s>"),
        (money.money_multiply, "moneyMultiply", "<xxx?x?:s>"),
        (money.money_divide, "moneyDivide", "<xxxx?:s>"),
        (money.money_round, "moneyRound", "<xxx?:s>"),
        (money.money_sum, "moneySum", "<x:s>"),
        (dates.date_format, "dateFormat", "<xxx?:s>"),
        (dates.date_parse, "dateParse", "<xxx?:s>"),
        (texts.parse_json, "parseJson", "<x:x>"),
        (texts.hash_, "hash", "<xx?x?:s>"),
        (csv_text.parse_csv, "parseCsv", "<xx?:x>"),
        (csv_text.to_csv, "toCsv", "<xx?:s>"),
        (xml_text.parse_xml, "parseXml", "<x:x>"),
        (xml_text.to_xml, "toXml", "<x:s>"),
    )
}
