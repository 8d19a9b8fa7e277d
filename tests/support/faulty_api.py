"""An API server that misbehaves: a reverse proxy of the real one, on plain HTTP, with faults.

async with FaultyApi(plane) as api:
    operator of `api.access`
    api.answer = storm(...)     every request is asked about first
    api.cut()                   all open watches end in the middle
    with api.gap(): ...         no news, and then `410 Gone` for whoever watched
    with api.away(): ...        all connections end at once
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from control_plane import ControlPlane

from isthmus_operator.kube import Access

HOST = "127.0.0.1"
WRITES = frozenset({"PATCH", "POST", "PUT", "DELETE"})
_FORWARDED = ("Accept", "Content-Type")
_GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}

Answer = Callable[[web.Request], Awaitable[web.Response | None]]
"""What to say instead of the real server; None lets a request through."""


async def honest(request: web.Request) -> None:
    """No fault."""


def storm(status: int, *, share: float, writes_only: bool, **headers: str) -> Answer:
    """Refuse a share of the requests, the same share in the same order each time."""
    dice = random.Random(status)

    async def answer(request: web.Request) -> web.Response | None:
        if (writes_only and request.method not in WRITES) or dice.random() >= share:
            return None
        body = {"kind": "Status", "status": "Failure", "code": status, "reason": "Storm"}
        return web.json_response(body, status=status, headers=headers)

    return answer


def slow(longest: float) -> Answer:
    """Answer everything late, by up to so many seconds."""
    dice = random.Random(1)

    async def answer(request: web.Request) -> None:
        await asyncio.sleep(dice.uniform(0, longest))

    return answer


class FaultyApi:
    """The proxy. Well-behaved until a test says otherwise."""

    def __init__(self, plane: ControlPlane) -> None:
        self.answer: Answer = honest
        self.disturbed = 0
        """Requests that got a fault for an answer, and watches that were ended."""
        self._real = Access.of_kubeconfig(plane.kubeconfig)
        self._watches: set[asyncio.Transport] = set()
        self._telling = asyncio.Event()
        self._telling.set()
        self._started = contextlib.AsyncExitStack()
        self._port = 0
        self._away = False

    @property
    def access(self) -> Access:
        """How to reach it."""
        return Access(f"http://{HOST}:{self._port}", None)

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._real.trust(), limit=0)
        self._session = await self._started.enter_async_context(
            # Bodies are passed on as they come, so none is to come compressed.
            aiohttp.ClientSession(connector=connector, skip_auto_headers=("Accept-Encoding",))
        )
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True
        )
        await self._runner.setup()
        self._started.push_async_callback(self._runner.cleanup)
        await web.TCPSite(self._runner, HOST, 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._telling.set()
        await self._started.aclose()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Answer nobody for as long as the block lasts: all connections end, and new ones too."""
        assert self._runner.server is not None
        self._away = True
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        try:
            yield
        finally:
            self._away = False

    def cut(self) -> None:
        """End all watches without a word."""
        for connection in self._watches:
            self.disturbed += 1
            connection.abort()

    @contextlib.contextmanager
    def gap(self) -> Iterator[None]:
        """Tell nobody anything for as long as the block lasts; who watched must list again."""
        self._telling.clear()
        self.cut()
        try:
            yield
        finally:
            self._telling.set()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._away:
            return self._hang_up(request)
        if instead := await self.answer(request):
            self.disturbed += 1
            return instead
        watching = "watch" in request.query
        if request.method == "GET" and not self._telling.is_set():
            await self._telling.wait()
            if watching:
                self.disturbed += 1
                return web.json_response(_GONE)
        return await self._forward(request, watching=watching)

    async def _forward(self, request: web.Request, *, watching: bool) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        headers["Authorization"] = f"Bearer {self._real.token}"
        try:
            async with self._session.request(
                request.method,
                self._real.server + request.raw_path,
                data=await request.read() or None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None if watching else 30.0),
            ) as answer:
                kind = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
                if not watching:
                    body = await answer.read()
                    return web.Response(body=body, status=answer.status, headers=kind)
                return await self._pass_on(request, answer, kind)
        except aiohttp.ClientError:
            return self._hang_up(request)  # the real server went away

    def _hang_up(self, request: web.Request) -> web.Response:
        self.disturbed += 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)  # which nobody gets

    async def _pass_on(
        self, request: web.Request, answer: aiohttp.ClientResponse, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        connection = request.transport
        if connection is None:
            return response  # the client is gone
        self._watches.add(connection)
        try:
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
        finally:
            self._watches.discard(connection)
        return response
