"""Sources: what a source says makes sense beyond its form."""

from collections.abc import Iterator

from isthmus_api import cron, time_zones
from isthmus_api.pagination import Pagination
from isthmus_api.plan import callers, source_sites
from isthmus_api.poll import PollSource
from isthmus_api.problems import Code, Path, Problem, ineffective
from isthmus_api.quantities import Duration
from isthmus_api.route import RouteSpec

_SOURCE: Path = ("spec", "source")


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Everything that is wrong with the source of a Route."""
    source = spec.source
    if source.http:
        yield from callers.check(source.http, (*_SOURCE, "http"), "auth")
    if source.webhook:
        yield from callers.check(source.webhook, (*_SOURCE, "webhook"), "verify")
    if source.schedule:
        path = (*_SOURCE, "schedule")
        yield from _cron(source.schedule.cron, source.schedule.time_zone, path)
        if source.schedule.starting_deadline and source.schedule.missed == "skip":
            yield ineffective(
                "with missed: skip no missed time is ever made up for",
                "remove startingDeadline, or write missed: once",
                (*path, "startingDeadline"),
            )
    if source.poll:
        yield from _poll(source.poll, (*_SOURCE, "poll"))
        if source.poll.change_detection and not (spec.message and spec.message.key):
            yield Problem(
                Code.MISSING_FIELD,
                "changes are told by message.key, and this Route has none",
                hint="write message: {key: …} with what names a record, such as {% sku %}",
                path=(*_SOURCE, "poll", "changeDetection"),
            )


def _poll(poll: PollSource, path: Path) -> Iterator[Problem]:
    if poll.every is not None:
        yield from at_least("1s", poll.every, (*path, "every"))
    if poll.cron is not None:
        yield from _cron(poll.cron, poll.time_zone or "UTC", path)
    if poll.document:
        yield from _document(poll, path)
    if poll.pagination:
        yield from _pagination(poll, poll.pagination, path)
    if poll.watermark and not source_sites.call_reads("watermark", poll):
        yield ineffective(
            "the call does not read $watermark, so every run reads everything",
            "write it into the query, such as updated_after: '{% $watermark %}'",
            (*path, "watermark"),
        )


def _document(poll: PollSource, path: Path) -> Iterator[Problem]:
    """A document is cut into its records as it comes, and never there as a whole."""
    if poll.records != PollSource.model_fields["records"].default:
        yield Problem(
            Code.MISPLACED,
            "the records of a document are what it is cut into, and records is not read",
            hint="remove records, and leave some of them out with a filter step",
            path=(*path, "records"),
        )
    answer = poll.call.answer
    for name in ("as", "failWhen") if answer else ():
        if answer and name in answer.written():
            yield Problem(
                Code.MISPLACED,
                f"the answer is read as the document says, and {name} is not read",
                hint=f"remove {name}; charset may stay",
                path=(*path, "call", "answer", name),
            )


def _pagination(poll: PollSource, pages: Pagination, path: Path) -> Iterator[Problem]:
    """A parameter that pages go by belongs to the pages, and a cursor goes to one place."""
    param = source_sites.page_parameter(poll)
    if param in poll.call.query and not pages.keyset:
        given = "a page gives it" if pages.cursor else "the first page gets it, too"
        yield Problem(
            Code.NAME_CLASH,
            f"the query has '{param}' already, which pages go by",
            hint=f"remove it from the query: {given}",
            path=(*path, "call", "query", param),
        )
    writes_cursor = source_sites.call_reads("cursor", poll)
    if pages.cursor and pages.cursor.param and writes_cursor:
        yield Problem(
            Code.NAME_CLASH,
            f"the call writes $cursor itself, and the query has it as '{pages.cursor.param}', too",
            hint="remove param, or $cursor from the call",
            path=(*path, "pagination", "cursor", "param"),
        )
    sized = pages.page or pages.keyset
    if pages.more and sized and sized.size is not None:
        yield ineffective(
            "more says which page is the last, so size is not read",
            "remove size, or more",
            (*path, "pagination", "page" if pages.page else "keyset", "size"),
        )
    if pages.connection and not writes_cursor:
        yield Problem(
            Code.MISSING_FIELD,
            "the call does not read $cursor, so every page would be the first",
            hint="write it into a variable of the query, such as "
            "body: {query: …, variables: {after: '{% $cursor %}'}}",
            path=(*path, "call"),
        )


def _cron(text: str, zone: str, path: Path) -> Iterator[Problem]:
    try:
        cron.parse(text, zone)
    except cron.BadCron as bad:
        yield Problem(Code.INVALID_VALUE, str(bad), hint=bad.hint, path=(*path, "cron"))
    except time_zones.UnknownTimeZone as unknown:
        near = f"did you mean {unknown.near}?" if unknown.near else "write it like Europe/Amsterdam"
        yield Problem(Code.INVALID_VALUE, str(unknown), hint=near, path=(*path, "timeZone"))


def at_least(least: str, given: Duration, path: Path) -> Iterator[Problem]:
    """A time that is too short to mean anything."""
    if given.seconds < Duration(least).seconds:
        yield Problem(
            Code.INVALID_VALUE,
            f"{given} is too short",
            hint=f"write {least} or more",
            path=path,
        )
