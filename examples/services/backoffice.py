"""The shop's back office: orders, the webhooks that tell of them, and stock.

    python backoffice.py [--port 8083]        then open http://127.0.0.1:8083/orders

    POST /orders?count=10     customers order; each event of an order becomes a signed webhook
         &sku=NEW-1           ... one of this product, whether the ERP knows it or not
         &copies=3            ... and each webhook goes out three times, as happens
    GET  /orders/{number}     the webhooks of an order: sent or not, attempts, trouble
    POST /stock               [{"sku": "CH-10423", "available": 12, "changed_at": "..."}]; signed in
    GET  /stock/{sku}         what the shop was told last, or counted on 1 January
    GET  /report              how many orders, webhooks and stock levels

Webhooks go to WEBHOOK_URL, signed with WEBHOOK_SECRET, until somebody answers 2xx. Stock is taken
from who sends the bearer token STOCK_TOKEN. SHOP_DATABASE names the file in which all is kept;
without one it lives in memory. PACE is the time between the events of an order.
"""

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import bodies
import catalogue
import clock
import faults
import forwarding
import orders
import problems
import serving
import settings
from faults import Faults, Injection, Switch
from forwarding import Upstream, forward
from orders import Assortment
from outbox import Outbox, Posting
from settings import SettingError
from shelf import Level, Shelf
from sign_in import Bearer
from webhooks import Sender

PAGE = Path(__file__).with_name("backoffice.html")
MOST_ORDERS, MOST_COPIES, MOST_LEVELS = 10_000, 10, 500
LONGEST_PACE = 3600.0
SUCH_AS = '[{"sku": "CH-10423", "available": 12, "changed_at": "2026-01-01T00:00:00Z"}]'
WATCHING = frozenset(
    {"/", "/health", "/orders", "/report", "/erp/faults", "/erp/report", "/erp/writes"}
)
"""Paths of people who watch the shop, which its standing faults spare."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this service."""

    webhook_url: str
    webhook_secret: str
    stock_token: str
    erp_url: str
    database: str
    pace: float
    faults: Faults

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `SettingError` ends the start."""
        return cls(
            webhook_url=settings.base_url(
                environment, "WEBHOOK_URL", "http://127.0.0.1:8080/hooks/orders"
            ),
            webhook_secret=settings.secret(environment, "WEBHOOK_SECRET"),
            stock_token=settings.secret(environment, "STOCK_TOKEN"),
            erp_url=settings.base_url(environment, "ERP_URL", "http://127.0.0.1:8082"),
            database=environment.get("SHOP_DATABASE", ":memory:"),
            pace=settings.seconds(environment, "PACE", "1s", longest=LONGEST_PACE),
            faults=Faults.parse(
                {"delay": environment.get("SHOP_DELAY"), "fail": environment.get("SHOP_FAIL")}
            ),
        )


@dataclass(frozen=True, slots=True)
class Shop:
    """What customers do to the back office."""

    sold: Assortment
    outbox: Outbox
    shelf: Shelf
    pace: float

    def order(self, count: int, *, sku: str | None, copies: int) -> list[str]:
        """Let customers order; the numbers of the orders."""
        if sku:
            self.shelf.add(sku)
        first = max(orders.FIRST_NUMBER, self.outbox.last_number() + 1)
        numbers = range(first, first + count)
        self.outbox.post(
            posting for number in numbers for posting in self._postings(number, sku, copies)
        )
        return [str(number) for number in numbers]

    def _postings(self, number: int, sku: str | None, copies: int) -> Iterator[Posting]:
        now = datetime.now(UTC)
        for place, event in enumerate(orders.events(number, now, self.sold, sku=sku)):
            body = json.dumps(event.order, ensure_ascii=False).encode()
            due = now.timestamp() + place * self.pace
            yield from [Posting(number, event.topic, body, due)] * copies


def app(chosen: Settings) -> Starlette:
    """Put the shop behind HTTP, and let its webhooks go out as long as it is served."""
    database = sqlite3.connect(chosen.database, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    sold = orders.assortment()
    outbox = Outbox(database)
    shelf = Shelf(
        database, (Level(each.sku, each.stock, catalogue.COUNTED_AT) for each in sold.products)
    )
    shop = Shop(sold, outbox, shelf, chosen.pace)
    sender = Sender(outbox, url=chosen.webhook_url, secret=chosen.webhook_secret)
    advice = "the token of STOCK_TOKEN."
    erp, switch = forwarding.client(), Switch(chosen.faults)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with erp, sender.running():
            yield

    return Starlette(
        routes=[
            Route("/", RedirectResponse("/orders")),
            *_order_routes(shop, sender),
            *_stock_routes(shelf, Bearer("shop", chosen.stock_token, advice)),
            *_erp_routes(erp, chosen.erp_url),
            Route("/faults", switch.endpoint, methods=["GET", "PUT", "DELETE"]),
            Route("/health", _health),
        ],
        middleware=[Middleware(Injection, switch=switch, spared=WATCHING)],
        lifespan=lifespan,
        exception_handlers=problems.HANDLERS,
    )


def _order_routes(shop: Shop, sender: Sender) -> list[Route]:
    page = PAGE.read_text(encoding="utf-8")

    async def get_page(_request: Request) -> Response:
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    async def post_orders(request: Request) -> Response:
        numbers = shop.order(
            bodies.whole_number(request, "count", default=1, low=1, high=MOST_ORDERS),
            sku=_sku(request),
            copies=bodies.whole_number(request, "copies", default=1, low=1, high=MOST_COPIES),
        )
        sender.wake()
        return JSONResponse({"orders": numbers}, status_code=201)

    async def get_order(request: Request) -> Response:
        number = request.path_params["number"]
        webhooks = shop.outbox.of_order(number)
        if not webhooks:
            raise HTTPException(404, f"There is no order {number}.")
        return JSONResponse({"order_number": str(number), "webhooks": webhooks})

    async def get_report(_request: Request) -> Response:
        return JSONResponse({"webhooks": shop.outbox.report(), "stock": shop.shelf.report()})

    return [
        Route("/orders", get_page, methods=["GET"]),
        Route("/orders", post_orders, methods=["POST"]),
        Route("/orders/{number:int}", get_order),
        Route("/report", get_report),
    ]


def _stock_routes(shelf: Shelf, sign_in: Bearer) -> list[Route]:
    async def post_stock(request: Request) -> Response:
        """Take what can be taken; the answer names the others by their place in the list."""
        sign_in.check(request)
        told = await bodies.json_list(request, such_as=SUCH_AS)
        if len(told) > MOST_LEVELS:
            raise HTTPException(413, f"{len(told)} levels are too many; {MOST_LEVELS} fit a call.")
        levels = [_level(each, shelf) for each in told]
        shelf.put([level for level in levels if isinstance(level, Level)])
        errors = [
            {"index": index, "reason": reason}
            for index, reason in enumerate(levels)
            if isinstance(reason, str)
        ]
        return JSONResponse({"accepted": len(told) - len(errors), "errors": errors})

    async def get_stock(request: Request) -> Response:
        sku = request.path_params["sku"]
        level = shelf.level(sku)
        if level is None:
            raise HTTPException(404, f"Nobody told yet how much there is of {sku}.")
        return JSONResponse(asdict(level))

    return [
        Route("/stock", post_stock, methods=["POST"]),
        Route("/stock/{sku}", get_stock),
    ]


def _erp_routes(http: httpx.AsyncClient, url: str) -> list[Route]:
    """The door to the ERP for the page."""

    def to(path: str) -> forwarding.Endpoint:
        return forward(http, Upstream("the ERP", url + path, "Start erp.py, or set ERP_URL."))

    return [
        Route("/erp/faults", to("/faults"), methods=["GET", "PUT", "DELETE"]),
        Route("/erp/report", to("/report")),
        Route("/erp/writes", to("/writes")),
    ]


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def _sku(request: Request) -> str | None:
    sku = request.query_params.get("sku") or None
    if sku and not re.fullmatch(r"[A-Z0-9-]{1,40}", sku):
        raise HTTPException(400, "sku must look like CH-10423.")
    return sku


def _level(told: object, shelf: Shelf) -> Level | str:
    """Read one level; or the reason why it is none."""
    match told:
        case {"sku": str(sku), "available": int(available), "changed_at": str(changed_at)}:
            if not shelf.sells(sku):
                return f"the shop does not sell {sku}"
            return _dated(sku, available, changed_at)
    return "sku, available and changed_at are needed"


def _dated(sku: str, available: int, changed_at: str) -> Level | str:
    try:
        return Level(sku, available, clock.written(clock.read(changed_at)))
    except ValueError:
        return "changed_at must be a time with its zone"


def main() -> None:
    """Read the settings and serve the back office."""
    at = serving.address("backoffice", port=8083, about="The back office of the example shop.")
    try:
        chosen = Settings.from_environment(os.environ)
    except (SettingError, faults.FaultError) as error:
        serving.refuse_settings(at.service, error)
    faults.silence_expected_complaints()
    serving.run(app(chosen), at)


if __name__ == "__main__":
    main()
