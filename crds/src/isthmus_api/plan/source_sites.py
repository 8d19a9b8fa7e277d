"""Sites of a source: where it holds expressions, and what they read before there is a message."""

from collections.abc import Iterator

from isthmus_api.pagination import Pagination
from isthmus_api.plan import expression_checks, scope
from isthmus_api.plan.site import Site, Template, call, respond, tree
from isthmus_api.poll import PollSource
from isthmus_api.problems import Path
from isthmus_api.proofs import Hmac
from isthmus_api.route import RouteSpec
from isthmus_api.schedule import ScheduleSource
from isthmus_api.webhook import WebhookSource

_SOURCE: Path = ("spec", "source")
_REQUEST = scope.EVERYWHERE | {"request"}


def sites(spec: RouteSpec) -> Iterator[Site]:
    """The sites of the source, and of what is read when it makes messages."""
    source = spec.source
    if source.http and source.http.auth and source.http.auth.hmac:
        yield from _hmac(source.http.auth.hmac, (*_SOURCE, "http", "auth", "hmac"))
    if source.webhook:
        yield from _webhook(source.webhook, (*_SOURCE, "webhook"))
    if source.schedule:
        yield from _schedule(source.schedule, (*_SOURCE, "schedule"))
    if source.poll:
        yield from _poll(source.poll, (*_SOURCE, "poll"))
    if spec.message:
        known = scope.of_acceptance(source)
        if spec.message.key:
            yield Template(("spec", "message", "key"), spec.message.key, known)
        yield from _whole(("spec", "message", "version"), spec.message.version, known)


def _webhook(webhook: WebhookSource, path: Path) -> Iterator[Site]:
    if webhook.verify and webhook.verify.hmac:
        yield from _hmac(webhook.verify.hmac, (*path, "verify", "hmac"))
    yield from _whole((*path, "split"), webhook.split, _REQUEST)
    if webhook.reply:
        known = _REQUEST | {"messages"}
        yield from tree(webhook.reply.headers, (*path, "reply", "headers"), known)
        yield from tree(webhook.reply.body, (*path, "reply", "body"), known)
    if webhook.challenge:
        yield from _whole((*path, "challenge", "when"), webhook.challenge.when, _REQUEST)
        yield from respond(webhook.challenge.respond, (*path, "challenge", "respond"), _REQUEST)


def _hmac(hmac: Hmac, path: Path) -> Iterator[Site]:
    yield from _whole((*path, "timestamp"), hmac.timestamp, _REQUEST)
    if hmac.signed:
        known = _REQUEST | {"body"} | ({"timestamp"} if hmac.timestamp else set())
        yield Template((*path, "signed"), hmac.signed, known)


def _schedule(schedule: ScheduleSource, path: Path) -> Iterator[Site]:
    yield from tree(schedule.body, (*path, "body"), scope.EVERYWHERE | {"scheduledAt"})


def call_reads(variable: str, poll: PollSource) -> bool:
    """Whether the call of a poll reads a variable."""
    return any(
        isinstance(site, Template) and expression_checks.reads(variable, site.text)
        for site in call(poll.call, (), frozenset())
    )


def page_parameter(poll: PollSource) -> str | None:
    """The query parameter that pages go by, where they go by one."""
    pages = poll.pagination
    if pages is None:
        return None
    if pages.cursor:
        writes_cursor = call_reads("cursor", poll)
        return pages.cursor.param or (None if writes_cursor else "cursor")
    way = pages.page or pages.offset or pages.keyset
    return way.param if way else None


def _poll(poll: PollSource, path: Path) -> Iterator[Site]:
    known = scope.EVERYWHERE
    pages = poll.pagination
    of_call = {"watermark"} if poll.watermark else set()
    of_call |= {"cursor"} if pages and (pages.cursor or pages.connection) else set()
    yield from call(poll.call, (*path, "call"), known | of_call)
    if poll.pagination:
        yield from _pagination(poll.pagination, (*path, "pagination"))
    yield from _whole((*path, "records"), poll.records, known)
    if poll.watermark:
        yield from _whole((*path, "watermark", "value"), poll.watermark.value, known)
        if poll.watermark.initial:
            yield Template((*path, "watermark", "initial"), poll.watermark.initial, known)
    if poll.change_detection:
        at = (*path, "changeDetection", "fields")
        yield from _whole(at, poll.change_detection.fields, known)


def _pagination(pages: Pagination, path: Path) -> Iterator[Site]:
    known = scope.EVERYWHERE
    if pages.cursor:
        yield from _whole((*path, "cursor", "value"), pages.cursor.value, known)
    if pages.keyset:
        yield from _whole((*path, "keyset", "id"), pages.keyset.id, known)
    if pages.connection:
        yield from _whole((*path, "connection", "pageInfo"), pages.connection.page_info, known)
    if pages.body_link:
        yield from _whole((*path, "bodyLink", "url"), pages.body_link.url, known)
    yield from _whole((*path, "more"), pages.more, known)
    yield from _whole((*path, "total"), pages.total, known)


def _whole(path: Path, text: str | None, known: frozenset[str]) -> Iterator[Site]:
    if text is not None:
        yield Template(path, text, known, is_whole=True)
