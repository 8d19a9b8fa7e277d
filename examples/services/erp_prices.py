"""The price desk of the ERP: who buys what, in which currency, delivered where."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import prices
from prices import Terms
from sign_in import Basic

MAX_SKUS = 1_000
FIELDS = frozenset({"skus", "customerGroup", "currency", "country"})


@dataclass(frozen=True, slots=True)
class Order:
    """The prices somebody asks for."""

    skus: tuple[str, ...]
    terms: Terms


def routes(base_prices: Mapping[str, int], sign_in: Basic) -> list[Route]:
    """Answer `POST /prices` from a price list."""

    async def post_prices(request: Request) -> Response:
        sign_in.check(request)
        order = _order(await bodies.json_object(request, such_as='{"skus": ["CH-10423"]}'))
        return JSONResponse(prices.quotes(base_prices, order.skus, order.terms))

    return [Route("/prices", post_prices, methods=["POST"])]


def _order(body: dict[str, Any]) -> Order:
    """Check every field: a customer group that is misspelt must not sell at retail price."""
    if unknown := sorted(set(body) - FIELDS):
        known = ", ".join(sorted(FIELDS))
        raise HTTPException(400, f"There is no field {unknown[0]!r}; there are: {known}.")
    default = Terms()
    return Order(
        skus=_skus(body.get("skus")),
        terms=Terms(
            group=_one_of(prices.GROUPS, body, "customerGroup", default.group),
            currency=_one_of(prices.CURRENCIES, body, "currency", default.currency),
            country=_one_of(prices.VAT_RATES, body, "country", default.country),
        ),
    )


def _skus(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(sku, str) for sku in value):
        raise HTTPException(400, "skus must be a list of strings.")
    if len(value) > MAX_SKUS:
        raise HTTPException(400, f"skus has {len(value)} entries; at most {MAX_SKUS} are allowed.")
    return tuple(value)


def _one_of(known: Collection[str], body: dict[str, Any], name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or value not in known:
        raise HTTPException(400, f"{name} must be one of: {', '.join(known)}.")
    return value
