"""CSV in and out, after RFC 4180.

Bounded, for no guard interrupts a function: `MAX_TEXT` characters and `MAX_CELLS` cells take at
most 0.7 s. A cell has 131,072 characters at most, as the standard library's reader says.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from isthmus_api.expressions.functions import options
from isthmus_api.expressions.functions.arguments import FunctionError, kind, numeral, string

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
    rows = _rows(string(text, "text"), options.character(given, "separator", ","))
    if not options.flag(given, "header", default=True):
        return list(rows)
    names = next(rows, [])
    if len(set(names)) < len(names):
        raise FunctionError("argument text names a column twice in its first row")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    if len(text) > MAX_TEXT:
        raise FunctionError(f"argument text has more than {MAX_TEXT} characters")
    width, cells = 0, 0
    # A mark of the byte order is what spreadsheets put before the first name.
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator,
                        strict=True)  # fmt: skip
    try:
        for row in reader:
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                raise FunctionError(
                    f"argument text has {len(row)} cells in line {reader.line_num}, not {width} "
                    "as in its first row"
                )
            cells += width
            if cells > MAX_CELLS:
                raise FunctionError(f"argument text has more than {MAX_CELLS} cells")
            yield row
    except csv.Error as error:
        raise FunctionError(f"argument text is no CSV in line {reader.line_num}: {error}") from None


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
