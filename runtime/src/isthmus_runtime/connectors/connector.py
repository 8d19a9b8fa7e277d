"""A Connector at work: every call to one system goes through one of these.

In order: credentials, rate limit, one attempt over the pool; again, where the call may be repeated
and time is left. What comes out is an answer with a good status, or an `Upstream` fault.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from isthmus_api.connector import Backoff, HttpTransport
from isthmus_runtime import logs, metrics
from isthmus_runtime.connectors import auth, backoff
from isthmus_runtime.connectors.failures import Failures
from isthmus_runtime.connectors.limits.lines import NoTurn
from isthmus_runtime.faults import Broken, Upstream
from isthmus_runtime.http import errors
from isthmus_runtime.http.heads import UnsafeHeader
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.http.streams import Stream
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import MissingSecret

if TYPE_CHECKING:  # most Connectors have none, and their processes need not read it
    from isthmus_runtime.connectors.limits.limiter import Limiter

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_DEFAULT_BACKOFF: Final = Backoff()
_AT_ONCE: Final = 0.05
"""Seconds in which a turn that is free has come, also where the journal must be asked."""
_NO_CREDENTIALS: Final = auth.Credentials()


class Call(NamedTuple):
    """One call, with everything but the sign-in. `target` is the path and query below baseUrl."""

    method: str
    target: str
    headers: list[Header]
    body: bytes
    repeatable: bool
    """Whether doing it twice is as good as doing it once."""
    judge: Callable[[Response], Upstream | None] | None = None
    """What finds the failure that an answer of 2xx tells of."""
    waits: bool = True
    """Whether it may wait for a turn of the rate limit, up to its deadline."""
    into: Stream | None = None
    """Where the body of a good answer goes as it comes. The deadline is for its head then."""


Send = Callable[[Call, float], Coroutine[Any, Any, Response]]
"""Make a call before a deadline."""


def common_headers(spec: HttpTransport) -> tuple[Header, ...]:
    """What every call carries."""
    return tuple((n.lower().encode(), v.encode()) for n, v in spec.headers.items())


class Connector:
    """One system: sends calls to it and judges the answers."""

    def __init__(
        self,
        namespace: str,
        name: str,
        spec: HttpTransport,
        *,
        transport: Transport,
        credentials: auth.Auth | None,
        base_path: str,
        limiter: "Limiter | None" = None,
    ) -> None:
        self.name = name
        self._failures = Failures(name)
        self.timeout = spec.timeout.seconds
        self.headers = common_headers(spec)
        self.answer = spec.answer
        key = spec.idempotency_key
        self.idempotency_header = key.header.lower().encode() if key else None
        self._transport = transport
        self._auth = credentials
        self._base_path = base_path
        self._limiter = limiter
        # What a Connector does not have costs its calls nothing, not even a frame.
        self._exchange = self._limited if self._limiter else self._sent
        self.attempt: Send = self._signed if credentials else self._exchange
        """The same as `send`, made once."""
        self._attempts = spec.retry.attempts if spec.retry else 1
        self.send: Send = self._repeated if self._attempts > 1 else self.attempt
        """Make a call; a 2xx answer comes back, anything else is an `Upstream` fault."""
        self._backoff = (spec.retry and spec.retry.backoff) or _DEFAULT_BACKOFF
        self._labels = (namespace, name)
        self._seconds = metrics.CALL_SECONDS.labels(namespace, name)
        self._waited = metrics.RATE_LIMIT_WAIT_SECONDS.labels(namespace, name)
        self._results = metrics.by_status(metrics.CALLS, namespace, name)
        self._now = asyncio.get_running_loop().time

    async def _repeated(self, call: Call, deadline: float) -> Response:
        attempt = 1
        while True:
            try:
                return await self.attempt(call, deadline)
            except Upstream as fault:
                wait = self._wait(call, fault, attempt)
                if wait is None or wait >= deadline - self._now():
                    raise
                self._note_retry(fault, attempt, wait)
            await asyncio.sleep(wait)
            attempt += 1

    def _wait(self, call: Call, fault: Upstream, attempt: int) -> float | None:
        """Seconds before the next attempt, or nothing when there is to be none."""
        if attempt >= self._attempts or not fault.passing:
            return None
        if call.into is not None and call.into.has_begun:  # its reader knows what it has of it
            return None
        if fault.sent and not call.repeatable:
            return None
        return backoff.wait(attempt, self._backoff, retry_after=fault.retry_after)

    def _note_retry(self, fault: Upstream, attempt: int, wait: float) -> None:
        metrics.RETRIES.labels(*self._labels).inc()
        logs.info(
            "call is tried again",
            connector=self.name,
            reason=fault.reason,
            attempt=attempt,
            waitSeconds=round(wait, 3),
        )

    async def _signed(self, call: Call, deadline: float) -> Response:
        proof = self._auth
        if proof is None:
            return await self._exchange(call, deadline)
        credentials = await self._credentials(proof, deadline)
        try:
            answer = await self._exchange(call, deadline, credentials)
        except Upstream as fault:
            if fault.answer is None or not self._judged(proof.refused, credentials, fault.answer):
                raise
        else:
            # What went into a stream cannot be read here, nor come in twice.
            is_taken = not proof.reads_answers or call.into is not None
            if is_taken or not self._judged(proof.refused, credentials, answer):
                return answer
        return await self._signed_anew(proof, call, deadline)

    async def _signed_anew(self, proof: auth.Auth, call: Call, deadline: float) -> Response:
        credentials = await self._credentials(proof, deadline)
        try:
            answer = await self._exchange(call, deadline, credentials)
        except Upstream as fault:
            if fault.answer is not None:
                self._judged(proof.in_vain, credentials, fault.answer)
            raise
        is_read = proof.reads_answers and call.into is None
        if is_read and self._judged(proof.in_vain, credentials, answer):
            raise self._failures.of_session()
        return answer

    def _judged(
        self,
        judge: Callable[[auth.Credentials, Response], bool],
        used: auth.Credentials,
        answer: Response,
    ) -> bool:
        try:
            return judge(used, answer)
        except auth.SignInFailed as error:
            raise self._failures.of_sign_in(error, sent=True) from error

    async def _credentials(self, proof: auth.Auth, deadline: float) -> auth.Credentials:
        try:
            return await proof.credentials(deadline=deadline)
        except MissingSecret as error:
            raise self._failures.of_secret(error) from error
        except auth.SignInFailed as error:
            raise self._failures.of_sign_in(error, sent=False) from error

    async def _limited(
        self, call: Call, deadline: float, credentials: auth.Credentials = _NO_CREDENTIALS
    ) -> Response:
        limiter = self._limiter
        if limiter is None:
            return await self._sent(call, deadline, credentials)
        in_time = deadline if call.waits else min(deadline, self._now() + _AT_ONCE)
        try:
            async with limiter.turn(deadline=in_time) as turn:
                self._waited.observe(turn.waited)
                answer = await self._sent(call, deadline, credentials, turn.sent)
        except NoTurn as error:
            raise self._failures.of_limit(error) from error
        except Upstream as fault:
            if fault.answer is not None:
                limiter.heed(fault.answer)
            raise
        limiter.heed(answer)
        return answer

    async def _sent(
        self,
        call: Call,
        deadline: float,
        credentials: auth.Credentials = _NO_CREDENTIALS,
        sent: Callable[[], None] | None = None,
    ) -> Response:
        target = self._base_path + call.target
        headers = list(call.headers)
        if call.into is None:
            # Tell the other side until when an answer is of use: Unix time in milliseconds.
            until = b"%d" % ((time.time() + deadline - self._now()) * 1000)
            headers.append((b"x-request-deadline", until))
        if credentials.sign:
            outgoing = auth.Outgoing(call.method, target, headers, call.body)
            credentials = self._signature(credentials.sign, outgoing)
        headers += credentials.headers
        if credentials.query:
            target += ("&" if "?" in target else "?") + credentials.query
        started = time.perf_counter()
        try:
            answer = await self._transport.send(
                call.method,
                target,
                headers,
                call.body,
                deadline=deadline,
                repeatable=call.repeatable,
                sent=sent,
                into=call.into,
            )
        except errors.ClientError as error:
            fault = self._failures.of_client(error)
            metrics.CALLS.labels(*self._labels, fault.reason).inc()
            raise fault from error
        except UnsafeHeader:  # its text may quote a credential
            detail = f"the path or a header of the call to {self.name} cannot be sent"
            raise Broken("UnsafeCall", detail) from None
        finally:
            self._seconds.observe(time.perf_counter() - started)
        if call.judge is not None and 200 <= answer.status < 300:
            self._judge(call.judge, answer)
        self._results[answer.status // 100].inc()
        if 200 <= answer.status < 300:
            return answer
        raise self._failures.of_status(answer)

    def _judge(self, judge: Callable[[Response], Upstream | None], answer: Response) -> None:
        """Fail where an answer of 2xx is none; it counts as the failure that it is."""
        try:
            failure = judge(answer)
        except Upstream as unread:
            failure = unread
        if failure is not None:
            metrics.CALLS.labels(*self._labels, failure.reason).inc()
            raise failure

    def _signature(
        self, sign: Callable[[auth.Outgoing], auth.Credentials], outgoing: auth.Outgoing
    ) -> auth.Credentials:
        try:
            return sign(outgoing)
        except auth.SignInFailed as error:
            raise self._failures.of_sign_in(error, sent=False) from error
