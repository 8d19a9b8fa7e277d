"""A runtime that serves, as tests see it: its two ports, and a caller of each."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import manifests_text
import upstreams

from isthmus_runtime.runtime import Runtime


@dataclass
class Served:
    """One running runtime."""

    runtime: Runtime
    port: int
    http: httpx.AsyncClient
    admin: httpx.AsyncClient

    async def get(self, path: str = "/it", **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str = "/it", **more: Any) -> httpx.Response:
        return await self.http.post(path, **more)

    async def load(self, *documents: str) -> None:
        await self.runtime.load(manifests_text.plans(*documents))

    async def opened(self) -> None:
        """Wait until its journal is open."""
        async with asyncio.timeout(30):
            while not (await self.admin.get("/status")).json()["journal"]["open"]:
                pass

    async def metrics(self) -> str:
        return (await self.admin.get("/metrics")).text


Serve = Callable[..., Awaitable[Served]]
Start = Callable[..., Awaitable[upstreams.Upstream]]


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, its correlation id checked and left out."""
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.pop("correlationId") == response.headers["x-correlation-id"]
    assert document["status"] == response.status_code
    assert "Traceback" not in response.text
    assert "127.0.0.1" not in response.text
    return document
