"""A commerce platform: what a shop is built on.

    python commerce.py [--port 8084]

Its desks are `commerce_orders`, `commerce_products` and `commerce_levels`. Who signs in sends the
bearer token COMMERCE_TOKEN. COMMERCE_DATABASE names the file in which all is kept; without one it
lives in memory. It can be made slow or broken (`PUT /faults`): see `faults`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import commerce_levels
import commerce_orders
import commerce_products
import faults
import problems
import serving
import settings
from documents import Documents
from faults import Faults, Injection, Switch
from settings import SettingError
from sign_in import Bearer

WATCHING = frozenset({"/health", "/report"})
"""Paths of people who watch the platform, which its standing faults spare."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this service."""

    token: str
    database: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `SettingError` ends the start."""
        return cls(
            token=settings.secret(environment, "COMMERCE_TOKEN"),
            database=environment.get("COMMERCE_DATABASE", ":memory:"),
        )


def app(chosen: Settings) -> Starlette:
    """Put the desks behind HTTP, sign-in, and the switch for faults."""
    documents = Documents(chosen.database)
    switch = Switch(Faults())
    sign_in = Bearer("commerce", chosen.token, advice="the token of COMMERCE_TOKEN.")
    return Starlette(
        routes=[
            *commerce_levels.routes(documents, sign_in),
            *commerce_orders.routes(documents, sign_in),
            *commerce_products.routes(documents, sign_in),
            Route("/faults", switch.endpoint, methods=["GET", "PUT", "DELETE"]),
            Route("/health", _health),
        ],
        middleware=[Middleware(Injection, switch=switch, spared=WATCHING)],
        exception_handlers=problems.HANDLERS,
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def main() -> None:
    """Read the settings and serve the platform."""
    at = serving.address("commerce", port=8084, about="The commerce platform of the examples.")
    try:
        chosen = Settings.from_environment(os.environ)
    except SettingError as error:
        serving.refuse_settings(at.service, error)
    faults.silence_expected_complaints()
    serving.run(app(chosen), at)


if __name__ == "__main__":
    main()
