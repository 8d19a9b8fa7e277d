"""Scripts: what happens in one transaction, said without knowing which database does it.

A script is a generator that yields queries and is sent their rows; a home drives it, SQLite in its
writer thread, PostgreSQL on a connection. What has to be fast is written in the homes themselves.

SQL is what both dialects understand, with four marks: `$1` for an argument, `@now` for the
journal's clock, `IN @numbers($1)` and `IN @texts($1)` for a list.
"""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from isthmus_runtime.journal.entries import Draft

T = TypeVar("T")
Rows = list[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Query:
    """One statement and its arguments."""

    sql: str
    args: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Accept:
    """Accept messages in this transaction; gives one row with how many were not passed over."""

    drafts: tuple[Draft, ...]


Script = Generator[Query | Accept, Rows, T]


def query(sql: str, *args: object) -> Query:
    """A query, as it reads best."""
    return Query(sql, args)


_MARKS: Final = re.compile(r"\$(\d+)|@now\b|IN @(numbers|texts)\(\$(\d+)\)")
_SERVER_TIME: Final = "extract(epoch FROM clock_timestamp())::float8"
_ARRAYS: Final = {"numbers": "bigint[]", "texts": "text[]"}


@cache
def for_sqlite(sql: str) -> str:
    """The statement for SQLite; lists are given as JSON, and `journal_now` is ours."""

    def mark(found: re.Match[str]) -> str:
        if found[3]:
            return f"IN (SELECT value FROM json_each(?{found[3]}))"
        return f"?{found[1]}" if found[1] else "journal_now()"

    return _MARKS.sub(mark, sql)


@cache
def for_postgresql(sql: str) -> str:
    """The statement for PostgreSQL; lists are arrays."""

    def mark(found: re.Match[str]) -> str:
        if found[3]:
            return f"= ANY(${found[3]}::{_ARRAYS[found[2]]})"
        return found[0] if found[1] else _SERVER_TIME

    return _MARKS.sub(mark, sql)
