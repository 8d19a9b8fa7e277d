"""A runtime with a journal, as tests see it: its ports, and what its journal holds."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import manifests_text

from isthmus_runtime import secrets
from isthmus_runtime.journal.journeys import unpack
from isthmus_runtime.runtime import Runtime, Settings

_IN_SCHEMA = {"search_path": "isthmus"}
_KEPT = """
    SELECT m.uid, m.route, m.key, m.version, m.identity, m.body, m.request,
           coalesce(o.state, q.state) AS state, coalesce(o.reason, a.reason, '') AS reason,
           coalesce(o.detail, a.detail, '') AS detail, coalesce(o.attempts, q.attempts) AS attempts,
           coalesce(q.state, '') = 'dead' AS holds, coalesce(o.journey, a.journey) AS journey,
           m.parent, m.correlation_id
    FROM messages AS m
    LEFT JOIN queue AS q ON q.sequence = m.sequence
    LEFT JOIN outcomes AS o ON o.sequence = m.sequence
    LEFT JOIN attempts AS a ON a.sequence = m.sequence AND a.ended_at =
              (SELECT max(ended_at) FROM attempts AS b WHERE b.sequence = m.sequence)
    WHERE m.route = $1 ORDER BY m.sequence
"""
_SETTLED = "SELECT count(*) AS settled FROM outcomes WHERE route = $1"


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
    parent: str | None
    correlation_id: str

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What the journey tells of each step."""
        found: list[dict[str, Any]] = json.loads(self.journey)["steps"]
        return found


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

    async def messages(self, route: str = "default/it") -> list[Kept]:
        """The messages of a Route, in the order in which they were accepted."""
        return [_kept(row) for row in await self.rows(_KEPT, route)]

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        """What the journal's database answers."""
        if self.address.startswith("sqlite:"):
            with closing(sqlite3.connect(self.address.removeprefix("sqlite:"))) as db:
                db.row_factory = sqlite3.Row
                return [dict(row) for row in db.execute(sql.replace("$", "?"), args)]
        connection = await asyncpg.connect(self.address, server_settings=_IN_SCHEMA)
        try:
            return [dict(row) for row in await connection.fetch(sql, *args)]
        finally:
            await connection.close()

    async def until(
        self, holds: Callable[[list[Kept]], bool], *, route: str = "default/it", within: float = 20
    ) -> list[Kept]:
        """Wait until something is true of the messages of a Route."""
        deadline = time.monotonic() + within
        while not holds(found := await self.messages(route)):
            if time.monotonic() > deadline:
                states = Counter((each.state, each.reason) for each in found)
                raise AssertionError(f"not so within {within:g} s: {states}")
            await asyncio.sleep(0.01)
        return found

    async def until_settled(
        self, count: int, *, route: str = "default/it", within: float = 20
    ) -> list[Kept]:
        """Wait until so many messages of a Route are settled."""
        deadline = time.monotonic() + within
        while (done := await self._settled(route)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"after {within:g} s {done} of {count} are settled")
            await asyncio.sleep(0.01)
        return await self.messages(route)

    async def _settled(self, route: str) -> int:
        [row] = await self.rows(_SETTLED, route)
        return int(row["settled"])

    def _caller(self, port: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            timeout=15.0,
            limits=httpx.Limits(max_connections=None),
            verify=False,  # noqa: S501 - no TLS here; reading the certificates takes 20 ms
        )


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(**{**row, "holds": bool(row["holds"]), "journey": unpack(row["journey"] or b"")})


Carry = Callable[..., Awaitable[Carrier]]
