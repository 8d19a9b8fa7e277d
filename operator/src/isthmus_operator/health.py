"""Health: /livez, /readyz and /metrics.

`/livez` fails when a check says that only a restart helps; `/readyz` when this process is neither a
leader that knows the cluster nor a standby. Both answer 200, or 503 with the checks that fail.

    health.add("queue", overdue("a key is under way", queue.oldest_under_way, limit=300))
    health.ready("caches", lambda: None if filled else "the caches are being filled")
    async with health.serving("0.0.0.0", 9090): ...
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from isthmus_operator import metrics

Check = Callable[[], str | None]
"""None when all is well, otherwise why not."""

LOOP_LATE_SECONDS: Final = 10.0
WATCH_SILENT_SECONDS: Final = 300.0
"""Bookmarks come once a minute; the rest is for an API server that restarts."""
UNDER_WAY_SECONDS: Final = 300.0
STUCK_SECONDS: Final = 120.0

_log = logging.getLogger(__name__)


def overdue(what: str, seconds: Callable[[], float], *, limit: float) -> Check:
    """A check that fails once something has lasted for more than `limit` seconds."""

    def check() -> str | None:
        lasted = seconds()
        return f"{what} for {lasted:.0f} s; at most {limit:g} s" if lasted > limit else None

    return check


class Health:
    """The checks of this process, and the server that tells of them."""

    def __init__(self, registry: CollectorRegistry = metrics.REGISTRY) -> None:
        self._registry = registry
        self._live: dict[str, Check] = {}
        self._ready: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """A check of liveness."""
        self._live[name] = check

    def ready(self, name: str, check: Check) -> None:
        """A check of readiness."""
        self._ready[name] = check

    @contextlib.asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve for as long as the block lasts; the port, which differs when 0 was asked for."""
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        return _answer(self._live)

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self._ready)

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})


def _answer(checks: dict[str, Check]) -> web.Response:
    failing = {name: why for name, check in checks.items() if (why := _why(name, check))}
    body = {"status": "failing", "checks": failing} if failing else {"status": "ok"}
    return web.json_response(body, status=503 if failing else 200)


def _why(name: str, check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # a check that cannot tell is no proof of health
        _log.exception("check failed", extra={"check": name})
        return f"the check itself failed: {type(error).__name__}"
