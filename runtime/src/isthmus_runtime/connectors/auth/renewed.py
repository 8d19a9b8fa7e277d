"""Renewed credentials: another system gives them for a time, and they serve all calls until then.

While they are fetched, every call that needs them waits for the same answer. They are fetched again
when a tenth of their life is left, and at once after a refusal. Where that fails in a way that may
pass while the old ones are good still, the old ones serve on. After a failure nobody is asked for a
while: calls fail as the last one did.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from isthmus_api.model import KeyRef
from isthmus_runtime.connectors import backoff
from isthmus_runtime.connectors.auth.holdoff import (
    WHEN_FAILED,
    WHEN_IN_VAIN,
    WHEN_REFUSED,
    Fingerprint,
    Holdoff,
)
from isthmus_runtime.connectors.auth.record import Record
from isthmus_runtime.connectors.auth.scheme import Credentials, SignInFailed
from isthmus_runtime.connectors.flights import Flights
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Header, Response, header
from isthmus_runtime.http.transport import Transport

_RENEWED_AT: Final = 0.9
_EARLY: Final = 0.01
"""Seconds by which a timer may wake a call before its time."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Credentials, and the seconds that they are good for from when they were asked for."""

    credentials: Credentials
    life: float


class Renewed:
    """The credentials at hand. `fetch` gets new ones before a deadline, or fails."""

    def __init__(
        self,
        fetch: Callable[[float], Coroutine[Any, Any, Fetched]],
        *,
        asked: str,
        timeout: float,
        fingerprint: Fingerprint,
        record: Record,
        now: Callable[[], float] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`fingerprint` is of the Secrets that a fetch reads."""
        self._fetch = fetch
        self._asked = asked
        self._timeout = timeout
        self._current = Credentials()
        self._renew_at = 0.0
        self._good_until = 0.0
        self._flights: Flights[None] = Flights()
        self._now = now or asyncio.get_running_loop().time
        self._fingerprint = fingerprint
        self._record = record
        self._holdoff = Holdoff(fingerprint, self._now, jitter)
        self._failure: SignInFailed | None = None
        self._kept = Holdoff(fingerprint, self._now, jitter)
        self._was_in_vain = Credentials()

    @property
    def is_refused(self) -> bool:
        """Whether the last fetch was refused."""
        return self._record.is_refused

    def at_hand(self) -> Credentials | None:
        """The credentials, unless they are missing or old."""
        return self._current if self._now() < self._renew_at else None

    async def get(self, *, deadline: float) -> Credentials:
        """The credentials, fetched first where they are missing or old."""
        if self._now() >= self._renew_at:
            left = self._holdoff.left
            if left and self._failure:
                raise self._failure.held(left + _EARLY)
            try:
                await self._flights.join("renewal", self._renew, deadline=deadline)
            except TimeoutError:
                raise late(self._asked) from None
        return self._current

    def drop(self, used: Credentials) -> bool:
        """These were refused: the next call fetches new ones, unless one did already.

        Not so for a while after new ones were refused, too.
        """
        if used is self._current:
            if self._kept.left:
                return False
            self._renew_at = self._good_until = 0.0
        return True

    def in_vain(self, used: Credentials) -> None:
        """These are new, and were refused."""
        if used is self._current and used is not self._was_in_vain:
            self._was_in_vain = used
            self._kept.begin(WHEN_IN_VAIN, used=self._fingerprint())

    async def _renew(self) -> None:
        asked_at = self._now()
        used = self._fingerprint()
        try:
            fetched = await self._fetch(asked_at + self._timeout)
        except SignInFailed as failed:
            self._hold_off(failed, used)
            left = self._holdoff.left
            if not failed.passing or self._now() >= self._good_until:
                raise failed.held(left + _EARLY) from failed
            self._renew_at = min(self._now() + left, self._good_until)
            return
        self._record.worked()
        self._holdoff.end()
        self._failure = None
        self._current = fetched.credentials
        self._renew_at = asked_at + fetched.life * _RENEWED_AT
        self._good_until = asked_at + fetched.life

    def _hold_off(self, failed: SignInFailed, used: int) -> None:
        self._record.failed(failed)
        self._failure = failed
        terms = WHEN_REFUSED if failed.refused else WHEN_FAILED
        self._holdoff.begin(terms, used=used, retry_after=failed.retry_after)


async def ask(
    way: Transport,
    method: str,
    target: str,
    headers: list[Header],
    body: bytes,
    *,
    asked: str,
    deadline: float,
) -> Response:
    """Send one request of a sign-in; `asked` says to whom. Its failures name no address."""
    try:
        return await way.send(method, target, headers, body, deadline=deadline)
    except errors.DeadlineExceeded:
        raise late(asked) from None
    except errors.ClientError:  # its text names the address
        raise SignInFailed(f"{asked} cannot be reached", passing=True) from None
    except ValueError:  # its text may quote a credential
        raise SignInFailed(f"the request to {asked} cannot be sent") from None


def refuse(asked: str, answer: Response, *, said: str = "", secrets: str = "") -> NoReturn:
    """Fail with the status of an answer, and a word that it `said`.

    `secrets` is there where it does not take the credentials, and names what holds them.
    """
    status = answer.status
    word = f" ({said})" if said else ""
    refusal = f": it does not take what {secrets} holds" if secrets else ""
    raise SignInFailed(
        f"{asked} answered {status}{word}{refusal}",
        passing=not secrets and (status in backoff.PASSING or status >= 500),
        refused=bool(secrets),
        retry_after=backoff.retry_after(header(answer.headers, b"retry-after")),
    )


def holders(refs: Iterable[KeyRef]) -> str:
    """The Secrets that are referred to, as a person would name them."""
    names = sorted({f"'{ref.name}'" for ref in refs})
    return f"the Secret {' or '.join(names)}" if names else "the Connector"


def late(asked: str) -> SignInFailed:
    """The other side took too long."""
    return SignInFailed(f"{asked} did not answer in time", status=504, passing=True)
