"""The desk of the commerce platform for stock and prices: takes them in batches.

    POST /inventory         [{"sku": …, "supplyChannel": {…}, "quantityOnStock": 12}]    signed in
    POST /prices            [{"sku": …, "key": "VK-DE", "value": {…}}]                   signed in
    GET  /inventory/{sku}   what was told last, by channel
    GET  /prices/{sku}      what was told last, by price list
    GET  /report            how many calls and entries came, and how many of them were refused

An answer says of each entry, by its place, whether it was stored. What only looks needs no sign-in.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import catalogue
from documents import Documents
from sign_in import Bearer

MOST_ENTRIES = 500
SUCH_AS = {
    "inventory": '[{"sku": "CH-10400", "supplyChannel": {"key": …}, "quantityOnStock": 12}]',
    "prices": '[{"sku": "CH-10400", "key": "VK-DE", "value": {"currencyCode": "EUR", …}}]',
}


def routes(documents: Documents, sign_in: Bearer) -> list[Route]:
    """Answer for stock and prices."""
    sold = frozenset(product.sku for product in catalogue.generate())
    told = {kind: Counter[str]() for kind in READERS}

    def desk(kind: str) -> list[Route]:
        async def post(request: Request) -> Response:
            sign_in.check(request)
            entries = await bodies.json_list(request, such_as=SUCH_AS[kind])
            if len(entries) > MOST_ENTRIES:
                raise HTTPException(
                    413, f"{len(entries)} entries are too many; {MOST_ENTRIES} fit a call."
                )
            results = [_store(documents, kind, entry, sold) for entry in entries]
            refused = sum(result["status"] == "refused" for result in results)
            told[kind].update(calls=1, entries=len(entries), refused=refused)
            numbered = [{"index": index, **result} for index, result in enumerate(results)]
            return JSONResponse({"results": numbered})

        async def get(request: Request) -> Response:
            kept = documents.get(kind, request.path_params["sku"])
            if kept is None:
                raise HTTPException(404, f"Nobody told yet of {request.path_params['sku']}.")
            return JSONResponse(kept.document)

        return [
            Route(f"/{kind}", post, methods=["POST"]),
            Route(f"/{kind}/{{sku}}", get),
        ]

    async def get_report(_request: Request) -> Response:
        names = ("calls", "entries", "refused")
        return JSONResponse(
            {kind: {name: counted[name] for name in names} for kind, counted in told.items()}
        )

    return [*desk("inventory"), *desk("prices"), Route("/report", get_report)]


def _store(documents: Documents, kind: str, entry: object, sold: frozenset[str]) -> dict[str, str]:
    """Keep one entry beside the others of its product, or say why not."""
    try:
        place = READERS[kind](entry)
    except LookupError:
        return {"status": "refused", "reason": f"it must look like {SUCH_AS[kind]}"}
    if not isinstance(entry, dict) or entry["sku"] not in sold:
        return {"status": "refused", "reason": "the shop does not sell it"}
    before = documents.get(kind, entry["sku"])
    documents.put(kind, entry["sku"], {**(before.document if before else {}), place: entry})
    return {"status": "stored"}


def _inventory(entry: object) -> str:
    match entry:
        case {
            "sku": str(),
            "supplyChannel": {"key": str(channel)},
            "quantityOnStock": int(quantity),
        } if quantity >= 0:
            return channel
    raise LookupError


def _price(entry: object) -> str:
    match entry:
        case {
            "sku": str(),
            "key": str(key),
            "value": {"currencyCode": str(), "centAmount": int(cents), "fractionDigits": int()},
        } if cents >= 0:
            return key
    raise LookupError


READERS: dict[str, Callable[[Any], str]] = {"inventory": _inventory, "prices": _price}
"""What reads the place of an entry among those of its product; a `LookupError` where it is none."""
