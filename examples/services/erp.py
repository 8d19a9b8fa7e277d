"""The ERP of the examples: prices, orders and stock.

    python erp.py [--port 8082]
    curl -u isthmus:demo -H 'Content-Type: application/json' \\
         -d '{"skus": ["CH-10423"]}' http://127.0.0.1:8082/prices

Its desks are `erp_prices`, `erp_orders` and `erp_stock`. Sign-in is HTTP basic with ERP_USERNAME
and ERP_PASSWORD. ERP_DATABASE names the file of its database; without one it lives in memory. It
can be made slow or broken (ERP_DELAY=2s, ERP_FAIL=503, `PUT /faults`): see `faults`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import catalogue
import erp_database
import erp_orders
import erp_prices
import erp_stock
import faults
import prices
import problems
import serving
from faults import Faults, Injection, Switch
from order_book import OrderBook
from sign_in import Basic
from warehouse import Warehouse

WATCHING = frozenset({"/health", "/report", "/writes"})
"""Paths of people who watch the ERP, which its standing faults spare."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this service."""

    username: str
    password: str
    database: str
    faults: Faults

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `FaultError` ends the start."""
        return cls(
            username=environment.get("ERP_USERNAME", "isthmus"),
            password=environment.get("ERP_PASSWORD", "demo"),
            database=environment.get("ERP_DATABASE", ":memory:"),
            faults=Faults.parse(
                {"delay": environment.get("ERP_DELAY"), "fail": environment.get("ERP_FAIL")}
            ),
        )


def app(settings: Settings) -> Starlette:
    """Put the desks behind HTTP, sign-in, and the switch for faults."""
    products = catalogue.generate()
    database = erp_database.opened(
        settings.database,
        levels={product.sku: product.stock for product in products},
        counted_at=catalogue.COUNTED_AT,
    )
    warehouse = Warehouse(database)
    switch = Switch(settings.faults)
    sign_in = Basic(
        "erp",
        username=settings.username,
        password=settings.password,
        advice="the user and password of ERP_USERNAME and ERP_PASSWORD.",
    )
    return Starlette(
        routes=[
            *erp_prices.routes(prices.price_list(products), sign_in),
            *erp_orders.routes(OrderBook(database, warehouse), sign_in),
            *erp_stock.routes(warehouse, sign_in),
            Route("/faults", switch.endpoint, methods=["GET", "PUT", "DELETE"]),
            Route("/health", _health),
        ],
        middleware=[Middleware(Injection, switch=switch, spared=WATCHING)],
        exception_handlers=problems.HANDLERS,
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def main() -> None:
    """Read the settings and serve the ERP."""
    at = serving.address("erp", port=8082, about="The ERP of the example shop.")
    try:
        settings = Settings.from_environment(os.environ)
    except faults.FaultError as error:
        serving.refuse_settings(at.service, error)
    faults.silence_expected_complaints()
    serving.run(app(settings), at)


if __name__ == "__main__":
    main()
