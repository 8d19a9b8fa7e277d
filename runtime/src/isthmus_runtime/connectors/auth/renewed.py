"""Renewed credentials: another system gives them for a time, and they serve all calls until then.

While they are fetched, every call that needs them waits for the same answer. They are fetched again
when a tenth of their life is left, and at once after a refusal. Where that fails in a way that may
pass while the old ones are good still, the old ones serve on.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from isthmus_runtime.connectors import backoff
from isthmus_runtime.connectors.auth.scheme import Credentials, SignInFailed
from isthmus_runtime.connectors.flights import Flights
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.http.transport import Transport

_RENEWED_AT: Final = 0.9
_AGAIN_SECONDS: Final = 1.0
"""Between attempts to renew what is good still."""


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
        now: Callable[[], float] | None = None,
    ) -> None:
        self._fetch = fetch
        self._asked = asked
        self._timeout = timeout
        self._current = Credentials()
        self._renew_at = 0.0
        self._good_until = 0.0
        self._flights: Flights[None] = Flights()
        self._now = now or asyncio.get_running_loop().time

    async def get(self, *, deadline: float) -> Credentials:
        """The credentials, fetched first where they are missing or old."""
        if self._now() >= self._renew_at:
            try:
                await self._flights.join("renewal", self._renew, deadline=deadline)
            except TimeoutError:
                raise late(self._asked) from None
        return self._current

    def drop(self, used: Credentials) -> bool:
        """These were refused: the next call fetches new ones, unless one did already."""
        if used is self._current:
            self._renew_at = self._good_until = 0.0
        return True

    async def _renew(self) -> None:
        asked_at = self._now()
        try:
            fetched = await self._fetch(asked_at + self._timeout)
        except SignInFailed as failed:
            if not failed.passing or self._now() >= self._good_until:
                raise
            self._renew_at = min(self._now() + _AGAIN_SECONDS, self._good_until)
            return
        self._current = fetched.credentials
        self._renew_at = asked_at + fetched.life * _RENEWED_AT
        self._good_until = asked_at + fetched.life


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


def refuse(asked: str, status: int) -> NoReturn:
    """Fail with the status of an answer."""
    passing = status in backoff.PASSING
    raise SignInFailed(f"{asked} answered {status}", passing=passing)


def late(asked: str) -> SignInFailed:
    """The other side took too long."""
    return SignInFailed(f"{asked} did not answer in time", status=504, passing=True)
