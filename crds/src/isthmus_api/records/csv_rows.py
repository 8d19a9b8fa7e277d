"""CSV cut into its rows, after RFC 4180, by the standard library's reader.

That reads what it is given to the end, and cannot wait within a row. So it gets whole lines, and
what it took of a row that goes on is given to it again with the lines that follow.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from isthmus_api.records.errors import Unreadable
from isthmus_api.records.lines import Blocks


class CsvRows:
    """Rows as objects of strings, or as arrays where no row names the columns.

    Empty rows are left out. Every row has as many cells as the first one. A cell has 131,072
    characters at most, as the standard library's reader says.
    """

    def __init__(
        self, *, separator: str = ",", header: bool = True, limit: int | None = None
    ) -> None:
        """`limit` is how many characters a row may have."""
        self._separator = separator
        self._header = header
        self._blocks = Blocks("\r\n", limit=limit)
        self._names: list[str] | None = None
        self._width = 0

    def feed(self, text: str) -> Iterator[Any]:
        """What is whole with the next piece of text; to be read to its end."""
        return self._records(text)

    def end(self) -> Iterator[Any]:
        """What is whole as nothing follows."""
        return self._records(None)

    def _records(self, piece: str | None) -> Iterator[Any]:
        block = self._blocks.rest() if piece is None else self._blocks.add(piece)
        for row in self._rows(block, ends=piece is None):
            if not self._header:
                yield row
            elif self._names is None:
                self._names = row
                if len(set(row)) < len(row):
                    raise Unreadable("names a column twice in its first row")
            else:
                yield dict(zip(self._names, row, strict=True))

    def _rows(self, block: str, *, ends: bool) -> Iterator[list[str]]:
        source = io.StringIO(block, newline="")
        reader = csv.reader(source, delimiter=self._separator, strict=True)
        begun = self._blocks.line
        whole = 0
        try:
            for row in reader:
                whole = reader.line_num
                if not row:
                    continue
                self._width = self._width or len(row)
                if len(row) != self._width:
                    raise Unreadable(
                        f"has {len(row)} cells in line {begun + whole - 1}, not {self._width} as "
                        "in its first row"
                    )
                yield row
        except csv.Error as error:
            if not ends and not source.read(1):  # it may be a row that goes on
                self._blocks.line = begun + whole
                self._blocks.hold(_from_line(block, whole))
                return
            line = begun + reader.line_num - 1
            raise Unreadable(f"is no CSV in line {line}: {error}") from None
        self._blocks.line = begun + reader.line_num


def _from_line(block: str, number: int) -> str:
    """What follows so many lines."""
    source = io.StringIO(block, newline="")
    for _ in range(number):
        source.readline()
    return source.read()
