"""The exports of an ERP: files as CSV, with German headings, numbers and dates.

    python exports.py [--port 8086]

    POST /exports/stock                the file of all stock, sent to WEBHOOK_URL
    GET  /exports/prices               the file of all prices; signed in
    PUT  /stock/{material}/{plant}     {"quantity": "12.5", "reserved": "2"}    goods move
    PUT  /prices/{material}/{list}     {"price": "19.95"}                       a price changes

Files are in windows-1252. That of stock goes out as plain text, with the bearer token EXPORT_TOKEN.
Prices are read with HTTP basic, ERP_USERNAME and ERP_PASSWORD. What a person does needs no sign-in
here. EXPORTS_DATABASE names the file in which all is kept; without one it lives in memory.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import catalogue
import clock
import export_files
import forwarding
import prices
import problems
import serving
import settings
from documents import Documents, Kept
from settings import SettingError
from sign_in import Basic

CHARSET = "windows-1252"
EVERY = 21
"""One product in so many of the catalogue is in the exports: 60 of them."""

PLANTS = {"HAM": 30, "MUC": 5, "REP": 1}
"""Two warehouses and a workshop, and how many there are for each that the catalogue counts."""

MARGINS = {"VK-DE": Decimal("1.00"), "VK-AT": Decimal("1.04"), "HAENDLER": Decimal("0.80")}
VALID_FROM = date(2026, 1, 1)
NEW_STOCK = {"text": "", "quantity": "0", "reserved": "0", "next_receipt": None}
NEW_PRICE = {"price": "0", "per": "1"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this service."""

    webhook_url: str
    token: str
    username: str
    password: str
    database: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `SettingError` ends the start."""
        return cls(
            webhook_url=settings.base_url(
                environment, "WEBHOOK_URL", "http://127.0.0.1:8080/hooks/stock"
            ),
            token=settings.secret(environment, "EXPORT_TOKEN"),
            username=settings.secret(environment, "ERP_USERNAME"),
            password=settings.secret(environment, "ERP_PASSWORD"),
            database=environment.get("EXPORTS_DATABASE", ":memory:"),
        )


def app(chosen: Settings) -> Starlette:
    """Put the exports behind HTTP."""
    documents = _begun(Documents(chosen.database))
    http = forwarding.client()
    sign_in = Basic(
        "exports", chosen.username, chosen.password, "the user and password of ERP_USERNAME."
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    async def post_stock(_request: Request) -> Response:
        rows = [_stock(kept) for kept in _all(documents, "stock")]
        try:
            answer = await http.post(
                chosen.webhook_url,
                content=export_files.stock(rows).encode(CHARSET),
                headers={
                    "Content-Type": f"text/plain; charset={CHARSET}",
                    "Authorization": f"Bearer {chosen.token}",
                },
            )
        except httpx.TransportError:
            raise HTTPException(502, f"{chosen.webhook_url} does not answer.") from None
        return JSONResponse({"rows": len(rows), "answered": answer.status_code})

    async def get_prices(request: Request) -> Response:
        sign_in.check(request)
        rows = [_price(kept) for kept in _all(documents, "prices")]
        content = export_files.prices(rows).encode(CHARSET)
        return Response(content, media_type=f"text/csv; charset={CHARSET}")

    return Starlette(
        routes=[
            Route("/exports/stock", post_stock, methods=["POST"]),
            Route("/exports/prices", get_prices),
            Route("/stock/{material}/{place}", _put(documents, "stock"), methods=["PUT"]),
            Route("/prices/{material}/{place}", _put(documents, "prices"), methods=["PUT"]),
        ],
        lifespan=lifespan,
        exception_handlers=problems.HANDLERS,
    )


def _put(documents: Documents, kind: str) -> forwarding.Endpoint:
    """Change some decimals of an entry; one that is new is known from then on."""
    changeable, new = {
        "stock": (("quantity", "reserved"), NEW_STOCK),
        "prices": (("price",), NEW_PRICE),
    }[kind]

    async def put(request: Request) -> Response:
        key = f"{request.path_params['material']}/{request.path_params['place']}"
        change = await bodies.json_object(request, such_as='{"quantity": "12.5"}')
        for name, value in change.items():
            if name not in changeable or not _is_decimal(value):
                names = ", ".join(changeable)
                raise HTTPException(400, f"{name} must be one of {names}, and a decimal as text.")
        before = documents.get(kind, key)
        documents.put(kind, key, {**(before.document if before else new), **change})
        return Response(status_code=204)

    return put


def _begun(documents: Documents) -> Documents:
    """Fill a new database from the catalogue."""
    if documents.count("stock"):
        return documents
    every = catalogue.generate()
    base = prices.price_list(every)
    for place, product in enumerate(every[::EVERY]):
        for plant, times in PLANTS.items():
            levels = {
                "text": product.name,
                "quantity": str(product.stock * times),
                "reserved": str(product.stock // 10),
                "next_receipt": f"2026-09-{1 + place % 28:02}" if not product.stock else None,
            }
            documents.put("stock", f"{product.sku}/{plant}", levels)
        for price_list, margin in MARGINS.items():
            # What is cheap is priced by the hundred.
            per = 100 if base[product.sku] < 2_000 else 1
            amount = Decimal(base[product.sku] * per).scaleb(-2) * margin
            document = {"price": str(amount), "per": str(per)}
            documents.put("prices", f"{product.sku}/{price_list}", document)
    return documents


def _all(documents: Documents, kind: str) -> list[Kept]:
    return documents.changed(kind, offset=0, limit=documents.count(kind))


def _stock(kept: Kept) -> export_files.Stock:
    material, _, plant = kept.key.partition("/")
    levels: dict[str, Any] = kept.document
    due = levels["next_receipt"]
    return export_files.Stock(
        material=material,
        text=levels["text"],
        plant=plant,
        quantity=Decimal(levels["quantity"]),
        reserved=Decimal(levels["reserved"]),
        next_receipt=date.fromisoformat(due) if due else None,
        moved_at=clock.read(kept.changed_at),
    )


def _price(kept: Kept) -> export_files.Price:
    material, _, price_list = kept.key.partition("/")
    return export_files.Price(
        material=material,
        price_list=price_list,
        currency="EUR",
        amount=Decimal(kept.document["price"]),
        per=int(kept.document["per"]),
        valid_from=VALID_FROM,
    )


def _is_decimal(value: object) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def main() -> None:
    """Read the settings and serve the exports."""
    at = serving.address("exports", port=8086, about="The exports of the example ERP.")
    try:
        chosen = Settings.from_environment(os.environ)
    except SettingError as error:
        serving.refuse_settings(at.service, error)
    serving.run(app(chosen), at)


if __name__ == "__main__":
    main()
