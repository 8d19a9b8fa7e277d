"""Signs: what the body of a page says of the next one.

What it should say and does not is a `Fault`: a run that took it for the last page would leave
records behind.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import orjson

from isthmus_api import pagination as language
from isthmus_api.expressions import templates
from isthmus_api.expressions.engine import ExpressionError
from isthmus_runtime import faults
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Header
from isthmus_runtime.sources.pages import Page
from isthmus_runtime.steps.bound import Binder, Template


class Signs:
    """Reads the signs of one Route's pages."""

    def __init__(self, spec: language.Pagination | None, binder: Binder) -> None:
        self._mark = self._page_info = self._errors = self._id = None
        if spec and spec.cursor:
            self._mark = binder.template(spec.cursor.value)
        if spec and spec.body_link:
            self._mark = binder.template(spec.body_link.url)
        if spec and spec.connection:
            self._page_info = binder.template(spec.connection.page_info)
            self._errors = binder.template("{% errors %}")
        if spec and spec.keyset:
            self._id = binder.template(spec.keyset.id)
        self._more = binder.template(spec.more) if spec and spec.more else None
        self._total = binder.template(spec.total) if spec and spec.total else None

    def page(
        self, target: str, headers: list[Header], raw_records: Sequence[Any], x: Exchange
    ) -> Page:
        """What the page on `x`, which came from `target` with these records, says."""
        return Page(
            target,
            headers,
            len(raw_records),
            _digest(raw_records),
            self._mark_of(raw_records, x),
            None if self._more is None else _flag(value(self._more, x), "more"),
            None if self._total is None else _count(value(self._total, x)),
        )

    def _mark_of(self, raw_records: Sequence[Any], x: Exchange) -> str | None:
        if self._page_info and self._errors:
            return _end_cursor(value(self._page_info, x), value(self._errors, x))
        if self._id:
            bodies = (Body.of(record, x.large) for record in raw_records)
            return last_id([value(self._id, x.fork(body)) for body in bodies])
        return _text(value(self._mark, x)) if self._mark else None


def value(template: Template, x: Exchange) -> Any:
    """What a template gives on a page or a record; a `Fault` where it fails."""
    try:
        return template.value(x)
    except ExpressionError as error:
        raise faults.from_expression(error) from error


def last_id(ids: Sequence[Any]) -> str | None:
    """The id that the next page begins behind: the last one there is.

    Numbers must rise or fall, for behind the last of others are not all records that are left. How
    a system orders texts is its own affair.
    """
    given = [each for each in ids if each is not None]
    numbers = [each for each in given if isinstance(each, int | float)]
    if len(numbers) == len(given):
        rises = all(first <= second for first, second in pairwise(numbers))
        if not rises and any(first < second for first, second in pairwise(numbers)):
            detail = "the ids of a page neither rise nor fall; let the call ask for their order"
            raise Fault("PaginationUnordered", detail)
    return _text(given[-1]) if given else None


def _text(mark: Any) -> str | None:
    """A cursor, link or id as text; some systems say false where there is none."""
    return None if mark is None or mark is False else templates.as_text(mark)


def _end_cursor(page_info: Any, errors: Any) -> str | None:
    """The cursor of a GraphQL connection, where it has another page (GraphQL Cursor Connections).

    A list of errors beside the data says that some of the data may be missing (GraphQL, 7.1.2).
    """
    if errors:
        raise Fault("GraphqlErrors", "the page has errors, so it may not have all of its records")
    found = page_info if isinstance(page_info, dict) else {}
    if not _flag(found.get("hasNextPage"), "pageInfo.hasNextPage"):
        return None
    cursor = _text(found.get("endCursor"))
    if not cursor:
        detail = "the page says that there is another one, and gives no pageInfo.endCursor for it"
        raise Fault("PaginationUnclear", detail)
    return cursor


def _flag(found: Any, name: str) -> bool:
    if not isinstance(found, bool):
        raise Fault("PaginationUnclear", f"of a page, {name} gives neither true nor false")
    return found


def _count(found: Any) -> int:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Fault("PaginationUnclear", "of a page, total gives no number")
    return int(found)


def _digest(raw_records: Sequence[Any]) -> bytes:
    """What tells these records from others; nothing where all of them are null."""
    if all(record is None for record in raw_records):
        return b""
    return blake2b(orjson.dumps(raw_records), digest_size=16).digest()
