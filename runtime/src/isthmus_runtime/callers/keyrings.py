"""Keyrings: the keys of issuers, fetched once for all Routes of a process and kept.

They are fetched when a token first needs them, and again when they are ten minutes old, which no
request waits for. A key id that is not among them has them fetched too, but not within a minute of
the last time: strangers send any id they like. Keys that cannot be fetched stay as they were.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from isthmus_runtime import logs, metrics
from isthmus_runtime.callers import jwks
from isthmus_runtime.faults import Fault
from isthmus_runtime.http import errors
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.limits import ClientLimits
from isthmus_runtime.http.origins import Origin
from isthmus_runtime.http.transport import Transport

Clock = Callable[[], float]

_OLD: Final = 600.0
_PAUSE: Final = 60.0
_FIRST_PAUSE: Final = 1.0
"""Seconds between attempts as long as there are no keys at all."""
_TIMEOUT: Final = 5.0
_LARGEST: Final = 256 * 1024


class Keyring(Protocol):
    """Where a token's key is looked up."""

    def find(self, kid: str | None, algorithm: str) -> Any | None:
        """The key, as far as it is at hand."""

    async def fetched(self, kid: str | None, algorithm: str) -> Any | None:
        """The key, after another look at what the issuer publishes, if it is time for that."""


class GivenKeys:
    """Keys that stand in the manifest."""

    def __init__(self, written: Iterable[dict[str, Any]]) -> None:
        self._jwks: jwks.Jwks | None = None
        try:
            self._jwks = jwks.Jwks(written)
        except jwks.NoJwks as error:
            logs.warning("no token can be checked", reason=str(error))

    def find(self, kid: str | None, algorithm: str) -> Any | None:
        """The key."""
        return self._jwks.find(kid, algorithm) if self._jwks else None

    async def fetched(self, kid: str | None, algorithm: str) -> Any | None:
        """There are no more than those given."""
        return None


class PublishedKeys:
    """Keys that an issuer publishes at a URL."""

    def __init__(self, url: str, transport: Transport, *, clock: Clock = time.monotonic) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._target = f"{parts.path or '/'}{parts.query and '?'}{parts.query}"
        self._transport = transport
        self._clock = clock
        self._jwks: jwks.Jwks | None = None
        self._fetched_at = 0.0
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    def find(self, kid: str | None, algorithm: str) -> Any | None:
        """The key, as far as it is at hand. Old keys are fetched again meanwhile."""
        if self._jwks is None:
            return None
        if self._clock() - self._fetched_at >= _OLD:
            self._fetch()
        return self._jwks.find(kid, algorithm)

    async def fetched(self, kid: str | None, algorithm: str) -> Any | None:
        """The key, after a fetch; `Fault` with 503 where there are no keys at all."""
        fetching = self._fetch()
        if fetching is not None:
            await asyncio.shield(fetching)
        if self._jwks is None:
            detail = "the keys that tokens are checked with cannot be had now"
            raise Fault("KeysUnavailable", detail, 503, headers=((b"retry-after", b"5"),))
        return self._jwks.find(kid, algorithm)

    def _fetch(self) -> asyncio.Task[None] | None:
        """The fetch that is under way; one is begun where the last was long enough ago."""
        if self._fetching is not None:
            return self._fetching
        pause = _FIRST_PAUSE if self._jwks is None else _PAUSE
        if self._clock() - self._tried_at < pause:
            return None
        self._tried_at = self._clock()
        self._fetching = asyncio.create_task(self._fetch_once())
        self._fetching.add_done_callback(self._done)
        return self._fetching

    def _done(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch_once(self) -> None:
        began = self._clock()
        try:
            self._jwks = jwks.parse(await self._published())
        except jwks.NoJwks as error:
            metrics.JWKS_FETCHES.labels("failed").inc()
            logs.warning("the keys of tokens cannot be had", host=self._host, detail=str(error))
            return
        self._fetched_at = began
        metrics.JWKS_FETCHES.labels("fetched").inc()

    async def _published(self) -> bytes:
        deadline = asyncio.get_running_loop().time() + _TIMEOUT
        headers = [(b"accept", b"application/json")]
        try:
            answer = await self._transport.send("GET", self._target, headers, deadline=deadline)
        except errors.ClientError as error:
            raise jwks.NoJwks(str(error)) from error
        if answer.status != 200:
            raise jwks.NoJwks(f"the issuer answered {answer.status}")
        return answer.body


class Keyrings:
    """The keyrings of a process, by URL."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._opened: dict[str, tuple[PublishedKeys, Client]] = {}

    def of(self, url: str) -> PublishedKeys:
        """The keys that are published there."""
        if url not in self._opened:
            client = _client(url)
            self._opened[url] = PublishedKeys(url, client, clock=self._clock), client
        return self._opened[url][0]

    async def keep(self, urls: Iterable[str]) -> None:
        """Forget all others."""
        gone = [self._opened.pop(url) for url in self._opened.keys() - set(urls)]
        for _, client in gone:
            await client.aclose()


def _client(url: str) -> Client:
    limits = ClientLimits(max_connections=1, connect_timeout=_TIMEOUT, max_response_bytes=_LARGEST)
    return Client(Origin.of(url), limits=limits)
