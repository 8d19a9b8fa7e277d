"""Visits: the pods of Routes that have a contract are asked what they saw of answers.

Each is asked for `/status` on its admin port once a minute, or less often where there are many:
never more than `PER_SECOND`, spread over the time. Pods cannot tell by themselves, for they have no
right to write anything in the cluster (docs/adr/0025). One that does not answer is asked again in
the next round. No other Route costs anything.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

import aiohttp

from isthmus_api.resources import Key
from isthmus_operator import metrics, sightings
from isthmus_operator.live import Pod
from isthmus_operator.sightings import Account, Sightings

EVERY_SECONDS: Final = 60.0
PER_SECOND: Final = 25
AT_ONCE: Final = 16
"""Routes whose pods are asked at the same time; of each Route one pod after the other."""
ANSWER_SECONDS: Final = 5.0
MAX_BYTES: Final = 1 << 20
_IDLE_SECONDS: Final = 5.0
"""Until it is seen that a Route has a contract, where none had one."""

_log = logging.getLogger(__name__)


class Visits:
    """Asks for as long as `run` runs. `wake` gets the Route of which something else was told."""

    def __init__(
        self,
        pods: Callable[[Key], list[Pod]],
        known: Sightings,
        *,
        wake: Callable[[Key], None],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._all_pods = pods
        self._known = known
        self._wake = wake
        self._every = every
        self._room = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[Key]:
        """The Routes whose pods are asked."""
        return self._known.routes()

    async def run(self) -> None:
        """Ask, round after round."""
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, force_close=True),
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
                trust_env=False,
            ) as session,
            asyncio.TaskGroup() as visits,
        ):
            while True:
                routes = self.routes()
                pods = sum(len(self._pods(route)) for route in routes)
                gap = max(self._every / max(pods, 1), 1 / PER_SECOND)
                for route in routes:
                    await self._room.acquire()
                    visits.create_task(self._visit(session, route))
                    spread = random.uniform(0.8, 1.2)  # noqa: S311 - no secret
                    await asyncio.sleep(gap * len(self._pods(route)) * spread)
                if not pods:
                    await asyncio.sleep(min(self._every, _IDLE_SECONDS))

    def _pods(self, route: Key) -> list[Pod]:
        return sightings.asked(self._all_pods(route))

    async def _visit(self, session: aiohttp.ClientSession, route: Key) -> None:
        try:
            pods = self._pods(route)
            found = {pod.uid: await _asked(session, route, pod.address) for pod in pods}
            told = {uid: account for uid, account in found.items() if account}
            if self._known.take(route, told, present=[pod.uid for pod in pods]):
                self._wake(route)
        except Exception:  # one Route must not end the visits to all others
            _log.exception("visit failed")
        finally:
            self._room.release()


async def _asked(session: aiohttp.ClientSession, route: Key, address: str) -> Account | None:
    """What a pod tells; None when it does not answer, or nothing that we know."""
    account = None
    try:
        async with session.get(f"http://{address}/status", allow_redirects=False) as answer:
            if answer.status == 200:
                account = sightings.read(await _body(answer), route)
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass  # counted below, and asked again in the next round
    metrics.visited("told" if account else "failed")
    return account


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """The body; nothing where it is longer than any of ours."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > MAX_BYTES:
            return b""
    return bytes(body)
