"""Pages: how one page of an answer leads to the next, and when it must not.

Pages are counted as they came: `count` is of the records on the raw page, so that what a Route
leaves out of them never ends a run early. A system that gives the same page again and again would
keep a run going for ever; it is found out.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol
from urllib.parse import quote

from isthmus_api import pagination as language
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Header
from isthmus_runtime.sources import links


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: query parameters to set, or the whole path and query below baseUrl.

    `cursor` is what the call reads as `$cursor`, where it writes the place itself.
    """

    params: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    cursor: str | None = None

    def of(self, target: str) -> str:
        """The path and query of the page, where the first one has `target`."""
        if self.target is not None:
            return self.target
        path, _, query = target.partition("?")
        names = {quote(name, safe="") for name, _ in self.params}
        kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in names]
        added = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.params]
        pairs = "&".join([*kept, *added])
        return f"{path}?{pairs}" if pairs else path


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of the next one."""

    target: str
    headers: list[Header]
    count: int
    digest: bytes = b""
    """Tells its records from those of another page; empty where there are none to tell."""
    mark: str | None = None
    """The cursor, link or id that its body gives."""
    more: bool | None = None
    """Whether the body says that there is another one, where that is asked of it."""
    total: int | None = None
    """How many records the body says that there are, where that is asked of it."""


class Pager(Protocol):
    """Leads from page to page in one run; a run has one of its own."""

    goes_by: str
    """What names a place, for people."""

    def first(self) -> Place:
        """Where the first page is."""
        ...

    def after(self, page: Page) -> Place | None:
        """Where the next one is, if there is one."""
        ...


class OnePage:
    """There is no other page."""

    goes_by = "call"

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """None."""
        return None


class Numbered:
    """Pages by a number in the query: each page adds `step`, or the records it has."""

    goes_by = "number"

    def __init__(self, param: str, *, start: int, step: int | None, size: int | None) -> None:
        self._param = param
        self._at = start
        self._step = step
        self._size = size

    def first(self) -> Place:
        """The first number."""
        return self._place()

    def after(self, page: Page) -> Place | None:
        """The next number, unless this is the last page."""
        if _is_last(page, self._size):
            return None
        self._at += self._step if self._step is not None else page.count
        return self._place()

    def _place(self) -> Place:
        return Place(((self._param, str(self._at)),))


class Marked:
    """Pages by a cursor that the body gives: in the query, or where the call writes `$cursor`, and
    then there is no `param`."""

    goes_by = "cursor"

    def __init__(self, param: str) -> None:
        self._param = param

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """The page of the cursor."""
        if page.more is False:
            return None
        if page.mark:
            return Place(((self._param, page.mark),)) if self._param else Place(cursor=page.mark)
        if page.more:
            detail = "the page says that there is another one, and gives no cursor for it"
            raise Fault("PaginationUnclear", detail)
        return None


class Beyond:
    """Pages of what comes after the last id of the page before."""

    goes_by = "id"

    def __init__(self, param: str, *, size: int | None) -> None:
        self._param = param
        self._size = size

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """What comes after this page, unless it is the last one."""
        if _is_last(page, self._size):
            return None
        if not page.mark:
            detail = "there should be another page, and no record of this one gives an id"
            raise Fault("PaginationUnclear", detail)
        return Place(((self._param, page.mark),))


class Linked:
    """Pages by a link, in the Link header when `rel` is given, else in the body."""

    goes_by = "link"

    def __init__(self, base_url: str, *, rel: str | None) -> None:
        self._base_url = base_url
        self._rel = rel

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """The page that the link leads to."""
        link = links.related(page.headers, self._rel) if self._rel else page.mark or None
        if link is None:
            return None
        return Place(target=links.below(self._base_url, page.target, link))


def _is_last(page: Page, size: int | None) -> bool:
    """Whether a page ends the run by what it says, else by how many records it has."""
    if page.more is not None:
        return not page.more
    return not page.count or (size is not None and page.count < size)


class Walk:
    """One run through the pages, which comes to an end: what repeats ends it with a `Fault`.

    It remembers some 270 bytes for each page.
    """

    def __init__(self, pager: Pager) -> None:
        self._pager = pager
        self._at = 1
        self._places: dict[bytes, int] = {}
        self._records: dict[bytes, int] = {}
        self._total: int | None = None

    def first(self) -> Place:
        """Where the first page is."""
        place = self._pager.first()
        self._places[_digest(place)] = 1
        return place

    def after(self, page: Page) -> Place | None:
        """Where the next one is, if there is one."""
        self._hold_to_total(page)
        place = self._pager.after(page)
        if place is None:
            return None
        known = self._records.setdefault(page.digest, self._at) if page.digest else self._at
        if known != self._at:
            raise Fault("PaginationLoop", f"page {self._at} has the records of page {known} again")
        known = self._places.setdefault(_digest(place), self._at + 1)
        if known <= self._at:
            what = self._pager.goes_by
            detail = f"page {self._at} gives the {what} that led to page {known} again"
            raise Fault("PaginationLoop", detail)
        self._at += 1
        return place

    def _hold_to_total(self, page: Page) -> None:
        """Records that are taken away move others to pages that were read already."""
        before, self._total = self._total, page.total
        if before is not None and page.total is not None and page.total < before:
            detail = (
                f"the total went from {before} to {page.total} at page {self._at}, so records may "
                "have moved to pages that were read before"
            )
            raise Fault("PaginationMoved", detail)


def _digest(place: Place) -> bytes:
    return blake2b(repr(place).encode(), digest_size=16).digest()


def walk(spec: language.Pagination | None, base_url: str, *, param: str | None) -> Walk:
    """A run through the pages. `param` is the query parameter they go by, if they go by one."""
    return Walk(_pager(spec, base_url, param or ""))


def _pager(spec: language.Pagination | None, base_url: str, param: str) -> Pager:
    match spec:
        case language.Pagination(page=found) if found:
            return Numbered(param, start=found.start, step=1, size=found.size)
        case language.Pagination(offset=by_count) if by_count:
            return Numbered(param, start=0, step=by_count.size, size=by_count.size)
        case language.Pagination(keyset=keyset) if keyset:
            return Beyond(param, size=keyset.size)
        case language.Pagination(cursor=cursor, connection=connection) if cursor or connection:
            return Marked(param)
        case language.Pagination(link_header=header) if header:
            return Linked(base_url, rel=header.rel)
        case language.Pagination(body_link=link) if link:
            return Linked(base_url, rel=None)
    return OnePage()
