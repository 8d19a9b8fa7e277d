"""The stock desk of the ERP: what changed since when, page by page.

    GET    /stock?since=2026-01-01T00:00:00Z&cursor=&limit=    changes, oldest first; signed in
    PUT    /stock/{material}  {"available": 12}                count; a new material is known then
    DELETE /stock/{material}                                   know it no more

Counting stands for a person in the warehouse and needs no sign-in here.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import clock
from sign_in import Basic
from warehouse import Warehouse

PAGE, LARGEST_PAGE = 200, 1_000
SUCH_AS = '{"available": 12}'


def routes(warehouse: Warehouse, sign_in: Basic) -> list[Route]:
    """Answer for the warehouse."""

    async def get_changes(request: Request) -> Response:
        sign_in.check(request)
        changes = warehouse.changes(
            since=_since(request),
            after=bodies.whole_number(request, "cursor", default=0, low=0, high=2**53),
            limit=bodies.whole_number(request, "limit", default=PAGE, low=1, high=LARGEST_PAGE),
        )
        return JSONResponse({"items": changes.items, "next": changes.next})

    async def put_stock(request: Request) -> Response:
        material = request.path_params["material"]
        available = (await bodies.json_object(request, such_as=SUCH_AS)).get("available")
        if not isinstance(available, int) or isinstance(available, bool):
            raise HTTPException(400, "available must be a whole number.")
        warehouse.count(material, available)
        return JSONResponse({"material": material, "available": available})

    async def delete_stock(request: Request) -> Response:
        warehouse.forget(request.path_params["material"])
        return Response(status_code=204)

    return [
        Route("/stock", get_changes),
        Route("/stock/{material}", put_stock, methods=["PUT"]),
        Route("/stock/{material}", delete_stock, methods=["DELETE"]),
    ]


def _since(request: Request) -> str:
    text = request.query_params.get("since", "1970-01-01T00:00:00Z")
    try:
        return clock.written(clock.read(text))
    except ValueError:
        raise HTTPException(
            400, "since must be a time such as 2026-01-01T00:00:00Z, with its zone."
        ) from None
