"""Tables and ages, as people read them on a terminal."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Final

import click

from isthmus_cli.report import printable

Row = Sequence[str]

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_WIDEST: Final = 60


def table(
    head: Row, rows: Sequence[Row], *, column: str = "", colours: Mapping[str, str] | None = None
) -> list[str]:
    """The lines of a table; cells of one `column` are coloured by their first word."""
    # The last column may be as wide as it is: nothing stands behind it.
    shown = [[*map(_cell, row[:-1]), printable(row[-1])] for row in rows]
    widths = [max(len(line[at]) for line in (head, *shown)) for at in range(len(head) - 1)]
    coloured = head.index(column) if column in head else None
    lines = [_line([click.style(text, bold=True) for text in _padded(head, widths)])]
    for row in shown:
        cells = _padded(row, widths)
        if coloured is not None and (word := row[coloured].split()[:1]):
            colour = (colours or {}).get(word[0])
            cells[coloured] = click.style(cells[coloured], fg=colour) if colour else cells[coloured]
        lines.append(_line(cells))
    return lines


def age(moment: str, now: datetime.datetime) -> str:
    """How long ago a time was, in its largest unit."""
    seconds = (now - datetime.datetime.fromisoformat(moment)).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds / size)}{unit}"
    return "0s"


def _padded(row: Row, widths: Sequence[int]) -> list[str]:
    *before, last = row
    return [*(cell.ljust(width) for cell, width in zip(before, widths, strict=True)), last]


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cells)


def _cell(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
