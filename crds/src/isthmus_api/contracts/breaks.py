"""Breaks: what a new version of a vendor's document does to the calls of a Route.

Whatever did not fit before is no news. A document against itself breaks nothing.
"""

import difflib
from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from isthmus_api.connector import HttpTransport
from isthmus_api.contracts import credentials, fields, fit
from isthmus_api.contracts.findings import Finding, Kind
from isthmus_api.contracts.flow import Read, Use
from isthmus_api.contracts.operations import Directory, Operation, server_url
from isthmus_api.contracts.sent import Sent
from isthmus_api.contracts.shapes import Shape
from isthmus_api.poll import PollSource
from isthmus_api.problems import Severity

MAX_DEPTH: Final = 12
MAX_VISITED: Final = 2000
"""Fields below a value that is handed on with all that is in it."""

_NULL: Final = frozenset({"null"})
_Make = partial[Finding]


def breaks(
    use: Use, old: Directory, new: Directory, http: HttpTransport, poll: PollSource | None = None
) -> Iterator[Finding]:
    """What fits the old document and not the new one, and what means something else there."""
    known = {finding.sign for finding in fit.check(use, old, http, poll)}
    found: dict[tuple[object, ...], Finding] = {}
    for finding in (*_changes(use, old, new, http, poll), *fit.check(use, new, http, poll)):
        if finding.sign not in known:
            found.setdefault(finding.sign, finding)
    yield from found.values()


def _changes(
    use: Use, old: Directory, new: Directory, http: HttpTransport, poll: PollSource | None
) -> Iterator[Finding]:
    before, after = fit.find(use, old, http), fit.find(use, new, http)
    if before and after:
        yield from _moved(use, before, after, http)
        yield from _parameters(use, before, after, http, poll)
        yield from _bodies(use, before, after)
        yield from _answers(use, before, after)


def _moved(use: Use, old: Operation, new: Operation, http: HttpTransport) -> Iterator[Finding]:
    found = partial(Finding, side="request", use=use, operation=new.name)
    warned = partial(found, severity=Severity.WARNING)
    before, after = _servers(old), _servers(new)
    if after and http.base_url.rstrip("/") in before - after:
        yield warned(
            kind=Kind.ADDRESS_MOVED,
            message=f"{http.base_url} is no server of the document any more",
            hint=f"the servers are: {', '.join(sorted(after))}",
            parameter="baseUrl",
        )
    oauth = http.auth and http.auth.oauth2
    tokens = credentials.token_urls(new)
    if oauth and tokens and oauth.token_url in credentials.token_urls(old) - tokens:
        yield warned(
            kind=Kind.AUTH_MOVED,
            message=f"{oauth.token_url} is no token endpoint of the document any more",
            hint=f"it is now: {', '.join(sorted(tokens))}",
            parameter="auth",
        )


def _servers(operation: Operation) -> frozenset[str]:
    urls = (
        server_url(s) for s in operation.document.objects(operation.document.root.get("servers"))
    )
    return frozenset(url.rstrip("/") for url in urls if urlsplit(url).scheme)


# What is sent


def _parameters(
    use: Use, old: Operation, new: Operation, http: HttpTransport, poll: PollSource | None
) -> Iterator[Finding]:
    found = partial(Finding, side="request", use=use, operation=new.name)
    given = fit.sent_parameters(use, http, poll)
    before = {(each.place, each.name.lower()): each for each in old.parameters}
    for each in new.parameters:
        is_header = each.place == "header"
        sent = given.get((each.place, each.name.lower() if is_header else each.name))
        same = before.get((each.place, each.name.lower()))
        if same and (sent or each.place == "path"):
            place = f"{each.place} {each.name}"
            make = partial(found, parameter=place)
            yield from _narrowed(make, sent or Sent(), same.shape, each.shape, place)


def _bodies(use: Use, old: Operation, new: Operation) -> Iterator[Finding]:
    found = partial(Finding, side="request", use=use, operation=new.name)
    if use.sends_body and old.body and new.body:
        yield from _sent(found, use.body, old.body, new.body, "$")


def _sent(found: _Make, sent: Sent, old: Shape, new: Shape, path: str) -> Iterator[Finding]:
    yield from _narrowed(partial(found, json_path=path), sent, old, new, path)
    if sent.items and old.items and new.items:
        yield from _sent(found, sent.items, old.items, new.items, f"{path}[]")
    for name, inner in (sent.fields or {}).items():
        before, after = old.field(name), new.field(name)
        if before and after:
            yield from _sent(found, inner, before, after, f"{path}.{name}")


def _narrowed(make: _Make, sent: Sent, old: Shape, new: Shape, place: str) -> Iterator[Finding]:
    """Types and values that were taken and are not any more."""
    gone = fields.added(new.types, old.types) - _NULL
    if gone and not (sent.types and not sent.types & gone):
        yield make(
            kind=Kind.TYPE_REFUSED,
            message=f"{place} was {fields.listed(old.types)}, and must be "
            f"{fields.listed(new.types)} now",
            hint="send it as that",
        )
    if sent.constant or new.enum is None:
        return  # a fixed value is held against the new document by itself
    refused = [value for value in old.enum or () if value not in new.enum]
    if refused or old.enum is None:
        what = (
            f"takes {', '.join(map(str, refused))} no more" if refused else "has a list of values"
        )
        yield make(
            kind=Kind.VALUE_REFUSED,
            message=f"{place} {what}",
            hint=f"it may be: {', '.join(map(str, new.enum))}",
            severity=Severity.WARNING,
        )


# What is read


def _answers(use: Use, old: Operation, new: Operation) -> Iterator[Finding]:
    if old.answer is None or new.answer is None:
        return
    for read in use.reads:
        make = partial(Finding, side="answer", use=use, operation=new.name, read=read)
        yield from _read(make, read, old.answer, new.answer)


def _read(make: _Make, read: Read, old: Shape, new: Shape) -> Iterator[Finding]:
    path = "$"
    yield from _changed(make, path, old, new, is_used=not read.fields)
    for number, name in enumerate(read.fields, 1):
        path = f"{fields.elements(path, old)}.{name}"
        before, after = old.field(name), new.field(name)
        if before is None:
            return
        if after is None:
            yield _gone(make, path, old, new)
            return
        if name in old.required and name not in new.required:
            yield _optional(make, path)
        yield from _changed(make, path, before, after, is_used=number == len(read.fields))
        old, new = before, after
    if read.is_whole:
        yield from _Below(make).compare(path, old, new)


def _gone(
    make: _Make, path: str, old: Shape, new: Shape, severity: Severity = Severity.ERROR
) -> Finding:
    """`old` and `new` are what the field stood in and does not stand in any more."""
    known = old.names
    fresh = [name for name in new.names if name not in known]
    near = difflib.get_close_matches(path.rpartition(".")[2], fresh, n=1, cutoff=0.5)
    return make(
        kind=Kind.FIELD_MISSING,
        message=f"the answer has no field {path} any more",
        hint=_renamed(near, fresh),
        json_path=path,
        severity=severity,
    )


def _renamed(near: list[str], fresh: list[str]) -> str:
    if near:
        return f"it may be called '{near[0]}' now"
    return f"new there: {', '.join(fresh[:10])}" if fresh else ""


def _changed(
    make: _Make,
    path: str,
    old: Shape,
    new: Shape,
    *,
    is_used: bool,
    severity: Severity = Severity.ERROR,
) -> Iterator[Finding]:
    """What is different about a value that is still there."""
    make = partial(make, json_path=path)
    added = fields.added(old.types, new.types)
    if added - _NULL:
        yield make(
            kind=Kind.FIELD_RETYPED,
            message=f"{path} was {fields.listed(old.types)}, and is {fields.listed(new.types)} now",
            hint="see what becomes of it where it is read",
            severity=severity,
        )
    elif added:
        yield make(
            kind=Kind.FIELD_OPTIONAL,
            message=f"{path} may be null now",
            hint="give it a default where it is read",
            severity=Severity.WARNING,
        )
    if is_used and old.enum is not None:
        values = [value for value in new.enum or () if value not in old.enum]
        if values or new.enum is None:
            what = ", ".join(map(str, values)) if values else "any value"
            yield make(
                kind=Kind.VALUES_ADDED,
                message=f"{path} may be {what} now",
                hint="see what becomes of it where it is read",
                severity=Severity.WARNING,
            )
    old_items, new_items = old.items, new.items
    if old.is_list and new.is_list and old_items and new_items:
        yield from _changed(
            make, f"{path}[]", old_items, new_items, is_used=is_used, severity=severity
        )


class _Below:
    """A comparison of all that is in a value, which goes wherever the value goes."""

    def __init__(self, make: _Make) -> None:
        self._make = make
        self._seen: set[tuple[int, ...]] = set()

    def compare(self, path: str, old: Shape, new: Shape, depth: int = 0) -> Iterator[Finding]:
        """Fields that are gone or of another type: each may matter to whoever gets the value."""
        sign = tuple(id(part) for part in (*old.own.all, *new.own.all))
        if depth >= MAX_DEPTH or len(self._seen) >= MAX_VISITED or sign in self._seen:
            return
        self._seen.add(sign)
        optional = set(old.required) - set(new.required)
        inside = fields.elements(path, old)
        for name in old.names:
            at = f"{inside}.{name}"
            before, after = old.field(name), new.field(name)
            if before is None:
                continue
            if after is None:
                yield _gone(self._make, at, old, new, Severity.WARNING)
                continue
            if name in optional:
                yield _optional(self._make, at)
            yield from _changed(
                self._make, at, before, after, is_used=True, severity=Severity.WARNING
            )
            yield from self.compare(at, before, after, depth + 1)


def _optional(make: _Make, path: str) -> Finding:
    return make(
        kind=Kind.FIELD_OPTIONAL,
        message=f"{path} may be left out now",
        hint="give it a default where it is read",
        json_path=path,
        severity=Severity.WARNING,
    )
