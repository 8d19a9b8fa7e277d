"""The door from a page's own origin to the systems behind it, so that a browser needs no CORS."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from starlette.requests import Request
from starlette.responses import Response

import problems

PATIENCE = httpx.Timeout(15.0, connect=2.0)
PASSED_ON = ("content-type", "retry-after", "x-request-id")

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """One address behind the page, and what to tell a person when nobody is there."""

    name: str
    url: str
    advice: str


def client() -> httpx.AsyncClient:
    """Make what `forward` asks with; everything is local, so no proxy of the environment counts."""
    return httpx.AsyncClient(timeout=PATIENCE, trust_env=False)


def forward(http: httpx.AsyncClient, upstream: Upstream) -> Endpoint:
    """Send a request on and bring its answer back; a system that is missing is a problem."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = await http.request(
                request.method,
                upstream.url,
                params=str(request.query_params),
                content=await request.body(),
                headers={"Content-Type": request.headers.get("content-type", "application/json")},
            )
        except httpx.TimeoutException:
            return problems.response(
                504, f"{upstream.url} took too long.", title=f"No answer from {upstream.name}"
            )
        except httpx.TransportError:
            return problems.response(
                502,
                f"{upstream.url} cannot be reached. {upstream.advice}",
                title=f"No answer from {upstream.name}",
            )
        headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return Response(answer.content, status_code=answer.status_code, headers=headers)

    return endpoint
