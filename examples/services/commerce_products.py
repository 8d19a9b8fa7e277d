"""The product desk of the commerce platform: takes whole products by their key.

    PUT /products/{key}     write a product draft, new or in place of what is there; signed in
    GET /products/{key}     the product as it is, with the number of its versions

What only looks needs no sign-in, so that a browser or curl can follow what happens.
"""

from collections.abc import Iterator
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
from documents import Documents
from sign_in import Bearer

KIND = "product"
SUCH_AS = '{"key": "luna", "productType": {…}, "name": {…}, "slug": {…}, "masterVariant": {…}}'


def routes(documents: Documents, sign_in: Bearer) -> list[Route]:
    """Answer for the products."""

    async def put_product(request: Request) -> Response:
        sign_in.check(request)
        draft = await bodies.json_object(request, such_as=SUCH_AS)
        if reasons := list(_wrong(draft, request.path_params["key"])):
            raise HTTPException(400, f"{'; '.join(reasons)}.")
        kept = documents.put(KIND, draft["key"], draft)
        status = 201 if kept.version == 1 else 200
        return JSONResponse({"key": kept.key, "version": kept.version}, status_code=status)

    async def get_product(request: Request) -> Response:
        kept = documents.get(KIND, request.path_params["key"])
        if kept is None:
            raise HTTPException(404, f"There is no product {request.path_params['key']}.")
        return JSONResponse({**kept.document, "version": kept.version})

    return [
        Route("/products/{key}", put_product, methods=["PUT"]),
        Route("/products/{key}", get_product, methods=["GET"]),
    ]


def _wrong(draft: dict[str, Any], key: str) -> Iterator[str]:
    """What keeps a draft from being a product."""
    if draft.get("key") != key:
        yield f"key must be {key}, as in the path"
    for name in ("name", "slug"):
        if not _is_localised(draft.get(name)):
            yield f"{name} must have a text for each locale"
    variants = [draft.get("masterVariant"), *draft.get("variants", [])]
    skus = [each.get("sku") if isinstance(each, dict) else None for each in variants]
    if not all(isinstance(sku, str) for sku in skus) or len(set(skus)) < len(skus):
        yield "each variant must have a sku of its own"


def _is_localised(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(text, str) and text for text in value.values())
    )
