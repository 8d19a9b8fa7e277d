"""A runtime with a journal, as tests see it: its ports, and what its journal holds."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import manifests_text

from isthmus_runtime import secrets
from isthmus_runtime.journal import journeys
from isthmus_runtime.runtime import Runtime, Settings

_KEPT = """
    SELECT m.uid, m.route, m.key, m.version, m.identity, m.body, m.request,
           coalesce(o.state, q.state), coalesce(o.reason, a.reason, ''),
           coalesce(o.detail, a.detail, ''), coalesce(o.attempts, q.attempts),
           coalesce(q.state = 'dead', 0), coalesce(o.journey, a.journey, x'')
    FROM messages AS m
    LEFT JOIN queue AS q USING (sequence) LEFT JOIN outcomes AS o USING (sequence)
    LEFT JOIN (SELECT sequence, reason, detail, journey, max(ended_at) FROM attempts
               GROUP BY sequence) AS a USING (sequence)
    WHERE m.route = ? ORDER BY m.sequence
"""


@dataclass(frozen=True)
class Kept:
    """A message as the journal has it."""

    uid: str
    route: str
    key: str | None
    version: str | None
    identity: str
    body: bytes
    request: bytes
    state: str
    reason: str
    detail: str
    attempts: int
    holds: bool
    journey: bytes


class Carrier:
    """One running runtime and the file of its journal."""

    def __init__(self, address: str, secrets_file: Path, given: dict[str, str]) -> None:
        self.address = address
        self._secrets = secrets_file
        self.write_secrets(given)

    def write_secrets(self, given: dict[str, str]) -> None:
        """Give it these secrets, now or in place of others."""
        self._secrets.write_text("".join(f"{name}={value}\n" for name, value in given.items()))

    async def start(self, *documents: str, **settings: Any) -> None:
        """Start it, or start it again."""
        given = {"port": 0, "admin_port": 0, "drain_seconds": 0.0, **settings}
        self.runtime = Runtime(
            Settings(**{"journal": self.address, **given}), secrets.at(self._secrets)
        )
        await self.runtime.load(manifests_text.plans(*documents))
        self.port, admin_port = await self.runtime.start()
        self.http = self._caller(self.port)
        self.admin = self._caller(admin_port)

    async def stop(self) -> None:
        """Drain it."""
        await self.runtime.drain()
        await self.http.aclose()
        await self.admin.aclose()

    async def post(self, path: str = "/hook", **more: Any) -> httpx.Response:
        return await self.http.post(path, **more)

    async def send(self, *bodies: Any, path: str = "/hook") -> None:
        """Send messages one after the other; all must be accepted."""
        for body in bodies:
            answer = await self.post(path, json=body)
            assert answer.status_code == 202, answer.text

    async def load(self, *documents: str) -> None:
        await self.runtime.load(manifests_text.plans(*documents))

    async def metrics(self) -> str:
        return (await self.admin.get("/metrics")).text

    async def status(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.admin.get("/status")).json()
        return found

    def messages(self, route: str = "default/it") -> list[Kept]:
        """The messages of a Route, in the order in which they were accepted."""
        with closing(sqlite3.connect(self.address.removeprefix("sqlite:"))) as db:
            rows = db.execute(_KEPT, (route,)).fetchall()
        return [Kept(*(*row[:-1], journeys.unpack(row[-1]))) for row in rows]

    async def until(
        self, holds: Callable[[list[Kept]], bool], *, route: str = "default/it", within: float = 20
    ) -> list[Kept]:
        """Wait until something is true of the messages of a Route."""
        deadline = time.monotonic() + within
        while not holds(found := self.messages(route)):
            if time.monotonic() > deadline:
                states = Counter((each.state, each.reason) for each in found)
                raise AssertionError(f"not so within {within:g} s: {states}")
            await asyncio.sleep(0.01)
        return found

    async def until_settled(
        self, count: int, *, route: str = "default/it", within: float = 20
    ) -> list[Kept]:
        """Wait until so many messages of a Route are settled."""

        def settled(found: list[Kept]) -> bool:
            return sum(each.state not in ("new", "processing", "retry") for each in found) >= count

        return await self.until(settled, route=route, within=within)

    def _caller(self, port: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            timeout=15.0,
            limits=httpx.Limits(max_connections=None),
            verify=False,  # noqa: S501 - no TLS here; reading the certificates takes 20 ms
        )


Carry = Callable[..., Awaitable[Carrier]]
