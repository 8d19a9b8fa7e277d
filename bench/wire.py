"""Just enough HTTP/1.1 to ask an engine one question over loopback.

For probes and comparisons only: the load has its own connections (`loader.py`, wrk).
"""

from __future__ import annotations

import dataclasses
import http.client


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def ask(port: int, request: Request, *, timeout: float = 5.0) -> Answer:
    """Send one request on a connection of its own; raise OSError when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Content-Type": "application/json"} if request.body else {}
        connection.request(request.method, request.target, request.body or None, headers)
        response = connection.getresponse()
        return Answer(status=response.status, body=response.read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP answer: {error!r}") from error
    finally:
        connection.close()
