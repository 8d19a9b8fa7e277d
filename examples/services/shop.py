"""The shop's front-end: one page, and a door from its origin to the Route and the ERP.

    python shop.py [--port 8083]        then open http://127.0.0.1:8083/shop

The page only ever talks to its own origin. `/search` goes on to the Route at ISTHMUS_URL
and `/erp/faults` to the ERP at ERP_URL, so a browser needs no CORS.
"""

import contextlib
import html
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import forwarding
import problems
import serving
from forwarding import Upstream, forward
from settings import SettingError, base_url

PAGE = Path(__file__).with_name("shop.html")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the systems behind the shop are."""

    isthmus_url: str
    erp_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `SettingError` ends the start."""
        return cls(
            isthmus_url=base_url(environment, "ISTHMUS_URL", "http://127.0.0.1:8080"),
            erp_url=base_url(environment, "ERP_URL", "http://127.0.0.1:8082"),
        )


def app(settings: Settings) -> Starlette:
    """Serve the page beside the systems that it asks."""
    client = forwarding.client()
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
            Route("/search", forward(client, route)),
            Route("/erp/faults", forward(client, erp), methods=["GET", "PUT", "DELETE"]),
            Route("/health", _health),
        ],
        lifespan=lifespan,
        exception_handlers=problems.HANDLERS,
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def _page(settings: Settings) -> str:
    """Fill in where the systems are, which the page shows when one of them is missing."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, url in (("{{isthmus-url}}", settings.isthmus_url), ("{{erp-url}}", settings.erp_url)):
        page = page.replace(mark, html.escape(url, quote=True))
    return page


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
