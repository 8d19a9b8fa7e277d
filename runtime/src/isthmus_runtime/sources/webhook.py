"""Webhook: takes requests, writes them into the journal, and only then answers that it did.

In order: a challenge is answered; the guard lets the request pass; there must be room; its
messages are made; they are written; the sender gets its reply. Where the journal cannot take them,
the answer is 503 with the time to come back: whoever sends again loses nothing.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.json_text import JsonTextError
from isthmus_api.plan import RoutePlan
from isthmus_api.verification import Verification
from isthmus_api.webhook import Reply, WebhookSource
from isthmus_runtime import faults, logs, metrics
from isthmus_runtime.body import JSON, Body, is_json
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.endpoint import Endpoint, Guarding
from isthmus_runtime.exchange import SENT_FIELDS, Exchange, request_variable
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Request, Response, header
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.journal.journal import Messages, Unavailable
from isthmus_runtime.sources import payload
from isthmus_runtime.sources.room import Room
from isthmus_runtime.steps import flow, respond
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Plain
from isthmus_runtime.tracing import Trace

_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
_SOON: Final = ((b"retry-after", b"5"),)
_LATER: Final = ((b"retry-after", b"30"),)
_NO_LIMIT: Final = float("inf")
_FAILURES: Final = (Fault, ExpressionError, JsonTextError)


class Webhook(Endpoint):
    """The endpoint of one Route that takes messages. `stored` are the parts of `$request` that the
    Route's steps read."""

    def __init__(
        self,
        plan: RoutePlan,
        spec: WebhookSource,
        *,
        journal: Callable[[], Messages],
        guard: Guarding | None,
        binder: Binder,
        drafter: Drafter,
        stored: frozenset[str],
        room: Room,
    ) -> None:
        if plan.source.is_guarded and guard is None:
            raise TypeError("this webhook needs its guard")
        super().__init__(plan, method=spec.method, path=spec.path, max_body=spec.max_body.bytes)
        self._journal = journal
        self._drafter = drafter
        self._room = room
        self._challenge = _challenge(spec, binder)
        self._guard = guard
        self._payload = payload.reader(spec.body) if spec.body else None
        self._split = binder.template(spec.split) if spec.split else None
        self._reply = _reply(spec.reply, binder)
        self._read = binder.request_fields & SENT_FIELDS
        self._stored = stored
        self._hidden = _CREDENTIALS | _key_header(spec.verify)
        self._hidden_parameter = _key_parameter(spec.verify)
        self._variables = {
            "route": {"name": plan.name, "namespace": plan.namespace},
            "env": plan.env,
        }
        labels = (plan.namespace, plan.name)
        self._accepted = metrics.MESSAGES_ACCEPTED.labels(*labels)
        self._seconds = metrics.ACCEPT_SECONDS.labels(*labels)
        own = spec.challenge.method if spec.challenge else None
        self.endpoints: tuple[Endpoint, ...] = (self,)
        if own and own != spec.method:
            self.endpoints += (_ChallengeOnly(plan, self, own),)

    def start(self) -> None:
        """It takes requests as long as the server has it in its table."""

    async def stop(self) -> None:
        """The server lets requests under way end."""

    def status(self) -> dict[str, Any]:
        """How callers reach it."""
        return {"kind": "webhook", "method": self.method, "path": self.path}

    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Take the messages of a request; a `Fault` where it is not to be had."""
        x = self._exchange(request, params, trace)
        sent = x.body
        challenged = self.challenged(request, x)
        if challenged is not None:
            return challenged

        async def take(x: Exchange) -> Response:
            if self._payload and x.body is sent:  # else it was read for the challenge
                x.body = self._payload(request)
            return await self._taken(request.head, params, x)

        return await self._guard.answer(request, x, take) if self._guard else await take(x)

    async def _taken(self, head: Head, params: dict[str, str], x: Exchange) -> Response:
        """Write the messages, and say so."""
        started = time.perf_counter()
        drafts = self._drafts(head, params, x)
        await self._accept(drafts)
        self._accepted.inc(len(drafts))
        self._seconds.observe(time.perf_counter() - started)
        return self._replied(x, drafts)

    def take_challenge(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Answer a request that can only be a challenge."""
        found = self.challenged(request, self._exchange(request, params, trace))
        if found is None:
            raise Fault("MethodNotAllowed", f"messages are sent with {self.method}", 405)
        return found

    def challenged(self, request: Request, x: Exchange) -> Response | None:
        """The answer to a challenge; nothing to what is none."""
        if self._challenge is None:
            return None
        is_one, answer = self._challenge
        try:
            if self._payload:
                x.body = self._payload(request)
            if not is_one(x):
                return None
        except _FAILURES:
            return None
        try:
            answer(x)
        except ExpressionError as error:
            raise faults.from_expression(error) from error
        return x.response and _as_written(x.response)

    def _exchange(self, request: Request, params: dict[str, str], trace: Trace) -> Exchange:
        kind = header(request.head.headers, b"content-type") or b""
        known = {"request": request_variable(request.head, params, self._read)}
        return Exchange(
            Body(request.body, content_type=kind),
            variables={**self._variables, **known},
            deadline=_NO_LIMIT,
            trace=trace,
        )

    def _drafts(self, head: Head, params: dict[str, str], x: Exchange) -> list[Draft]:
        stored = self._request(head, params, x.variables["request"].get("caller"))
        return [
            self._drafter.draft(body, trace=x.trace, request=x.variables["request"], stored=stored)
            for body in self._bodies(x)
        ]

    def _bodies(self, x: Exchange) -> list[Body]:
        """One body a message."""
        if self._split is None:
            return [x.body]
        try:
            elements = flow.as_list(self._split.value(x))
        except ExpressionError as error:
            raise faults.from_expression(error) from error
        return [Body.of(element, x.large) for element in elements]

    def _request(self, head: Head, params: dict[str, str], caller: Any) -> bytes:
        """What steps will read of the request, without what proves who sent it."""
        if not self._stored:
            return b"{}"
        found = request_variable(head, params, self._stored & SENT_FIELDS)
        if caller is not None and "caller" in self._stored:
            found["caller"] = caller
        if "headers" in found:
            given = found["headers"].items()
            found["headers"] = {name: v for name, v in given if name not in self._hidden}
        if self._hidden_parameter and "query" in found:
            found["query"].pop(self._hidden_parameter, None)
        return orjson.dumps(found)

    async def _accept(self, drafts: Sequence[Draft]) -> None:
        try:
            journal = self._journal()
            if not await self._room.is_there(journal):
                raise Fault("BacklogFull", "too many messages wait", 503, headers=_LATER)
            await journal.accept(drafts)
        except Unavailable as error:
            detail = "messages cannot be kept safe now"
            raise Fault("JournalUnavailable", detail, 503, headers=_SOON) from error
        self._room.take(len(drafts))

    def _replied(self, x: Exchange, drafts: Sequence[Draft]) -> Response:
        """The reply. The messages are safe: a reply that fails must not have them sent again."""
        x.variables["messages"] = [{"id": draft.uid, "key": draft.key} for draft in drafts]
        try:
            if self._reply is not None:
                self._reply(x)
                return _as_written(x.response) if x.response else Response(202)
        except _FAILURES as failure:
            logs.warning(
                "the reply of a webhook failed; its messages are accepted",
                route=self.name,
                correlationId=x.trace.correlation_id,
                reason=type(failure).__name__,
            )
        counted = orjson.dumps({"accepted": len(drafts)})
        return Response(202, [(b"content-type", JSON)], counted)


def _as_written(answer: Response) -> Response:
    """An answer that says it is no JSON, and is a text, is sent as that text: senders compare it
    byte for byte."""
    kind = header(answer.headers, b"content-type")
    if kind is not None and not is_json(kind) and answer.body.startswith(b'"'):
        answer.body = str(orjson.loads(answer.body)).encode()
    return answer


class _ChallengeOnly(Endpoint):
    """Where challenges come with a method of their own."""

    def __init__(self, plan: RoutePlan, webhook: Webhook, method: str) -> None:
        super().__init__(plan, method=method, path=webhook.path, max_body=webhook.max_body)
        self._webhook = webhook

    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Answer a challenge."""
        return self._webhook.take_challenge(request, params, trace)


def _challenge(
    spec: WebhookSource, binder: Binder
) -> tuple[Callable[[Exchange], bool], Plain] | None:
    if spec.challenge is None:
        return None
    when = binder.template(spec.challenge.when)

    def is_one(x: Exchange) -> bool:
        return flow.is_true(when.value(x))

    return is_one, respond.compile(spec.challenge.respond, binder)


def _reply(spec: Reply | None, binder: Binder) -> Plain | None:
    """The reply that a Route gives; without a body of its own it tells how many there were."""
    if spec is None:
        return None
    fields = tuple((n.lower().encode(), t) for n, t in binder.templates(spec.headers))
    written = spec.body if "body" in spec.written() else {"accepted": "{% $count($messages) %}"}
    tree = binder.tree(written)

    def reply(x: Exchange) -> None:
        headers = [(name, text.header(x)) for name, text in fields]
        x.end(respond.answer(tree.body(x), status=spec.status, headers=headers))

    return reply


def _key_header(spec: Verification | None) -> frozenset[str]:
    """The header that carries an API key."""
    key = spec.api_key if spec else None
    return frozenset({key.header.lower()} if key and key.header else ())


def _key_parameter(spec: Verification | None) -> str | None:
    """The query parameter that carries an API key."""
    return spec.api_key.query if spec and spec.api_key else None
