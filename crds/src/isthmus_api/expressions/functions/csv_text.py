"""CSV in and out, after RFC 4180.

Bounded, for no guard interrupts a function: `MAX_TEXT` characters and `MAX_CELLS` cells take at
most 0.7 s. A cell has 131,072 characters at most, as the standard library's reader says.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from isthmus_api.expressions.functions import options
from isthmus_api.expressions.functions.arguments import FunctionError, kind, numeral, string
from isthmus_api.records import CsvRows, Unreadable

MAX_TEXT: Final = 8 * 1024 * 1024
MAX_CELLS: Final = 500_000
_READ: Final = frozenset({"separator", "header"})
_WRITE: Final = frozenset({"separator", "header", "columns", "newline"})


def parse_csv(text: Any, how: Any = None) -> list[Any] | None:
    """$parseCsv(text, options?)

    Read CSV. The first row names the columns, and each further row becomes an object of strings;
    empty rows are left out. `options` may have `separator` (`,` by default) and `header`: false
    where no row names the columns, which gives arrays. A row that has more or fewer cells than the
    first one is an error with its number.

    Examples:
        $parseCsv("sku,qty\\nA,1\\nB,2")
            => [{"sku": "A", "qty": "1"}, {"sku": "B", "qty": "2"}]
        $parseCsv("A;1\\nB;2", {"separator": ";", "header": false}) => [["A", "1"], ["B", "2"]]
        $parseCsv('name\\n"Chair, oak"') => [{"name": "Chair, oak"}]
        $parseCsv("sku,qty") => []
    """
    if text is None:
        return None
    given = options.read(how, _READ)
    source = string(text, "text")
    if len(source) > MAX_TEXT:
        raise FunctionError(f"argument text has more than {MAX_TEXT} characters")
    separator = options.character(given, "separator", ",")
    is_named = options.flag(given, "header", default=True)
    rows = CsvRows(separator=separator, header=is_named)
    found: list[Any] = []
    try:
        for row in chain(rows.feed(source), rows.end()):
            found.append(row)
            if (len(found) + is_named) * len(row) > MAX_CELLS:
                raise FunctionError(f"argument text has more than {MAX_CELLS} cells")
    except Unreadable as error:
        raise FunctionError(f"argument text {error}") from None
    return found


def to_csv(rows: Any, how: Any = None) -> str | None:
    """$toCsv(rows, options?)

    Write objects, or arrays, as CSV; a single one is an array of one. Cells are quoted where they
    need it; a cell that is missing or null is empty. `options` may have `columns`, the names in
    their order (by default those of the objects as they come), `separator` (`,` by default),
    `header` (true by default, for objects) and `newline` ("\\r\\n" by default).

    Examples:
        $toCsv([{"sku": "A", "qty": 1}, {"sku": "B", "qty": 2}])
            => "sku,qty\\r\\nA,1\\r\\nB,2\\r\\n"
        $toCsv([{"a": 1, "b": 2}], {"columns": ["b"], "header": false}) => "2\\r\\n"
        $toCsv([["A", "oak; waxed"]], {"separator": ";", "newline": "\\n"})
            => "A;\\"oak; waxed\\"\\n"
    """
    if rows is None:
        return None
    given = options.read(how, _WRITE)
    found = rows if isinstance(rows, list) else [rows]
    objects = all(isinstance(row, dict) for row in found)
    if not objects and not all(isinstance(row, list) for row in found):
        raise FunctionError("argument rows must hold objects only, or arrays only")
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=options.character(given, "separator", ","),
        lineterminator=options.text(given, "newline", "\r\n"),
    )
    cells = 0
    for row in _of_objects(found, given) if objects else found:
        cells += len(row)
        if cells > MAX_CELLS:
            raise FunctionError(f"argument rows has more than {MAX_CELLS} cells")
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _of_objects(rows: Sequence[dict[str, Any]], given: dict[str, Any]) -> Iterator[list[Any]]:
    columns = options.texts(given, "columns") or list(dict.fromkeys(k for row in rows for k in row))
    if columns and options.flag(given, "header", default=True):
        yield list(columns)
    for row in rows:
        yield [row.get(name) for name in columns]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return numeral(value)
        case _:
            raise FunctionError(f"argument rows has {kind(value)} as a cell; a cell is text")
