"""Shared tables: look-up tables whose rows stand in ConfigMaps, and how those are read.

A table in a Mapping is part of the plan, which a ConfigMap has to hold. One of 100,000 rows is not
for a manifest: it is made by a program, shared, and replaced as a whole.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from isthmus_api.model import Items, KeyName, Model, ObjectName

MAX_ROWS: Final = 1_000_000

Data = Mapping[str, str]
"""The `data` of a ConfigMap: texts by key."""
ConfigMaps = Callable[[str], Data | None]
"""Gives a ConfigMap of the namespace by name; nothing where there is none."""


def no_config_maps(name: str) -> Data | None:
    """Where there are none."""
    return None


_Column = Annotated[str, Field(min_length=1, max_length=253)]


class ConfigMapRows(Model):
    """A ConfigMap that holds rows."""

    name: ObjectName = Field(description="Name of the ConfigMap, in the Mapping's namespace.")
    key: KeyName | None = Field(
        None, description="The key whose text has the rows; all keys, by name, without it."
    )


class SharedTable(Model):
    """A look-up table whose rows stand in ConfigMaps."""

    config_maps: Items[ConfigMapRows] = Field(
        min_length=1,
        max_length=64,
        description="Where the rows are; several for more than the 1 MiB that one holds.",
    )
    format: Literal["csv", "json"] = Field(
        description="`csv` with the names of the columns in the first row of each text, or `json`: "
        "a list of objects, or without `key` an object from key to value."
    )
    key: _Column | None = Field(
        None, description="The column to look up by; the first one of CSV without it."
    )
    value: _Column | None = Field(
        None, description="The column that a look-up gives; the whole row as an object without it."
    )
    separator: Annotated[str, Field(min_length=1, max_length=1)] = Field(
        ",", description="What stands between the cells of CSV."
    )


class TableError(ValueError):
    """A shared table cannot be read; the message names it, the ConfigMap, the key and the place.

    It quotes no cell: a table may hold prices of customers.
    """


def rows(name: str, table: SharedTable, config_maps: ConfigMaps) -> dict[str, Any]:
    """All rows of a table by their key."""
    found: dict[str, Any] = {}
    for place, text in _texts(name, table, config_maps):
        for at, key, value in _read(table, text, place):
            if key in found:
                raise TableError(f"{place}, {at}: the key of this row was there before")
            if len(found) >= MAX_ROWS:
                raise TableError(f"{place}: the table has more than {MAX_ROWS} rows")
            found[key] = value
    return found


def _texts(name: str, table: SharedTable, config_maps: ConfigMaps) -> Iterator[tuple[str, str]]:
    for part in table.config_maps:
        data = config_maps(part.name)
        if data is None:
            raise TableError(f"the table '{name}': there is no ConfigMap '{part.name}'")
        if part.key is not None and part.key not in data:
            raise TableError(
                f"the table '{name}': the ConfigMap '{part.name}' has no key '{part.key}'"
            )
        for key in sorted(data) if part.key is None else (part.key,):
            yield f"the table '{name}': {key} of the ConfigMap '{part.name}'", data[key]


_Row = tuple[str, str, Any]
"""Where it is, its key, its value."""


def _read(table: SharedTable, text: str, place: str) -> Iterator[_Row]:
    return _csv(table, text, place) if table.format == "csv" else _json(table, text, place)


def _csv(table: SharedTable, text: str, place: str) -> Iterator[_Row]:
    source = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(source, delimiter=table.separator, strict=True)
    try:
        names = next(reader, [])
        key = _column(table.key, names, place) if table.key else 0
        value = _column(table.value, names, place) if table.value else None
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise TableError(
                    f"{place}, line {reader.line_num}: {len(row)} cells, not {len(names)} as in "
                    "the first row"
                )
            cells = dict(zip(names, row, strict=True)) if value is None else row[value]
            yield f"line {reader.line_num}", row[key], cells
    except csv.Error as error:
        raise TableError(f"{place}, line {reader.line_num}: no CSV: {error}") from None


def _column(name: str, names: list[str], place: str) -> int:
    if name not in names:
        raise TableError(f"{place}: there is no column '{name}'; there are: {', '.join(names)}")
    return names.index(name)


def _json(table: SharedTable, text: str, place: str) -> Iterator[_Row]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        told = (
            f"{error.msg} (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise TableError(f"{place}: no JSON: {told or 'nested too deeply'}") from None
    if isinstance(found, dict) and table.key is None:
        yield from (
            ("the object", key, _value(table, value, place)) for key, value in found.items()
        )
        return
    if not isinstance(found, list) or table.key is None:
        wanted = "a list of objects" if table.key else "an object, or a list with 'key'"
        raise TableError(f"{place}: {wanted} is wanted")
    for number, item in enumerate(found):
        key = item.get(table.key) if isinstance(item, dict) else None
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise TableError(f"{place}, [{number}]: no text or whole number at '{table.key}'")
        yield f"[{number}]", str(key), _value(table, item, place)


def _value(table: SharedTable, row: Any, place: str) -> Any:
    if table.value is None:
        return row
    if not isinstance(row, dict) or table.value not in row:
        raise TableError(f"{place}: a row has nothing at '{table.value}'")
    return row[table.value]
