"""The order desk of the ERP: takes orders, honours idempotency keys, and tells what it got.

    PUT    /orders/{number}     write an order; signed in
    GET    /orders/{number}     the order, and each write that came for it
    GET    /writes              all writes in the order in which they came: ?after=&limit=&number=
    GET    /report              how many: orders, writes, repeats, refused, doubles, outOfOrder

What only looks needs no sign-in, so that a browser or curl can follow what happens.
"""

import hashlib
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import problems
from order_book import Entry, KeyReused, OrderBook
from sign_in import Basic

STATUSES = ("RELEASED", "CREDITED", "ON HOLD")
SUCH_AS = '{"orderNumber": "100045", "items": [...]}'
MOST_WRITES = 10_000


def routes(book: OrderBook, sign_in: Basic) -> list[Route]:
    """Answer for the book of orders."""

    async def put_order(request: Request) -> Response:
        sign_in.check(request)
        number = request.path_params["number"]
        body = await bodies.json_object(request, such_as=SUCH_AS)
        try:
            entry = _entry(number, body)
        except HTTPException as error:
            return _refused(book, number, error.detail)
        if unknown := book.unknown([material for material, _ in entry.items]):
            reason = f"The material {unknown[0]} is unknown."
            return _refused(book, number, reason, title="Unknown material")
        return _written(book, entry, key=request.headers.get("Idempotency-Key"))

    async def get_order(request: Request) -> Response:
        order = book.order(request.path_params["number"])
        if order is None:
            raise HTTPException(404, f"There is no order {request.path_params['number']}.")
        return JSONResponse(order)

    async def get_writes(request: Request) -> Response:
        return JSONResponse(
            book.writes(
                number=request.query_params.get("number"),
                after=bodies.whole_number(request, "after", default=0, low=0, high=2**53),
                limit=bodies.whole_number(request, "limit", default=1000, low=1, high=MOST_WRITES),
            )
        )

    async def get_report(_request: Request) -> Response:
        return JSONResponse(book.report())

    return [
        Route("/orders/{number}", put_order, methods=["PUT"]),
        Route("/orders/{number}", get_order, methods=["GET"]),
        Route("/writes", get_writes),
        Route("/report", get_report),
    ]


def _written(book: OrderBook, entry: Entry, *, key: str | None) -> Response:
    try:
        receipt = book.write(entry, key=key, fingerprint=_fingerprint(entry))
    except KeyReused:
        reason = "The Idempotency-Key was used for another order."
        return _refused(book, entry.number, reason, status=422)
    return JSONResponse(
        {"orderNumber": entry.number, "status": entry.status},
        status_code=201 if receipt.created else 200,
        headers={"Idempotency-Replayed": "true"} if receipt.repeated else None,
    )


def _refused(
    book: OrderBook, number: str, reason: str, *, status: int = 400, title: str | None = None
) -> Response:
    book.refuse(number, reason)
    return problems.response(status, reason, title=title)


def _fingerprint(entry: Entry) -> str:
    text = json.dumps(entry.document, sort_keys=True)
    return hashlib.sha256(f"{entry.number} {text}".encode()).hexdigest()


def _entry(number: str, body: dict[str, Any]) -> Entry:
    """Check what the ERP needs; the rest of the document is kept as it is."""
    if body.get("orderNumber") != number:
        raise HTTPException(400, f"orderNumber must be {number}, as in the path.")
    return Entry(
        number=number,
        customer=_text(body, "soldTo"),
        status=_status(body),
        version=_text(body, "changedAt"),
        items=_items(body.get("items")),
        document=body,
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise HTTPException(400, f"{name} must be a text that is not empty.")
    return value


def _status(body: dict[str, Any]) -> str:
    status = _text(body, "status")
    if status not in STATUSES:
        raise HTTPException(400, f"status must be one of: {', '.join(STATUSES)}.")
    return status


def _items(value: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, list) or not value:
        raise HTTPException(400, "items must be a list with at least one item.")
    return tuple(_item(item) for item in value)


def _item(value: object) -> tuple[str, int]:
    match value:
        case {"material": str(material), "quantity": int(quantity)} if quantity > 0:
            return material, quantity
    raise HTTPException(400, "Each item needs a material, and a quantity above 0.")
