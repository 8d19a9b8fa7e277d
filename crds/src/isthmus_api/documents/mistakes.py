"""Mistakes: text that is no YAML, and what to write instead."""

from typing import Final

import yaml

from isthmus_api.problems import Code, Location, Problem


def of_parser(fault: yaml.MarkedYAMLError, file: str, lines: list[str]) -> Problem:
    """What the parser could not read, at its place."""
    mark = fault.problem_mark or fault.context_mark
    message = fault.problem or fault.context or "this is not YAML"
    return Problem(
        Code.INVALID_YAML,
        message,
        hint=fault.note or _yaml_hint(message, mark, lines),
        location=Location(file, mark.line + 1, mark.column + 1) if mark else Location(file),
    )


_HINTS: Final = {
    "undefined alias": "write the anchor (&name) before the alias (*name)",
    "duplicate anchor": "give each anchor a name of its own",
    "mapping values are not allowed": "quote the text around ': ', or write it on a line of its "
    "own with the right indentation",
    "unexpected end of stream": "close the quote",
    "while scanning a quoted": "close the quote",
    "escape": "in double quotes write \\\\ for a backslash, or use single quotes",
    "expected ',' or": "close the bracket or brace, or put a comma between its entries",
    "expected ':'": "write 'key: value', with the indentation of the lines around it",
    "expected key": "indent the line as its neighbours, and quote text with special characters",
}


def _yaml_hint(message: str, mark: yaml.Mark | None, lines: list[str]) -> str:
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if mark and line[mark.column : mark.column + 1] == "\t":
        return "indent with spaces, not with tabs"
    known = (hint for part, hint in _HINTS.items() if part in message)
    return next(known, "quote text with special characters, and check the indentation")


def of_reader(fault: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    """A character that may not stand in a file."""
    before = text.encode()[: fault.position].decode(errors="replace")
    line = before.count("\n") + 1
    return Problem(
        Code.INVALID_YAML,
        str(fault).splitlines()[0],
        hint='remove it, or write it as an escape such as "\\0" in double quotes',
        location=Location(file, line, len(before) - before.rfind("\n")),
    )
