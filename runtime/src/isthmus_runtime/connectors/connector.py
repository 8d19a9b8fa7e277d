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
    from isthmus_runtime.connectors.limits.limiter import Limiter, Turn

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
        self._attempts = spec.retry.attempts if spec.retry else 1
        # What a Connector does not have costs its calls nothing, not even a frame.
        self.send: Send = self._repeated if self._attempts > 1 else self.attempt
        """Make a call; a 2xx answer comes back, anything else is an `Upstream` fault."""
        self._backoff = (spec.retry and spec.retry.backoff) or _DEFAULT_BACKOFF
        self._labels = (namespace, name)
        self._seconds = metrics.CALL_SECONDS.labels(namespace, name)
        self._waited = metrics.RATE_LIMIT_WAIT_SECONDS.labels(namespace, name)
        self._results = metrics.by_status(metrics.CALLS, namespace, name)
        self._now = asyncio.get_running_loop().time
        self._deadline = 0.0
        """Of the call before: calls of one moment have the same, and it is written once."""
        self._until = self._told(self._deadline)

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

    async def attempt(self, call: Call, deadline: float, *, is_anew: bool = False) -> Response:
        """The same as `send`, made once; `is_anew` where the credentials before were refused.

        It is one coroutine, for each one that waits inside another costs a call as much as what
        is done here.
        """
        method, path, headers, body, repeatable, judge, _, into = call
        proof, credentials = self._auth, _NO_CREDENTIALS
        limiter, turn, sent, answer = self._limiter, None, None, None
        if proof is not None:
            try:
                credentials = proof.at_hand() or await proof.credentials(deadline=deadline)
            except (MissingSecret, auth.SignInFailed) as error:
                raise self._failures.of_credentials(error) from error
        if limiter is not None:
            turn = limiter.at_once(deadline) or await self._turn(limiter, call, deadline)
            self._waited.observe(turn.waited)
            sent = turn.sent
        try:
            target = self._base_path + path
            headers = [*headers]
            if into is None:
                if deadline != self._deadline:
                    self._deadline, self._until = deadline, self._told(deadline)
                headers.append(self._until)
            carried = credentials
            if credentials.sign:
                outgoing = auth.Outgoing(method, target, headers, body)
                carried = self._signature(credentials.sign, outgoing)
            headers += carried.headers
            if carried.query:
                target += ("&" if "?" in target else "?") + carried.query
            started = time.perf_counter()
            try:
                answer = await self._transport.send(
                    method,
                    target,
                    headers,
                    body,
                    deadline=deadline,
                    repeatable=repeatable,
                    sent=sent,
                    into=into,
                )
            finally:
                self._seconds.observe(time.perf_counter() - started)
        except errors.ClientError as error:
            raise self._counted(self._failures.of_client(error)) from error
        except UnsafeHeader:  # its text may quote a credential
            detail = f"the path or a header of the call to {self.name} cannot be sent"
            raise Broken("UnsafeCall", detail) from None
        finally:
            if limiter is not None and turn is not None:
                limiter.leave(turn, answer)
        failure = self._failure(answer, judge)
        # What went into a stream cannot be read here, nor come in twice.
        if (
            proof is not None
            and (failure is not None or (proof.reads_answers and into is None))
            and self._signs_anew(proof, credentials, answer, is_anew=is_anew)
        ):
            return await self.attempt(call, deadline, is_anew=True)
        if failure is not None:
            raise failure
        return answer

    def _failure(
        self, answer: Response, judge: Callable[[Response], Upstream | None] | None
    ) -> Upstream | None:
        """What an answer fails as, if it does; it is counted as that, or by its status."""
        status = answer.status
        is_good = 200 <= status < 300
        if is_good and judge is not None:
            try:
                failure = judge(answer)
            except Upstream as unread:
                failure = unread
            if failure is not None:
                return self._counted(failure)
        self._results[status // 100].inc()
        return None if is_good else self._failures.of_status(answer)

    def _counted(self, failure: Upstream) -> Upstream:
        metrics.CALLS.labels(*self._labels, failure.reason).inc()
        return failure

    def _signs_anew(
        self, proof: auth.Auth, used: auth.Credentials, answer: Response, *, is_anew: bool
    ) -> bool:
        """Whether new credentials are worth another attempt. Those that are new already are not
        replaced again."""
        try:
            if not is_anew:
                return proof.refused(used, answer)
            is_in_vain = proof.in_vain(used, answer)
        except auth.SignInFailed as error:
            raise self._failures.of_sign_in(error, sent=True) from error
        if is_in_vain and 200 <= answer.status < 300:
            raise self._failures.of_session()
        return False

    async def _turn(self, limiter: "Limiter", call: Call, deadline: float) -> "Turn":
        in_time = deadline if call.waits else min(deadline, self._now() + _AT_ONCE)
        try:
            return await limiter.come(in_time)
        except NoTurn as error:
            raise self._failures.of_limit(error) from error

    def _told(self, deadline: float) -> Header:
        """Until when an answer is of use, for the other side: Unix time in milliseconds."""
        return b"x-request-deadline", b"%d" % ((time.time() + deadline - self._now()) * 1000)

    def _signature(
        self, sign: Callable[[auth.Outgoing], auth.Credentials], outgoing: auth.Outgoing
    ) -> auth.Credentials:
        try:
            return sign(outgoing)
        except auth.SignInFailed as error:
            raise self._failures.of_sign_in(error, sent=False) from error
