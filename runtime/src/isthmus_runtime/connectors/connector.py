"""A Connector at work: every call to one system goes through one of these.

In order: credentials, rate limit, one attempt over the pool; again, where the call may be repeated
and time is left. What comes out is an answer with a good status, or an `Upstream` fault.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from isthmus_api.connector import Backoff, HttpTransport
from isthmus_runtime import logs, metrics
from isthmus_runtime.connectors import auth, backoff, rate
from isthmus_runtime.faults import Broken, Upstream
from isthmus_runtime.http import errors
from isthmus_runtime.http.heads import UnsafeHeader
from isthmus_runtime.http.messages import Header, Response, header
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import MissingSecret

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_DEFAULT_BACKOFF: Final = Backoff()
_NO_CREDENTIALS: Final = auth.Credentials()


class Call(NamedTuple):
    """One call, with everything but the sign-in. `target` is the path and query below baseUrl."""

    method: str
    target: str
    headers: list[Header]
    body: bytes
    repeatable: bool
    """Whether doing it twice is as good as doing it once."""


Send = Callable[[Call, float], Coroutine[Any, Any, Response]]
"""Make a call before a deadline."""


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
    ) -> None:
        self.name = name
        self.timeout = spec.timeout.seconds
        self.headers = tuple((n.lower().encode(), v.encode()) for n, v in spec.headers.items())
        key = spec.idempotency_key
        self.idempotency_header = key.header.lower().encode() if key else None
        self._transport = transport
        self._auth = credentials
        self._base_path = base_path
        self._limiter = (
            rate.RateLimiter(spec.rate_limit, at_once=spec.max_connections)
            if spec.rate_limit
            else None
        )
        # What a Connector does not have costs its calls nothing, not even a frame.
        self._exchange = self._limited if self._limiter else self._sent
        self._attempt = self._signed if credentials else self._exchange
        self._attempts = spec.retry.attempts if spec.retry else 1
        self.send: Send = self._repeated if self._attempts > 1 else self._attempt
        """Make a call; a 2xx answer comes back, anything else is an `Upstream` fault."""
        self._backoff = (spec.retry and spec.retry.backoff) or _DEFAULT_BACKOFF
        self._labels = (namespace, name)
        self._seconds = metrics.CALL_SECONDS.labels(namespace, name)
        self._results = metrics.by_status(metrics.CALLS, namespace, name)
        self._now = asyncio.get_running_loop().time

    async def _repeated(self, call: Call, deadline: float) -> Response:
        attempt = 1
        while True:
            try:
                return await self._attempt(call, deadline)
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
            return await self._exchange(call, deadline, credentials)
        except Upstream as fault:
            if fault.answered != 401 or not proof.refused(credentials):
                raise
        renewed = await self._credentials(proof, deadline)
        return await self._exchange(call, deadline, renewed)

    async def _credentials(self, proof: auth.Auth, deadline: float) -> auth.Credentials:
        try:
            return await proof.credentials(deadline=deadline)
        except MissingSecret as error:
            detail = f"{self.name} cannot sign in: {error}"
            raise self._fault("SecretMissing", detail, sent=False) from error
        except auth.SignInFailed as error:
            raise self._fault(
                "SignInFailed",
                f"{self.name} cannot sign in: {error}",
                status=error.status,
                passing=error.passing,
                sent=False,
            ) from error

    async def _limited(
        self, call: Call, deadline: float, credentials: auth.Credentials = _NO_CREDENTIALS
    ) -> Response:
        limiter = self._limiter
        if limiter is None:
            return await self._sent(call, deadline, credentials)
        try:
            async with limiter.turn(deadline=deadline) as waited:
                metrics.RATE_LIMIT_WAIT_SECONDS.labels(*self._labels).observe(waited)
                return await self._sent(call, deadline, credentials)
        except rate.Overdue as error:
            detail = f"the rate limit of {self.name} leaves no room for this call in time"
            raise self._fault("RateLimited", detail, status=503, sent=False) from error

    async def _sent(
        self, call: Call, deadline: float, credentials: auth.Credentials = _NO_CREDENTIALS
    ) -> Response:
        target = self._base_path + call.target
        if credentials.query:
            target += ("&" if "?" in target else "?") + credentials.query
        # Tell the other side until when an answer is of use: Unix time in milliseconds.
        until = b"%d" % ((time.time() + deadline - self._now()) * 1000)
        headers = [*call.headers, (b"x-request-deadline", until), *credentials.headers]
        started = time.perf_counter()
        try:
            answer = await self._transport.send(
                call.method,
                target,
                headers,
                call.body,
                deadline=deadline,
                repeatable=call.repeatable,
            )
        except errors.ClientError as error:
            fault = self._failed(error)
            metrics.CALLS.labels(*self._labels, fault.reason).inc()
            raise fault from error
        except UnsafeHeader:  # its text may quote a credential
            detail = f"the path or a header of the call to {self.name} cannot be sent"
            raise Broken("UnsafeCall", detail) from None
        finally:
            self._seconds.observe(time.perf_counter() - started)
        self._results[answer.status // 100].inc()
        if 200 <= answer.status < 300:
            return answer
        raise self._bad_status(answer)

    def _bad_status(self, answer: Response) -> Upstream:
        return Upstream(
            "UnexpectedStatus",
            f"{self.name} answered {answer.status}",
            connector=self.name,
            answered=answer.status,
            answer=answer,
            passing=answer.status in backoff.PASSING,
            retry_after=backoff.retry_after(header(answer.headers, b"retry-after")),
        )

    def _failed(self, error: errors.ClientError) -> Upstream:
        name = self.name
        match error:
            case errors.ConnectFailed() | errors.ClientClosed():
                detail = f"{name} cannot be reached"
                return self._fault("ConnectFailed", detail, passing=True, sent=False)
            case errors.DeadlineExceeded():
                detail = f"{name} did not answer in time ({_PHASES[error.phase]})"
                return self._fault("Timeout", detail, status=504, passing=True, sent=error.sent)
            case errors.ConnectionBroken():
                detail = f"{name} closed the connection before its answer was whole"
                return self._fault("ConnectionBroken", detail, passing=True, sent=error.sent)
            case errors.ResponseTooLarge():
                detail = f"{name} answered more than {error.limit} bytes"
                return self._fault("ResponseTooLarge", detail, sent=error.sent)
            case _:
                detail = f"{name} answered what cannot be read: {error}"
                return self._fault("InvalidAnswer", detail, sent=error.sent)

    def _fault(
        self, reason: str, detail: str, *, status: int = 502, passing: bool = False, sent: bool
    ) -> Upstream:
        return Upstream(
            reason, detail, connector=self.name, status=status, passing=passing, sent=sent
        )


_PHASES: Final = {
    "connect": "while connecting",
    "pool": "while waiting for a free connection",
    "response": "while waiting for its answer",
}
