"""Admin: liveness, readiness, metrics and status, on a port of its own."""

from collections.abc import Callable
from typing import Any

import orjson
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from isthmus_runtime import faults, metrics
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Request, Response

_TEXT = (b"content-type", b"text/plain; charset=utf-8")


class Admin:
    """Answers on the admin port.

    `/livez` says that the loop turns, `/readyz` that Routes are served and no drain has begun.
    """

    def __init__(
        self,
        *,
        is_ready: Callable[[], bool],
        status: Callable[[], dict[str, Any]],
        measure: Callable[[], None],
    ) -> None:
        self._is_ready = is_ready
        self._status = status
        self._measure = measure
        self._pages = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/status": self._status_page,
        }

    def admit(self, head: Head) -> int | Response:
        """No page takes a body."""
        if head.path not in self._pages:
            pages = ", ".join(self._pages)
            return faults.response(Fault("NotFound", f"the pages are {pages}", 404))
        if head.method not in ("GET", "HEAD"):
            fault = Fault("MethodNotAllowed", "pages are read with GET", 405)
            return faults.response(fault, headers=((b"allow", b"GET, HEAD"),))
        return 0

    async def handle(self, request: Request) -> Response:
        """Show a page."""
        return self._pages[request.head.path]()

    def _livez(self) -> Response:
        return Response(200, [_TEXT], b"ok\n")

    def _readyz(self) -> Response:
        if self._is_ready():
            return Response(200, [_TEXT], b"ok\n")
        return Response(503, [_TEXT], b"not ready\n")

    def _metrics(self) -> Response:
        self._measure()
        kind = (b"content-type", CONTENT_TYPE_LATEST.encode())
        return Response(200, [kind], generate_latest(metrics.REGISTRY))

    def _status_page(self) -> Response:
        return Response(200, [(b"content-type", b"application/json")], orjson.dumps(self._status()))
