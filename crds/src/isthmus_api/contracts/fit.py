"""Fit: one call of a Route against one OpenAPI document.

Only what can be known without running is told: what depends on data, or what the document leaves
open, is no finding.
"""

import difflib
from collections.abc import Iterable, Iterator
from functools import partial

from isthmus_api.auth import carried
from isthmus_api.connector import HttpTransport
from isthmus_api.contracts import credentials, fields
from isthmus_api.contracts.findings import Finding, Kind
from isthmus_api.contracts.flow import Use
from isthmus_api.contracts.operations import HOLE, Directory, Operation
from isthmus_api.contracts.sent import UNKNOWN, Sent, of_template
from isthmus_api.contracts.shapes import Shape
from isthmus_api.expressions import engine, templates
from isthmus_api.plan import source_sites
from isthmus_api.poll import PollSource
from isthmus_api.problems import Severity

# "If in is header and the name field is Accept, Content-Type or Authorization, the parameter
# definition SHALL be ignored": OpenAPI 3.1, Parameter Object.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


def check(
    use: Use, directory: Directory, http: HttpTransport, poll: PollSource | None = None
) -> Iterator[Finding]:
    """What does not fit. `poll` is the source whose call it is, where it is one of a source."""
    path, _ = written_path(use.call.path)
    if path is None:
        return
    operation = directory.find(use.call.method, path, base_url=http.base_url)
    if operation is None:
        yield _missing(use, path, directory, http)
        return
    yield from credentials.check(use, operation, http)
    yield from _parameters(use, operation, http, poll)
    yield from _body(use, operation)
    yield from _answer(use, operation)


def find(use: Use, directory: Directory, http: HttpTransport) -> Operation | None:
    """The operation that a call means."""
    path, _ = written_path(use.call.path)
    return (path and directory.find(use.call.method, path, base_url=http.base_url)) or None


def written_path(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The path of a call with a `HOLE` for each expression, and the parameters written behind it.

    Nothing where it cannot be read, which is told elsewhere.
    """
    try:
        parsed = templates.parse(text)
    except engine.ExpressionError:
        return None, ()
    whole = "".join(part if isinstance(part, str) else HOLE for part in parsed.parts)
    path, _, query = whole.partition("?")
    return path, tuple(part.partition("=")[0] for part in query.split("&") if part)


def shown(path: str) -> str:
    """A path as people read it."""
    return path.replace(HOLE, "{…}")


def _missing(use: Use, path: str, directory: Directory, http: HttpTransport) -> Finding:
    methods = directory.of_path(path, base_url=http.base_url)
    name = f"{use.call.method} {shown(path)}"
    paths = dict.fromkeys(each.path for each in directory.all)
    near = difflib.get_close_matches(shown(path), paths, n=1)
    if methods:
        hint = f"the path has: {', '.join(methods)}"
    else:
        hint = f"did you mean {near[0]}?" if near else "look for what has taken its place"
    return Finding(
        Kind.OPERATION_MISSING,
        "request",
        use,
        name,
        f"{directory.document.name} has no operation {name}",
        hint,
    )


def sent_parameters(
    use: Use, http: HttpTransport, poll: PollSource | None
) -> dict[tuple[str, str], Sent]:
    """What a call sends beside its body, by place and name; names of headers in small letters."""
    _, in_path = written_path(use.call.path)
    found = {("query", name): UNKNOWN for name in in_path}
    found |= {("query", name): of_template(text) for name, text in use.call.query.items()}
    if poll and (param := source_sites.page_parameter(poll)):
        found["query", param] = UNKNOWN
    for headers in (http.headers, use.call.headers):
        found |= {("header", name.lower()): of_template(text) for name, text in headers.items()}
    if http.idempotency_key:
        found["header", http.idempotency_key.header.lower()] = UNKNOWN
    found |= dict.fromkeys(carried.by(http.auth), UNKNOWN)
    return found


def _parameters(
    use: Use, operation: Operation, http: HttpTransport, poll: PollSource | None
) -> Iterator[Finding]:
    given = sent_parameters(use, http, poll)
    found = partial(Finding, side="request", use=use, operation=operation.name)
    known: set[str] = set()
    for each in operation.parameters:
        key = (each.place, each.name.lower() if each.place == "header" else each.name)
        if each.place == "query":
            known.add(each.name)
        if each.place not in ("query", "header") or key[1] in _IGNORED_HEADERS:
            continue
        sent = given.get(key) or _deep(given, each.name)
        if sent is None:
            if each.is_required:
                yield found(
                    kind=Kind.PARAMETER_REQUIRED,
                    message=f"the {each.place} parameter '{each.name}' is required and not sent",
                    hint=f"write it into {_home(each.place)} of the call",
                    parameter=f"{each.place} {each.name}",
                )
        else:
            yield from _values(found, sent, each.shape, parameter=f"{each.place} {each.name}")
    yield from _unknown(found, use, known)


def _deep(given: Iterable[tuple[str, str]], name: str) -> Sent | None:
    """A parameter that is sent field by field, as `filter[status]`."""
    return UNKNOWN if any(key.startswith(f"{name}[") for _, key in given) else None


def _home(place: str) -> str:
    return "headers" if place == "header" else "query"


def _unknown(found: "partial[Finding]", use: Use, known: set[str]) -> Iterator[Finding]:
    for name in use.call.query:
        if name not in known and name.partition("[")[0] not in known:
            near = difflib.get_close_matches(name, known, n=1)
            there = ", ".join(sorted(known)) or "none"
            yield found(
                kind=Kind.PARAMETER_UNKNOWN,
                message=f"the operation has no query parameter '{name}'",
                hint=f"did you mean '{near[0]}'?" if near else f"it has: {there}",
                parameter=f"query {name}",
                severity=Severity.WARNING,
            )


def _body(use: Use, operation: Operation) -> Iterator[Finding]:
    found = partial(Finding, side="request", use=use, operation=operation.name)
    if operation.needs_body and not use.sends_body:
        yield found(
            kind=Kind.BODY_REQUIRED,
            message="the operation needs a body and none is sent",
            hint="write body into the call",
        )
    if use.sends_body and operation.body:
        yield from _sent(found, use.body, operation.body, "$")


def _sent(found: "partial[Finding]", sent: Sent, shape: Shape, path: str) -> Iterator[Finding]:
    """What is sent, against what is taken."""
    yield from _values(found, sent, shape, json_path=path)
    if sent.items and shape.items:
        yield from _sent(found, sent.items, shape.items, f"{path}[]")
    if sent.fields is None:
        return
    for name in shape.required:
        if name not in sent.fields:
            yield found(
                kind=Kind.BODY_FIELD_REQUIRED,
                message=f"the field {path}.{name} is required and not sent",
                hint="add it to the body",
                json_path=f"{path}.{name}",
            )
    for name, inner in sent.fields.items():
        field = shape.field(name)
        if field is not None:
            yield from _sent(found, inner, field, f"{path}.{name}")
        elif "object" in shape.own.types:
            near = difflib.get_close_matches(name, shape.names, n=1)
            yield found(
                kind=Kind.BODY_FIELD_UNKNOWN,
                message=f"the operation takes no field {path}.{name}",
                hint=f"did you mean '{near[0]}'?"
                if near
                else f"it takes: {', '.join(shape.names)}",
                json_path=f"{path}.{name}",
                severity=Severity.ERROR if shape.is_closed else Severity.WARNING,
            )


def _values(
    found: "partial[Finding]", sent: Sent, shape: Shape, *, json_path: str = "", parameter: str = ""
) -> Iterator[Finding]:
    """The type and the value of what is sent."""
    place = json_path or parameter
    enum = shape.enum
    if sent.constant and enum is not None and sent.constant[0] not in enum:
        value = sent.constant[0]
        yield found(
            kind=Kind.VALUE_REFUSED,
            message=f"{place} is always {value!r}, which is not one of the values it may have",
            hint=f"it may be: {', '.join(str(each) for each in enum)}",
            json_path=json_path,
            parameter=parameter,
        )
    elif not parameter and not fields.are_taken(sent.types, shape.types):
        yield found(
            kind=Kind.TYPE_REFUSED,
            message=f"{place} is {fields.listed(sent.types)} and must be "
            f"{fields.listed(shape.types)}",
            hint="send it as that",
            json_path=json_path,
        )


def _answer(use: Use, operation: Operation) -> Iterator[Finding]:
    found = partial(Finding, side="answer", use=use, operation=operation.name)
    if operation.answers_json is False and any(read.fields for read in use.reads):
        yield found(
            kind=Kind.ANSWER_NOT_JSON,
            message=f"{operation.name} does not answer JSON, which is read",
            hint="see what the document says of its answer",
        )
    for read in use.reads:
        if operation.answer is None or not read.is_sure:
            continue
        missing = fields.missing(operation.answer, read.fields)
        if missing:
            yield found(
                kind=Kind.FIELD_MISSING,
                message=f"the answer of {operation.name} has no field {missing.path}",
                hint=missing.hint,
                json_path=missing.path,
                read=read,
            )
