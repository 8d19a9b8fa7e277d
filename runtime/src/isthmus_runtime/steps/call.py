"""call: ask a connector, and take its answer."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from urllib.parse import quote

from isthmus_api.answer import Answer
from isthmus_api.step import Step
from isthmus_runtime import answers, metrics, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.connectors import cache
from isthmus_runtime.connectors.connector import IDEMPOTENT, Call
from isthmus_runtime.exchange import IDENTITY, PLACE, Exchange
from isthmus_runtime.faults import Upstream, out_of_time
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.steps import contents
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Waiting

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""

Write = Callable[[Exchange], Call]


class System(Protocol):
    """A Connector, as far as steps know it."""

    name: str
    timeout: float
    headers: tuple[Header, ...]
    answer: Answer | None
    """How its answers are taken, where a call does not say."""
    idempotency_header: bytes | None
    """The field by which the system knows a call that it had before."""

    @property
    def send(self) -> Callable[[Call, float], Coroutine[Any, Any, Response]]:
        """Make a call before a deadline."""
        ...


def compile(
    step: Step, binder: Binder, connector: System, labels: tuple[str, ...], *, mark: str = ""
) -> Waiting:
    """The verb of a call step. `labels` are namespace, route and step; `mark` tells the step from
    others of its Route that write to the same system."""
    write = writer(step, binder, connector, mark=mark)
    read = answers.reader((step.call and step.call.answer) or connector.answer, connector.name)
    timeout = step.timeout.seconds if step.timeout else connector.timeout
    now = asyncio.get_running_loop().time

    def deadline(x: Exchange) -> float:
        at = now()
        if at >= x.deadline:
            raise out_of_time()
        return min(x.deadline, at + timeout)

    async def call(x: Exchange) -> Body:
        until = deadline(x)
        return read(await connector.send(write(x), until))

    if step.cache is None:
        return call

    kept = cache.of(step.cache)
    key = binder.template(step.cache.key) if step.cache.key else None

    async def fetch(request: Call) -> Response:
        # Others may join this call, so it does not end with the time of who asked first.
        return await connector.send(request, now() + timeout)

    async def cached(x: Exchange) -> Body:
        until = deadline(x)
        request = write(x)
        name = key.text(x).encode() if key else _default_key(request)
        try:
            answer, outcome = await kept.get(name, request, fetch, deadline=until)
        except TimeoutError as error:
            detail = f"{connector.name} did not answer in time (while waiting for its answer)"
            raise Upstream("Timeout", detail, connector=connector.name, status=504) from error
        metrics.CACHE_REQUESTS.labels(*labels, outcome).inc()
        return read(answer)

    return cached


def writer(step: Step, binder: Binder, connector: System, *, mark: str = "") -> Write:
    """Compile what writes a call's request from a message."""
    spec = step.call
    if spec is None:
        raise TypeError("not a call step")
    method = spec.method
    repeatable = spec.idempotent or method in IDEMPOTENT
    path = binder.template(spec.path)
    fixed = path.fixed_path()
    query = tuple((quote(name, safe=""), t) for name, t in binder.templates(spec.query))
    fields = tuple((n.lower().encode(), t) for n, t in binder.templates(spec.headers))
    own = {name for name, _ in fields}
    static = tuple((name, value) for name, value in connector.headers if name not in own)
    has_type = b"content-type" in own or any(name == b"content-type" for name, _ in static)
    content = contents.compile(spec, binder)
    judge = answers.judge(spec.answer or connector.answer, connector.name, binder)

    def write(x: Exchange) -> Call:
        target = path.path(x) if fixed is None else fixed
        if query:
            pairs = [f"{name}={value}" for name, values in query for value in values.query(x)]
            if pairs:
                target += ("&" if "?" in target else "?") + "&".join(pairs)
        headers = x.trace.headers()
        headers += static
        for name, text in fields:
            headers.append((name, text.header(x)))
        body = b""
        if content:
            body, kind = content(x)
            if kind and not has_type:
                headers.append((b"content-type", kind))
        return Call(method, target, headers, body, repeatable, judge)

    if connector.idempotency_header and method in WRITING:
        return _with_key(write, connector.idempotency_header, mark)
    return write


def _with_key(write: Write, name: bytes, mark: str) -> Write:
    """Send what makes this call of this message, or batch, one and the same, however often it is
    made.

    A message of a Route that answers its caller has no identity, and so sends none.
    """

    def keyed(x: Exchange) -> Call:
        call = write(x)
        identity = x.variables.get(IDENTITY)
        if identity is None:
            return call
        place = x.variables.get(PLACE, "")
        call.headers.append((name, f"{identity}{mark}{place}".encode("latin-1")))
        return call._replace(repeatable=True)

    return keyed


def _default_key(call: Call) -> bytes:
    """All of the call that its answer may follow from. What one caller is allowed to see, by a
    header that the step passes on, is not shown to another."""
    fields = b"".join(b"%b:%b\n" % pair for pair in call.headers if pair[0] not in tracing.FIELDS)
    digest = hashlib.sha256(fields + call.body).digest()
    return f"{call.method} {call.target} ".encode() + digest
