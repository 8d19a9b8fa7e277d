"""Sends what waits in the outbox, again and again, until somebody answers 2xx."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx

import signatures
from outbox import Outbox, Webhook

AT_ONCE = 16
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
PATIENCE = httpx.Timeout(5.0)


class Sender:
    """A loop over the outbox. `wake` tells it that something new may be due."""

    def __init__(self, outbox: Outbox, *, url: str, secret: str) -> None:
        self._outbox = outbox
        self._url = url
        self._secret = secret
        self._http = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
        self._news = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look again at once."""
        self._news.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send as long as the context lasts."""
        async with self._http:
            loop = asyncio.create_task(self._run())
            try:
                yield
            finally:
                tasks = [loop, *self._under_way.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            free = AT_ONCE - len(self._under_way)
            for webhook in self._outbox.due(besides=self._under_way, limit=free):
                self._under_way[webhook.number] = asyncio.create_task(self._send(webhook))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._wait())

    def _wait(self) -> float | None:
        """Until when only news matter: what is under way, and what is posted, brings some."""
        if len(self._under_way) == AT_ONCE:
            return None
        return self._outbox.next_due(besides=self._under_way)

    async def _send(self, webhook: Webhook) -> None:
        try:
            trouble = await self._trouble(webhook)
            if trouble is None:
                self._outbox.sent(webhook)
            else:
                wait = min(FIRST_WAIT * 2**webhook.attempts, LONGEST_WAIT)
                self._outbox.failed(webhook, trouble=trouble, again_in=wait)
        finally:
            del self._under_way[webhook.number]
            self._news.set()

    async def _trouble(self, webhook: Webhook) -> str | None:
        """Send once; what went wrong, if anything did."""
        headers = {
            "Content-Type": "application/json",
            "X-Shop-Topic": webhook.topic,
            **signatures.headers(self._secret, webhook.body, sent_at=time.time()),
        }
        try:
            answer = await self._http.post(self._url, content=webhook.body, headers=headers)
        except httpx.HTTPError as error:
            return f"{self._url} gave no answer: {type(error).__name__}"
        if answer.is_success:
            return None
        return f"{self._url} answered {answer.status_code}: {answer.text[:200]}"
