"""The order desk of the commerce platform: customers order, and who signs in reads what changed.

    POST /orders?sample=split-shipment     a customer places one of the sample orders
    GET  /orders?where=lastModifiedAt >= "2026-08-20T09:00:00Z"&limit=20&offset=0     signed in

Samples are in `commerce_orders.json`. Ordering stands for a customer and needs no sign-in here.
"""

import json
import re
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import clock
from documents import Documents, Kept
from sign_in import Bearer

SAMPLES: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("commerce_orders.json").read_text(encoding="utf-8")
)
FIRST_NUMBER = 700_001
PAGE, LARGEST_PAGE = 20, 500
KIND = "order"


def routes(documents: Documents, sign_in: Bearer) -> list[Route]:
    """Answer for the orders."""

    async def post_order(request: Request) -> Response:
        sample = SAMPLES.get(request.query_params.get("sample", ""))
        if sample is None:
            raise HTTPException(400, f"sample must be one of: {', '.join(SAMPLES)}.")
        number = f"W{FIRST_NUMBER + documents.count(KIND)}"
        kept = documents.put(KIND, number, {"createdAt": clock.now(), **sample})
        return JSONResponse({"orderNumber": kept.key}, status_code=201)

    async def get_orders(request: Request) -> Response:
        sign_in.check(request)
        since = _since(request)
        limit = bodies.whole_number(request, "limit", default=PAGE, low=1, high=LARGEST_PAGE)
        offset = bodies.whole_number(request, "offset", default=0, low=0, high=10_000)
        found = documents.changed(KIND, since=since, offset=offset, limit=limit)
        return JSONResponse(
            {
                "limit": limit,
                "offset": offset,
                "count": len(found),
                "total": documents.count(KIND, since=since),
                "results": [_order(kept) for kept in found],
            }
        )

    return [
        Route("/orders", get_orders, methods=["GET"]),
        Route("/orders", post_order, methods=["POST"]),
    ]


def _order(kept: Kept) -> dict[str, Any]:
    """An order as the platform tells it, with what is its own of each."""
    return {
        "id": f"order-{kept.key.lower()}",
        "version": kept.version,
        "orderNumber": kept.key,
        "lastModifiedAt": kept.changed_at,
        **kept.document,
    }


def _since(request: Request) -> str:
    """Read the one predicate that is known here."""
    text = request.query_params.get("where", 'lastModifiedAt >= "1970-01-01T00:00:00Z"')
    found = re.fullmatch(r'lastModifiedAt >= "([^"]+)"', text)
    try:
        return clock.written(clock.read(found[1] if found else ""))
    except ValueError:
        raise HTTPException(
            400, 'where must be a predicate such as lastModifiedAt >= "2026-01-01T00:00:00Z".'
        ) from None
