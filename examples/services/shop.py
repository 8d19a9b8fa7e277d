"""The shop's front-end: one page, and a door from its origin to the Route and the ERP.

    python shop.py [--port 8083]        then open http://127.0.0.1:8083/shop

The page only ever talks to its own origin. `/search` goes on to the Route at ISTHMUS_URL
and `/erp/faults` to the ERP at ERP_URL, so a browser needs no CORS.
"""

import contextlib
import html
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import problems
import serving

PAGE = Path(__file__).with_name("shop.html")
PATIENCE = httpx.Timeout(15.0, connect=2.0)
PASSED_ON = ("content-type", "retry-after", "x-request-id")

Endpoint = Callable[[Request], Awaitable[Response]]


class SettingError(ValueError):
    """A setting of the environment cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the systems behind the shop are."""

    isthmus_url: str
    erp_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `SettingError` ends the start."""
        return cls(
            isthmus_url=_base_url(environment, "ISTHMUS_URL", "http://127.0.0.1:8080"),
            erp_url=_base_url(environment, "ERP_URL", "http://127.0.0.1:8082"),
        )


@dataclass(frozen=True, slots=True)
class Upstream:
    """One system behind the shop, and what to tell a person when it is not there."""

    name: str
    url: str
    advice: str


def app(settings: Settings) -> Starlette:
    """Serve the page beside the systems that it asks."""
    # Everything here is local; a proxy from the environment would only be in the way.
    client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
    page = _page(settings)
    route = Upstream(
        "the Route",
        f"{settings.isthmus_url}/search",
        "Start it with isthmus run, or set ISTHMUS_URL.",
    )
    erp = Upstream("the ERP", f"{settings.erp_url}/faults", "Start erp.py, or set ERP_URL.")

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    async def shop(_request: Request) -> Response:
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    return Starlette(
        routes=[
            Route("/", RedirectResponse("/shop")),
            Route("/shop", shop),
            Route("/search", _forward(client, route)),
            Route("/erp/faults", _forward(client, erp), methods=["GET", "PUT", "DELETE"]),
            Route("/health", _health),
        ],
        lifespan=lifespan,
        exception_handlers=problems.HANDLERS,
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def _base_url(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(name) or default
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise SettingError(f"{name}={text} is no URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise SettingError(f"{name}={text} must look like {default}")
    return text.rstrip("/")


def _page(settings: Settings) -> str:
    """Fill in where the systems are, which the page shows when one of them is missing."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, url in (("{{isthmus-url}}", settings.isthmus_url), ("{{erp-url}}", settings.erp_url)):
        page = page.replace(mark, html.escape(url, quote=True))
    return page


def _forward(client: httpx.AsyncClient, upstream: Upstream) -> Endpoint:
    """Send a request on and bring its answer back; a system that is missing is a problem."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = await client.request(
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


def main() -> None:
    """Read the settings and serve the shop."""
    at = serving.address("shop", port=8083, about="The front-end of the example shop.")
    try:
        settings = Settings.from_environment(os.environ)
    except SettingError as error:
        serving.refuse_settings(at.service, error)
    serving.run(app(settings), at)


if __name__ == "__main__":
    main()
