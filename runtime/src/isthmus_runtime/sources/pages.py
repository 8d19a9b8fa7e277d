"""Pages: how one page of an answer leads to the next, and when it must not.

Pages are counted as they came: `count` is of the records on the raw page, so that what a Route
leaves out of them never ends a run early. A system that gives the same page again and again would
keep a run going for ever; it is found out.
"""

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from isthmus_api import pagination as language
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Header
from isthmus_runtime.sources import links


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: query parameters to set, or the whole path and query below baseUrl."""

    params: tuple[tuple[str, str], ...] = ()
    target: str | None = None

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
    """What a page says of the next one. `digest` tells its records from those of another page."""

    target: str
    headers: list[Header]
    count: int
    digest: bytes = b""
    mark: str | None = None
    """The cursor or the link that its body gives."""


class Pager(Protocol):
    """Leads from page to page in one run; a run has one of its own."""

    def first(self) -> Place:
        """Where the first page is."""
        ...

    def after(self, page: Page) -> Place | None:
        """Where the next one is, if there is one; a `Fault` where it would not end."""
        ...


class OnePage:
    """There is no other page."""

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """None."""
        return None


@dataclass(slots=True)
class _Seen:
    """What was met in this run."""

    what: str
    known: set[bytes] = field(default_factory=set)

    def note(self, mark: bytes) -> None:
        if mark in self.known:
            raise Fault("PaginationLoop", f"the system gives the same {self.what} again")
        self.known.add(mark)


class Numbered:
    """Pages by a number in the query: each page adds `step`, or the records it has."""

    def __init__(self, param: str, *, start: int, step: int | None, size: int | None) -> None:
        self._param = param
        self._at = start
        self._step = step
        self._size = size
        self._seen = _Seen("page")

    def first(self) -> Place:
        """The first number."""
        return self._place()

    def after(self, page: Page) -> Place | None:
        """The next number, unless this page was empty or not full."""
        if not page.count or (self._size is not None and page.count < self._size):
            return None
        self._seen.note(page.digest)
        self._at += self._step if self._step is not None else page.count
        return self._place()

    def _place(self) -> Place:
        return Place(((self._param, str(self._at)),))


class Marked:
    """Pages by a cursor that the body gives."""

    def __init__(self, param: str) -> None:
        self._param = param
        self._seen = _Seen("cursor")

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """The page of the cursor."""
        if not page.mark:
            return None
        self._seen.note(page.mark.encode("utf-8", "surrogatepass"))
        return Place(((self._param, page.mark),))


class Linked:
    """Pages by a link, in the Link header when `rel` is given, else in the body."""

    def __init__(self, base_url: str, *, rel: str | None) -> None:
        self._base_url = base_url
        self._rel = rel
        self._seen = _Seen("link")

    def first(self) -> Place:
        """The call as it is."""
        return Place()

    def after(self, page: Page) -> Place | None:
        """The page that the link leads to."""
        link = links.related(page.headers, self._rel) if self._rel else page.mark or None
        if link is None:
            return None
        target = links.below(self._base_url, page.target, link)
        self._seen.note(target.encode())
        return Place(target=target)


def pager(spec: language.Pagination | None, base_url: str) -> Pager:
    """What leads through the pages of one run."""
    match spec:
        case language.Pagination(page=found) if found:
            return Numbered(found.param, start=found.start, step=1, size=found.size)
        case language.Pagination(offset=by_count) if by_count:
            size = by_count.size
            return Numbered(by_count.param, start=0, step=size, size=size)
        case language.Pagination(cursor=cursor) if cursor:
            return Marked(cursor.param)
        case language.Pagination(link_header=header) if header:
            return Linked(base_url, rel=header.rel)
        case language.Pagination(body_link=link) if link:
            return Linked(base_url, rel=None)
    return OnePage()
